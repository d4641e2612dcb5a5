"""All settings of the appliance, section by section, and the file they are read from."""

import dataclasses
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

from thirdring.protocol.errors import error
from thirdring.protocol.views import SettingView
from thirdring_device.core.agent_settings import AgentSettings
from thirdring_device.core.calls_settings import CallsSettings
from thirdring_device.core.dialplan import DialPlanSettings
from thirdring_device.core.figures_settings import FiguresSettings, FirmSettings
from thirdring_device.core.norms.settings import (
    AnswerSettings,
    CallSettings,
    HoldSettings,
    NotesSettings,
    OutboundSettings,
    PromptSettings,
    ReturnSettings,
    SurveySettings,
    VoiceSettings,
)
from thirdring_device.core.settings import read_section, section_specs, setting
from thirdring_device.durable import replace_file
from thirdring_device.hooks_settings import HooksSettings

__all__ = [
    "CHANGES_FILE",
    "RTP_PORTS",
    "Settings",
    "changed",
    "load_settings",
    "save_changes",
    "secret_names",
    "setting_descriptions",
    "setting_values",
    "setting_views",
]

CHANGES_FILE = "settings.json"
RTP_PORTS = 100
"""From ``sip.rtp_port`` on."""
"""In the state folder: what was changed while running, applied over the settings file."""


CHINESE_FILE: Final = "settings_zh.json"
"""Beside this file: what each setting means in Chinese; in English it stands with the setting itself."""


@dataclass(frozen=True, slots=True)
class SipSettings:
    """Our end of SIP and RTP."""

    port: int = setting(5060, "UDP and TCP port for SIP", low=1, high=65535)
    tls_port: int = setting(
        5061, "TCP port for SIP over TLS, open when the trunk's transport is tls; 0: any", low=0, high=65535
    )
    bind: str = setting("0.0.0.0", "address to listen on")
    rtp_port: int = setting(
        4000, "first UDP port for RTP; 100 ports from here are used", low=1024, high=65400
    )
    max_calls: int = setting(4, "calls at the same time, refused ones included", low=1, high=32)
    invites_per_s: float = setting(8.0, "INVITEs accepted from one source", unit="1/s", low=1.0, high=1000.0)
    invites_in_all_per_s: float = setting(
        12.0,
        "INVITEs accepted from all sources together; the others get 503",
        unit="1/s",
        low=1.0,
        high=1000.0,
    )
    no_rtp_warn_s: float = setting(5.0, "silence of the wire until a warning", unit="s", low=1.0, high=60.0)
    no_rtp_end_s: float = setting(
        30.0, "silence of the wire until the call is ended", unit="s", low=2.0, high=600.0
    )
    codecs: tuple[str, ...] = setting(
        ("PCMA", "PCMU", "G722", "opus"),
        "codecs offered, in this order; as the answering side the caller's order counts. One that the SIP "
        "stack lacks is left out",
    )
    plc: bool = setting(True, "fill the gaps of lost packets (packet loss concealment)")
    jitter_min_ms: int = setting(
        20, "smallest delay of the adaptive jitter buffer", unit="ms", low=0, high=500
    )
    jitter_start_ms: int = setting(
        0, "delay of the jitter buffer at the start of a stream", unit="ms", low=0, high=500
    )
    jitter_max_ms: int = setting(
        400, "largest delay of the jitter buffer, and its size", unit="ms", low=60, high=1000
    )
    session_timers: str = setting(
        "optional",
        "session timers (RFC 4028), which find calls whose other end has died",
        choices=("off", "optional", "required"),
    )
    session_expires_s: int = setting(1800, "session interval asked for", unit="s", low=90, high=86400)
    prack: str = setting(
        "optional",
        "reliable provisional responses (100rel, RFC 3262)",
        choices=("off", "optional", "required"),
    )
    stun_server: str = setting(
        "", "STUN server, host or host:port, to learn our public address from; empty: none"
    )
    ice: bool = setting(False, "ICE (RFC 8445) for the media's way through NAT")
    keep_alive_s: int = setting(
        15, "UDP: pause between packets that keep NAT's way open; 0: none", unit="s", low=0, high=3600
    )
    contact_rewrite: bool = setting(
        True, "give the address that the registrar sees us at as our Contact, for NAT"
    )


