"""All settings of the appliance, section by section, and the file they are read from."""

import dataclasses
import json
import logging
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

from thirdring.protocol.errors import ThirdringError, error
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
from thirdring_device.core.settings import Spec, read_section, section_specs, setting
from thirdring_device.durable import replace_file
from thirdring_device.hooks_settings import HooksSettings
from thirdring_device.sip_settings import SipSettings, TrunkSettings
from thirdring_device.sound_settings import AudioSettings, HeadsetSettings, RecordingSettings

__all__ = [
    "CHANGES_FILE",
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
"""In the state folder: what was changed while running, applied over the settings file."""

logger = logging.getLogger(__name__)


CHINESE_FILE: Final = "settings_zh.json"
"""Beside this file: what each setting means in Chinese; in English it stands with the setting itself."""


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
        settings = _with_kept(settings, changes)
    return settings


def _with_kept(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """Return ``settings`` with what was changed while running, as far as this version knows it.

    After an update was given up there may be names and values of the newer version: they stay in the file,
    and the unit starts without them.
    """
    try:
        return changed(settings, changes)
    except ThirdringError:
        for dotted, value in changes.items():
            try:
                settings = changed(settings, {dotted: value})
            except ThirdringError as reason:
                logger.error("a changed setting is left out: %s", reason)
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
    return _names(lambda spec: spec.secret)


def number_names() -> frozenset[str]:
    """Return the dotted names of the settings that are numbers calls are sent on to."""
    return _names(lambda spec: spec.number)


def _names(fits: Callable[[Spec], bool]) -> frozenset[str]:
    return frozenset(
        f"{section_name}.{name}"
        for section_name, section in _sections(Settings())
        for name, (_, spec) in section_specs(type(section)).items()
        if fits(spec)
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
