"""Real SIP peers on loopback for tests: SIPp, baresip, Kamailio. Nothing here sleeps and hopes."""

import contextlib
import json
import os
import random
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.certificates import Certificate

LOOPBACK = "127.0.0.1"
SCENARIOS = Path(__file__).parent / "adapters" / "sipp"
POLL_S = 0.02
LOWEST_PORT, PORTS, PORT_ROOM, PORT_RANGES = 10_000, 5_000, 40, 4  # the kernel lends from 32768 on
PASSWORD = "right"  # noqa: S105 - of a registrar that lives for one test


def _ports() -> Iterator[int]:
    """Yield the ports of this process in turn, each with room above it, from a random place on."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % PORT_RANGES
    place = random.SystemRandom().randrange(0, PORTS, PORT_ROOM)
    while True:
        yield LOWEST_PORT + worker * PORTS + place
        place = (place + PORT_ROOM) % PORTS


_PORTS = _ports()


def free_port() -> int:
    """Return a port that is free on loopback, UDP and TCP, as are the three above it.

    They are for RTCP, SIP over TLS and SIPp's second stream. The port lies below those that the kernel
    lends to whoever asks for any, in a range of its own for each process of a run in parallel, and comes
    again only after all others: nobody takes it before its user does, and no two users are neighbours.
    """
    while True:
        port = next(_PORTS)
        with contextlib.ExitStack() as stack:
            try:
                for offset in range(4):
                    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                        probe = stack.enter_context(socket.socket(socket.AF_INET, kind))
                        probe.bind((LOOPBACK, port + offset))
            except OSError:
                continue
            return port


def wait_until(condition: Callable[[], object], what: str, timeout_s: float = 10.0) -> None:
    """Wait for ``condition``; AssertionError naming ``what`` when it does not come true in time."""
    deadline_s = time.monotonic() + timeout_s
    never = threading.Event()
    while not condition():
        if time.monotonic() > deadline_s:
            raise AssertionError(f"{what}: not within {timeout_s} s")
        never.wait(POLL_S)


def port_is_taken(port: int, kind: socket.SocketKind = socket.SOCK_DGRAM) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False


class Peer:
    """A child process that is ended when the context is left."""

    process: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            Peer.stop(self)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class SippPeer(Peer):
    """SIPp with one of the scenarios in ``tests/adapters/sipp`` (or a path of one's own).

    ``target`` (``host:port``) for a calling scenario, ``None`` for one that waits for calls. ``keys`` fill
    ``[name]`` in the scenario, and ``@name@`` where SIPp wants a literal. ``wait`` returns once all calls
    of the scenario went as it says.
    """

    def __init__(
        self,
        scenario: str | Path,
        directory: Path,
        *,
        target: str | None = None,
        port: int | None = None,
        number: str = "100",
        calls: int = 1,
        rate: float = 10.0,
        hold_ms: int = 300,
        keys: Mapping[str, str] | None = None,
        rtp_echo: bool = False,
        extra: Iterable[str] = (),
        host: str = LOOPBACK,
        tcp: bool = False,
    ) -> None:
        self.port = port or free_port()
        self._kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
        self.media_port = free_port()
        self._directory = directory
        source = scenario if isinstance(scenario, Path) else SCENARIOS / f"{scenario}.xml"
        text = source.read_text(encoding="utf-8")
        for name, value in (keys or {}).items():
            text = text.replace(f"@{name}@", value)
        self._scenario = directory / f"{self.port}-{source.name}"
        self._scenario.write_text(text, encoding="utf-8")
        self._errors = directory / f"sipp-{self.port}.err"
        self._calling = target is not None
        self._command = [
            *("sipp", "-sf", str(self._scenario), "-i", host, "-p", str(self.port)),
            *("-mi", host, "-mp", str(self.media_port), "-s", number, "-nostdin"),
            *("-d", str(hold_ms)),
            *("-m", str(calls), "-r", str(rate), "-trace_err", "-error_file", str(self._errors)),
            *("-timeout", "60s", "-timeout_error", *extra),
        ]
        for name, value in (keys or {}).items():
            self._command += ["-key", name, value]
        if rtp_echo:
            self._command.append("-rtp_echo")
        if tcp:
            self._command += ["-t", "t1"]
        if target is not None:
            self._command.append(target)

    def start(self) -> None:
        output = self._directory / f"sipp-{self.port}.out"
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                self._command, cwd=self._directory, stdout=file, stderr=subprocess.STDOUT
            )
        if not self._calling:
            wait_until(lambda: port_is_taken(self.port, self._kind), "SIPp listens")

    def wait(self, timeout_s: float = 20.0) -> None:
        """Wait until the scenario is through; AssertionError with SIPp's own words otherwise."""
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            code = -1
        if code != 0:
            words = self._errors.read_text(errors="replace") if self._errors.exists() else ""
            raise AssertionError(f"SIPp {self._scenario.name} ended with {code}: {words[:3000]}")


class BaresipPeer(Peer):
    """A baresip whose microphone is ``speaks`` (a WAV file, once) and whose ear goes to ``heard``.

    ``srtp`` is baresip's ``mediaenc``: ``srtp`` offers encryption, ``srtp-mand`` insists on it.
    With ``proxy`` (``host:port``) it registers there and calls through it, with digest authentication.
    It is driven over its ctrl_tcp interface; what it reports is collected in ``events``.
    """

    def __init__(
        self,
        directory: Path,
        *,
        speaks: Path,
        user: str = "customer",
        answers: bool = True,
        codec: str = "PCMA",
        port: int | None = None,
        proxy: str = "",
        srtp: str = "",
    ) -> None:
        self.port = port or free_port()
        self.events: list[dict[str, Any]] = []
        self._control_port = free_port()
        self._directory = directory / f"baresip-{self.port}"
        self._speaks = speaks
        rate_hz = {"G722": "16000/1", "opus": "48000/2"}.get(codec, "8000/1")
        self._account = (
            f"<sip:{user}@{proxy or f'{LOOPBACK}:{self.port}'}>;audio_codecs={codec}/{rate_hz}"
            f";answermode={'auto' if answers else 'manual'}"
            + (f";mediaenc={srtp}" if srtp else "")
            + (f";auth_user={user};auth_pass={PASSWORD};regint=60" if proxy else ";regint=0")
        )
        self._socket: socket.socket
        self._reader: threading.Thread

    def start(self) -> None:
        self._directory.mkdir()
        rtp_port = free_port()
        module_path = next(p for p in (Path("/usr/lib/baresip/modules"),) if p.is_dir())
        modules = [
            *("account", "menu", "g711", "g722", "opus", "srtp"),
            *("aufile", "aubridge", "sndfile", "uuid", "ctrl_tcp"),
        ]
        (self._directory / "accounts").write_text(self._account + "\n")
        (self._directory / "contacts").write_text("")
        (self._directory / "config").write_text(
            f"sip_listen {LOOPBACK}:{self.port}\n"
            f"audio_source aufile,{self._speaks}\n"
            "audio_player aubridge,ear\n"
            "audio_alert aubridge,bell\n"
            f"snd_path {self._directory}\n"
            f"rtp_ports {rtp_port}-{rtp_port + 20}\n"
            f"ctrl_tcp_listen {LOOPBACK}:{self._control_port}\n"
            f"module_path {module_path}\n"
            + "".join(f"module{'_app' if m in APPS else ''} {m}.so\n" for m in modules)
        )
        with (self._directory / "out").open("wb") as file:
            self.process = subprocess.Popen(
                ["baresip", "-4", "-f", str(self._directory)], stdout=file, stderr=subprocess.STDOUT
            )
        wait_until(self._connect, "baresip's control port answers")
        wait_until(lambda: port_is_taken(self.port), "baresip listens")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def stop(self) -> None:
        super().stop()
        self._socket.close()
        self._reader.join()

    @property
    def heard(self) -> Path:
        """The sound that arrived in the last call; complete when the peer is stopped."""
        return max(self._directory.glob("dump-*-dec.wav"))

    def dial(self, uri: str) -> None:
        self.command("dial", uri)

    def hang_up(self) -> None:
        self.command("hangup")

    def send_digits(self, digits: str) -> None:
        self.command("sndcode", digits)

    def command(self, command: str, params: str = "") -> None:
        data = json.dumps({"command": command, "params": params, "token": ""}).encode()
        self._socket.sendall(f"{len(data)}:".encode() + data + b",")

    def wait_for(self, kind: str, timeout_s: float = 10.0, **fields: Any) -> None:
        """Wait for an event such as ``CALL_ESTABLISHED``."""
        wanted = {"type": kind, **fields}.items()
        wait_until(lambda: any(wanted <= self._flat(e) for e in self.events), f"baresip {kind}", timeout_s)

    @staticmethod
    def _flat(event: dict[str, Any]) -> Any:
        return {name: value for name, value in event.items() if isinstance(value, str)}.items()

    def _connect(self) -> bool:
        try:
            self._socket = socket.create_connection((LOOPBACK, self._control_port), timeout=5)
        except ConnectionRefusedError:
            return False
        self._socket.settimeout(None)
        return True

    def _read(self) -> None:
        buffer = b""
        while True:
            try:
                chunk = self._socket.recv(65536)
            except OSError:
                return
            if not chunk:
                return
            buffer += chunk
            while (match := re.match(rb"(\d+):", buffer)) and len(buffer) > match.end() + int(match[1]):
                end = match.end() + int(match[1])
                self.events.append(json.loads(buffer[match.end() : end]))
                buffer = buffer[end + 1 :]


APPS = ("account", "menu", "ctrl_tcp")

KAMAILIO_CONFIG = """\
debug=2
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
listen=udp:{host}:{port}
listen=tcp:{host}:{port}
{tls}
loadmodule "kex.so"
loadmodule "corex.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
loadmodule "auth.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
modparam("usrloc", "db_mode", 0)
modparam("registrar", "default_expires", 300)
modparam("auth", "nonce_expire", 30)
modparam("auth", "algorithm", "{algorithm}")
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
    if (is_method("REGISTER")) {{
        xlog("L_NOTICE", "REGISTER expires=$hdr(Expires)\\n");
        if (!pv_www_authenticate("{realm}", "{password}", "0")) {{ www_challenge("{realm}", "0"); exit; }}
        xlog("L_NOTICE", "REGISTERED $au\\n");
        save("location");
        exit;
    }}
    if (has_totag()) {{
        if (loose_route() || is_method("ACK")) {{ t_relay(); exit; }}
        sl_send_reply("404", "Not Here");
        exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    if ({challenge} && !pv_proxy_authenticate("{realm}", "{password}", "0")) {{
        proxy_challenge("{realm}", "0");
        exit;
    }}
    record_route();
    if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
    t_relay();
}}
"""


class KamailioRegistrar(Peer):
    """A registrar with digest authentication that also routes calls to who registered.

    With ``challenge`` callers, too, must authenticate. It listens on UDP and TCP ``port``, and with a
    ``certificate`` on ``tls_port``, there with ``client_authority`` only to whom that has signed. It may be
    stopped and started again.
    """

    def __init__(
        self,
        directory: Path,
        *,
        realm: str = LOOPBACK,
        password: str = PASSWORD,
        challenge: bool = False,
        algorithm: str = "MD5",
        certificate: Certificate | None = None,
        client_authority: Path | None = None,
        port: int | None = None,
    ) -> None:
        self._challenge = challenge
        self._client_authority = client_authority
        self._algorithm = "" if algorithm == "MD5" else algorithm
        self._certificate = certificate
        self.port = port or free_port()
        self.tls_port = free_port()
        self.tls_server = f"{LOOPBACK}:{self.tls_port}"
        self.server = f"{LOOPBACK}:{self.port}"
        self._directory = directory / f"kamailio-{self.port}"
        self._realm, self._password = realm, password

    def start(self) -> None:
        self._directory.mkdir(exist_ok=True)
        config = self._directory / "kamailio.cfg"
        config.write_text(
            KAMAILIO_CONFIG.format(
                host=LOOPBACK,
                port=self.port,
                realm=self._realm,
                password=self._password,
                challenge=int(self._challenge),
                algorithm=self._algorithm,
                tls=self._tls(),
            )
        )
        kamailio = shutil.which("kamailio") or "/usr/sbin/kamailio"
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(kamailio, "-f", str(config), "-DD", "-E", "-m", "32", "-M", "4"),
                    *("-Y", str(self._directory), "-P", str(self._directory / "pid")),
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_until(lambda: answers_options(self.port), "Kamailio answers", 20)

    def _tls(self) -> str:
        if self._certificate is None:
            return ""
        return (
            f"enable_tls=yes\nlisten=tls:{LOOPBACK}:{self.tls_port}\n"
            'loadmodule "tls.so"\n'
            'modparam("tls", "tls_method", "TLSv1.2+")\n'
            f'modparam("tls", "certificate", "{self._certificate.file}")\n'
            f'modparam("tls", "private_key", "{self._certificate.key}")\n'
            + (
                f'modparam("tls", "ca_list", "{self._client_authority}")\n'
                'modparam("tls", "verify_certificate", 1)\nmodparam("tls", "require_certificate", 1)\n'
                if self._client_authority is not None
                else ""
            )
        )

    @property
    def log_path(self) -> Path:
        return self._directory / "log"

    def registers(self) -> tuple[int, int]:
        """Return how many REGISTERs came, and how many of them were accepted."""
        log = self.log_path.read_text(errors="replace")
        return len(re.findall(r"REGISTER expires=", log)), len(re.findall(r"REGISTERED ", log))


def answers_options(port: int) -> bool:
    """Return whether a SIP server on loopback answers an OPTIONS."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.2)
        sock.connect((LOOPBACK, port))
        ours = sock.getsockname()[1]
        sock.send(
            f"OPTIONS sip:{LOOPBACK}:{port} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {LOOPBACK}:{ours};branch=z9hG4bK{ours}{time.monotonic_ns()}\r\n"
            f"From: <sip:probe@{LOOPBACK}>;tag=1\r\nTo: <sip:{LOOPBACK}:{port}>\r\n"
            f"Call-ID: probe{time.monotonic_ns()}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 5\r\n"
            "Content-Length: 0\r\n\r\n".encode()
        )
        try:
            return sock.recv(4096).startswith(b"SIP/2.0")
        except (TimeoutError, ConnectionRefusedError):
            return False