@dataclass(frozen=True, slots=True)
class TrunkSettings:
    """The SIP trunk."""

    mode: str = setting(
        "static",
        "static: calls to and from fixed peers; registered: we register",
        choices=("static", "registered"),
    )
    server: str = setting(
        "", "host or host:port of the trunk's registrar or proxy; empty: incoming calls only"
    )
    server2: str = setting(
        "", "second registrar, host or host:port, used while the first does not answer; empty: none"
    )
    transport: str = setting(
        "udp",
        "how the trunk is spoken to; tls: with its certificate checked always",
        choices=("udp", "tcp", "tls"),
    )
    srv: bool = setting(True, "look up SRV records (RFC 3263) where the server is a name without a port")
    nameservers: tuple[str, ...] = setting(
        (), "address or address:port of the DNS servers asked for SRV records; empty: the system's"
    )
    outbound_proxy: str = setting("", "host or host:port that every request is sent through; empty: none")
    tls_ca_file: str = setting(
        "", "PEM file of the certificate authorities trusted for the trunk; empty: the system's"
    )
    tls_certificate_file: str = setting("", "PEM file of our own certificate, where the trunk asks for one")
    tls_key_file: str = setting("", "PEM file of our certificate's private key")
    allow_old_tls: bool = setting(
        False, "use TLS even when the SIP stack has an OpenSSL that gets no security fixes any more"
    )
    srtp: str = setting(
        "auto",
        "encryption of the sound (SRTP, RFC 4568); auto: mandatory over TLS, otherwise off",
        choices=("auto", "off", "optional", "mandatory"),
    )
    domain: str = setting("", "SIP domain of our address; empty: the server's host")
    user: str = setting("desk", "our user name on the trunk")
    auth_user: str = setting("", "user name for digest authentication; empty: the user name")
    password: str = setting("", "password for digest authentication", secret=True)
    realm: str = setting("", "digest realm to answer to; empty: the domain")
    peers: tuple[str, ...] = setting(
        ("127.0.0.0/8",), "addresses or networks INVITEs are accepted from, besides the server's"
    )
    country: str = setting("CN", "country of the trunk, for its tones (ISO 3166-1 alpha-2)")
    register_expires_s: int = setting(300, "registration interval", unit="s", low=30, high=86400)
    retry_s: int = setting(
        30, "pause after a registration that failed for want of an answer", unit="s", low=1, high=1800
    )
    failover_s: float = setting(
        8.0,
        "with a second server: silence until the next one is tried, for registrations and for calls",
        unit="s",
        low=1.0,
        high=30.0,
    )
    check_s: float = setting(
        20.0,
        "with a second registrar: pause between checks that the one in use still answers",
        unit="s",
        low=1.0,
        high=3600.0,
    )


@dataclass(frozen=True, slots=True)
class HeadsetSettings:
    """The headset."""

    device: str = setting(
        "simulated",
        "sound device: simulated, usb (the first USB headset), usb:VVVV:PPPP (USB id), or an ALSA name "
        "such as default or plughw:CARD=H",
    )
    ear_db: float = setting(
        0.0, "volume of the ear, behind the limiter", unit="dB", low=-40.0, high=0.0, live=True
    )
    sidetone_db: float = setting(
        -60.0,
        "how much of the microphone the agent hears; -60: none, most headsets have their own",
        unit="dB",
        low=-60.0,
        high=-6.0,
        live=True,
    )
    ring_device: str = setting(
        "headset", "where it rings: headset, none, or a second sound device, named like the first"
    )
    ring_dbov: float = setting(
        -26.0, "level of an ordinary ring", unit="dBov", low=-60.0, high=-10.0, live=True
    )
    earcon_dbov: float = setting(
        -34.0,
        "level of the short sound that goes with a prompt, in the agent's ear only; -60: none",
        unit="dBov",
        low=-60.0,
        high=-10.0,
        live=True,
    )
    comfort_noise_dbov: float = setting(
        -60.0,
        "noise that the customer hears while the headset is gone",
        unit="dBov",
        low=-72.0,
        high=-40.0,
        live=True,
    )
    ear_record: bool = setting(True, "simulator: write what the agent hears to ear.wav")
    buttons: str = setting(
        "auto",
        "buttons and lamps: hidraw (a USB headset's), simulator, off; auto: as the sound's device is",
        choices=("auto", "hidraw", "simulator", "off"),
    )
    button_device: str = setting(
        "", "hidraw: USB id of the headset, vvvv:pppp; empty: that of device, else the first one with buttons"
    )
    button_family: str = setting(
        "jabra-link-380", "simulator: whose headset it behaves like (docs/headset.md)"
    )
    redial_button: bool = setting(True, "let the redial button call the number that was dialled last")


@dataclass(frozen=True, slots=True)
class AudioSettings:
    """What is done to the agent's voice on its way out, and to the customer's on its way in."""

    agc: bool = setting(True, "automatic gain control in the mouth path")
    agc_target_dbov: float = setting(
        -26.0, "active speech level aimed at", unit="dBov", low=-40.0, high=-16.0
    )
    agc_range_db: float = setting(15.0, "largest gain up or down", unit="dB", low=0.0, high=30.0)
    noise_gate: bool = setting(True, "mouth path: turn the background down by 12 dB in pauses")
    mouth_ceiling_dbov: float = setting(-3.0, "limiter of the mouth path", unit="dBov", low=-20.0, high=0.0)
    ear_ceiling_dbov: float = setting(-6.0, "limiter of the ear path", unit="dBov", low=-40.0, high=0.0)


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """The HTTP and WebSocket server."""

    host: str = setting("127.0.0.1", "address to listen on")
    port: int = setting(8080, "TCP port", low=1, high=65535)
    announce: str = setting(
        "auto",
        "let hosts find the appliance by mDNS; auto: when others than this machine are listened to",
        choices=("auto", "on", "off"),
    )
    allowed_hosts: tuple[str, ...] = setting(
        ("127.0.0.1", "localhost", "[::1]"), "values of the Host header that are served"
    )
    tls: str = setting(
        "off",
        "off: HTTP; own: HTTPS with a certificate that the unit makes itself; provided: with the files named",
        choices=("off", "own", "provided"),
    )
    tls_certificate: str = setting("", "PEM file of the provided certificate and its chain")
    tls_key: str = setting("", "PEM file of the provided certificate's key")
    metrics: str = setting(
        "token",
        "who reads /metrics: whoever has a token or session, or also whoever asks from the unit itself",
        choices=("token", "loopback"),
    )
    requests_per_s: float = setting(
        200.0, "requests of one address that are served; twice as many at once", low=1.0, high=100000.0
    )
    session_idle_h: float = setting(
        9.0, "a session that is not used for so long is over", unit="h", low=0.1, high=720.0
    )
    session_h: float = setting(
        24.0,
        "a session lasts so long at most; a token serves screens that stay on",
        unit="h",
        low=0.1,
        high=2160.0,
    )


@dataclass(frozen=True, slots=True)
class SerialSettings:
    """Serial consoles besides the pty ``console`` in the state folder."""

    devices: tuple[str, ...] = setting((), "serial ports to open, such as /dev/ttyAMA0")
    baud: int = setting(115200, "line speed", unit="Bd", low=300, high=4000000)
    lock: bool = setting(
        False,
        "every console answers only who it is until AT#LOGIN with the consoles' password; set that first, by "
        "AT#PASSWORD or thirdring-device console-password",
        live=True,
    )
    lock_idle_s: int = setting(
        900,
        "a console that was opened and has got no command for so long is locked again; 0: never",
        unit="s",
        low=0,
        high=86400,
        live=True,
    )


@dataclass(frozen=True, slots=True)
class RecordingSettings:
    """Recording of both directions into the folder recordings of the state folder."""

    enabled: bool = setting(
        False, "record each call (left agent, right customer); tell whom it concerns", live=True
    )
    format: str = setting(
        "wav",
        "wav: 16-bit PCM at 16 kHz, 230 MB an hour; opus: Opus in Ogg, by its bitrate",
        choices=("wav", "opus"),
        live=True,
    )
    opus_kbit_s: int = setting(
        64, "mean bitrate of Opus, both directions together", unit="kbit/s", low=24, high=256, live=True
    )
    encrypted: bool = setting(
        True, "seal recordings with the unit's key, the file recording.key of the state folder", live=True
    )
    announce: str = setting(
        "",
        "sound file that both sides hear after the answer, before recording begins, or beep; empty: none",
        live=True,
    )
    warning_tone: bool = setting(
        False, "both sides hear 1400 Hz for half a second every 15 s while the call is recorded", live=True
    )
    reserve_mb: int = setting(
        200,
        "room on the disk that recordings leave free; there they end",
        unit="MB",
        low=1,
        high=100000,
        live=True,
    )
    keep_days: int = setting(
        0, "recordings older than this are deleted; 0: kept for ever", unit="d", low=0, high=36500, live=True
    )
    max_gb: float = setting(
        0.0,
        "room for all recordings; beyond it the oldest are deleted; 0: no limit",
        unit="GB",
        low=0.0,
        high=100000.0,
        live=True,
    )
    when_full: str = setting(
        "stop",
        "when only the reserve is left: stop recording, or delete the oldest recordings first",
        choices=("stop", "delete_oldest"),
        live=True,
    )


@dataclass(frozen=True, slots=True)
class NormsSettings:
    """One section a norm family."""

    answer: AnswerSettings = field(default_factory=AnswerSettings)
    voice: VoiceSettings = field(default_factory=VoiceSettings)
    hold: HoldSettings = field(default_factory=HoldSettings)
    call: CallSettings = field(default_factory=CallSettings)
    returns: ReturnSettings = field(default_factory=ReturnSettings)
    notes: NotesSettings = field(default_factory=NotesSettings)
    outbound: OutboundSettings = field(default_factory=OutboundSettings)
    survey: SurveySettings = field(default_factory=SurveySettings)
    prompt: PromptSettings = field(default_factory=PromptSettings)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything; made by ``load_settings``."""

    sip: SipSettings = field(default_factory=SipSettings)
    trunk: TrunkSettings = field(default_factory=TrunkSettings)
    headset: HeadsetSettings = field(default_factory=HeadsetSettings)
    audio: AudioSettings = field(default_factory=AudioSettings)
    gateway: GatewaySettings = field(default_factory=GatewaySettings)
    serial: SerialSettings = field(default_factory=SerialSettings)
    hooks: HooksSettings = field(default_factory=HooksSettings)
    recording: RecordingSettings = field(default_factory=RecordingSettings)
    calls: CallsSettings = field(default_factory=CallsSettings)
    dialplan: DialPlanSettings = field(default_factory=DialPlanSettings)
    firm: FirmSettings = field(default_factory=FirmSettings)
    agent: AgentSettings = field(default_factory=AgentSettings)
    figures: FiguresSettings = field(default_factory=FiguresSettings)
    norms: NormsSettings = field(default_factory=NormsSettings)


def _sections(settings: Settings) -> Iterator[tuple[str, Any]]:
    """Yield ``(dotted name, section)`` of every section."""
    for outer in dataclasses.fields(settings):
        section = getattr(settings, outer.name)
        if isinstance(section, NormsSettings):
            for inner in dataclasses.fields(section):
                yield f"norms.{inner.name}", getattr(section, inner.name)
        else:
            yield outer.name, section


def _build(values: Mapping[str, Mapping[str, Any]]) -> Settings:
    """Build settings from ``{dotted section: {name: value}}``."""
    known = dict(_sections(Settings()))
    for name in values:
        if name not in known:
            raise error(5004, f"section [{name}]; known: {', '.join(known)}")
    built = {name: read_section(type(section), name, values.get(name, {})) for name, section in known.items()}
    norms = {name.partition(".")[2]: built.pop(name) for name in list(built) if name.startswith("norms.")}
    return Settings(norms=NormsSettings(**norms), **built)


def _nested(data: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a TOML document as ``{dotted section: {name: value}}``."""
    result: dict[str, dict[str, Any]] = {}
    for name, section in data.items():
        if not isinstance(section, Mapping):
            raise error(5004, f"{name} stands outside a section")
        if name == "norms":
            for family, inner in section.items():
                if not isinstance(inner, Mapping):
                    raise error(5004, f"norms.{family} stands outside a section")
                result[f"norms.{family}"] = dict(inner)
        else:
            result[name] = dict(section)
    return result


def load_settings(file: Path | None, state_dir: Path | None = None) -> Settings:
    """Read the settings file (TOML), then what was changed while running.

    Raises ``StorageError`` 5003 (cannot be read), 5004 (unknown name), 5005 (bad value).
    """
    data: Mapping[str, Any] = {}
    if file is not None:
        try:
            data = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as reason:
            raise error(5003, f"{file}: {reason}") from reason
    settings = _build(_nested(data))
    changes_file = state_dir / CHANGES_FILE if state_dir else None
    if changes_file is not None and changes_file.exists():
        try:
            changes = json.loads(changes_file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as reason:
            raise error(5003, f"{changes_file}: {reason}") from reason
        settings = changed(settings, changes)
    return settings


def changed(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """Return ``settings`` with ``changes`` (dotted name to value); all are checked before any counts."""
    values = {name: dataclasses.asdict(section) for name, section in _sections(settings)}
    for dotted, value in changes.items():
        section, _, name = dotted.rpartition(".")
        if section not in values:
            raise error(5004, dotted)
        values[section][name] = value
    return _build(values)


def save_changes(state_dir: Path, changes: Mapping[str, Any]) -> None:
    """Add ``changes`` to the state folder's file for good; raises ``StorageError`` 5006."""
    path = state_dir / CHANGES_FILE
    try:
        old = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        replace_file(path, json.dumps({**old, **changes}, indent=1) + "\n")
    except (OSError, ValueError) as reason:
        raise error(5006, f"{path}: {reason}") from reason


def setting_values(settings: Settings) -> dict[str, Any]:
    """Return every setting's value by its dotted name, passwords included."""
    return {
        f"{section_name}.{name}": getattr(section, name)
        for section_name, section in _sections(settings)
        for name in section_specs(type(section))
    }


def setting_descriptions(language: Literal["en", "zh"]) -> dict[str, str]:
    """Return what every setting means, by its dotted name, in one of the page's languages."""
    if language == "zh":
        text = files("thirdring_device").joinpath(CHINESE_FILE).read_text(encoding="utf-8")
        return dict(json.loads(text))
    return {view.name: view.description for view in setting_views(Settings())}


def secret_names() -> frozenset[str]:
    """Return the dotted names of the settings that are passwords."""
    return frozenset(
        f"{section_name}.{name}"
        for section_name, section in _sections(Settings())
        for name, (_, spec) in section_specs(type(section)).items()
        if spec.secret
    )


def setting_views(settings: Settings) -> tuple[SettingView, ...]:
    """Return every setting with its value, default, unit and bounds; secrets masked."""
    views = []
    for section_name, section in _sections(settings):
        for name, (default, spec) in section_specs(type(section)).items():
            value = getattr(section, name)
            views.append(
                SettingView(
                    name=f"{section_name}.{name}",
                    value="***" if spec.secret and value else value,
                    default=default,
                    unit=spec.unit,
                    low=spec.low,
                    high=spec.high,
                    choices=spec.choices,
                    live=spec.live,
                    description=spec.description,
                )
            )
    return tuple(views)
