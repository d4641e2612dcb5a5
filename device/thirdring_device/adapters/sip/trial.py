"""One try of a trunk whose settings are not in use, in a process of its own (``python -m``, JSON in and out).

A process of its own has the stack to itself: names that are looked up for seconds, certificates of another
authority or a stack that dies reach no call. It leaves nothing behind at the registrar: its REGISTER asks
for the expiry 0 of a contact that was never bound, which is challenged and answered like any other and
changes no binding, not even where a user may have one only (RFC 3261, 10.2.2 and 10.3). A static trunk is
asked with OPTIONS (RFC 3261, 11).
"""

import dataclasses
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import pjsua2 as pj

from thirdring.protocol.errors import ThirdringError, error
from thirdring.protocol.views import TrunkTrial
from thirdring_device.adapters.sip.endpoint import EndpointOwner
from thirdring_device.adapters.sip.guard import explain, guarded
from thirdring_device.adapters.sip.servers import Server, ServerLookup, parse_server
from thirdring_device.adapters.sip.trunk import ENOTSUP, REALM, account_config, our_domain
from thirdring_device.settings import Settings
from thirdring_device.sip_settings import SipSettings, TrunkSettings

__all__ = ["judged", "trial_input", "try_trunk"]

ANSWER_S: Final = 12.0
"""For the answer, challenge included: the TLS handshake alone may take 10 s; without TLS 8 s are left."""
PLAIN_ANSWER_S: Final = 8.0
CLOSED_PORT_S: Final = 0.4
POLL_MS: Final = 20
NICENESS: Final = 10
"""Below everything: the engine, which starts us, goes before others for the sake of its calls."""
DEFAULT_PORTS: Final = {"udp": 5060, "tcp": 5060, "tls": 5061}
_KEPT: Final[list[Any]] = []
"""The stack's objects, until the process ends: one that is collected takes leave of the registrar."""
BY_STATUS: Final = {401: 3002, 407: 3002, 403: 3007, 404: 3008, 408: 3003}


def trial_input(settings: Settings) -> str:
    """Return what the process reads from its standard input; it holds the password."""
    return json.dumps({"sip": dataclasses.asdict(settings.sip), "trunk": dataclasses.asdict(settings.trunk)})


def _settings(text: str) -> Settings:
    def section(cls: type[Any], values: Mapping[str, Any]) -> Any:
        return cls(
            **{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
        )

    data = json.loads(text)
    sip = dataclasses.replace(section(SipSettings, data["sip"]), port=0, tls_port=0)
    return Settings(sip=sip, trunk=section(TrunkSettings, data["trunk"]))


def judged(
    settings: Settings, server: str, sip_code: int, phrase: str, status: int, message: str, certificate: str
) -> TrunkTrial:
    """Say what an answer to our REGISTER means. Pure.

    ``message`` is the answer, empty when the stack itself gave up, ``status`` then why; ``certificate`` what
    was wrong with the trunk's.
    """
    code, detail, realm = BY_STATUS.get(sip_code, 3012), f"{sip_code} {phrase}".strip(), ""
    if message and 200 <= sip_code < 300:
        code, detail = 0, ""
    elif message and sip_code in (401, 407):
        asked = REALM.search(message.partition("\r\n\r\n")[0])
        ours = settings.trunk.realm or our_domain(settings)
        if status == ENOTSUP:
            code = 3015
        elif asked is not None and asked[1] != ours:
            code, realm, detail = 3014, asked[1][:80], f"{asked[1]!r:.80}, and ours is {ours!r:.80}"
        elif not settings.trunk.password:
            detail = "no password is set"
    elif not message:
        if certificate:
            code, detail = 3010, certificate
        elif sip_code == 503 and settings.trunk.transport == "tls":
            code = 3011  # it let us connect, and then did not speak TLS
        else:
            code = 3003
    return TrunkTrial(
        code=code, sip_code=sip_code if message else 0, detail=detail, server=server, realm=realm
    )


def _looked_up(settings: Settings) -> tuple[Server, str, int]:
    """Return the registrar, and address and port of what is asked first; raises ``TrunkError`` 3009."""
    trunk = settings.trunk
    lookup = ServerLookup(trunk)
    lookup.look()
    if not lookup.servers:
        raise error(3000, "trunk.server is not set")
    server = lookup.servers[0]
    first = parse_server(trunk.outbound_proxy, "trunk.outbound_proxy") if trunk.outbound_proxy else server
    port = first.port or DEFAULT_PORTS[trunk.transport]
    try:
        found = socket.getaddrinfo(first.host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as reason:
        raise error(3009, f"{first.host}: {reason}") from reason
    return server, str(found[0][4][0]), port


def _is_closed(address: str, port: int, transport: str) -> bool:
    """Return whether the other machine says that nothing listens at a port.

    Over UDP the keep-alive of RFC 5626, 3.5.1 is sent, which a SIP server answers by two bytes or not at all.
    """
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind) as probe:
        probe.settimeout(CLOSED_PORT_S)
        try:
            probe.connect((address, port))
            if transport == "udp":
                probe.send(b"\r\n\r\n")
                probe.recv(16)
        except ConnectionRefusedError:
            return True
        except OSError:  # silence, or no way there: the stack will say
            return False
    return False


class _Account(pj.Account):  # type: ignore[misc]
    """Hands the outcome on: code, phrase, status and the answer's text."""

    def __init__(self, told: Callable[[int, str, int, str], None]) -> None:
        super().__init__()
        self._told = told

    @guarded
    def onRegState(self, prm: Any) -> None:  # noqa: N802
        self._told(prm.code, prm.reason, prm.status, prm.rdata.wholeMsg)

    @guarded
    def onSendRequest(self, prm: Any) -> None:  # noqa: N802
        state = prm.e.body.tsxState
        tsx = state.tsx
        if tsx.statusCode >= 200:
            heard = state.type == pj.PJSIP_EVENT_RX_MSG
            # Whatever a static trunk says to OPTIONS: it is there.
            message = state.src.rdata.wholeMsg if heard else ""
            self._told(200 if heard else tsx.statusCode, tsx.statusText, 0, message)


def _config(settings: Settings, server: Server) -> Any:
    trunk = settings.trunk
    config = account_config(settings, server)
    config.natConfig.contactRewriteUse = config.natConfig.viaRewriteUse = 0
    if trunk.mode == "registered":
        config.sipConfig.contactParams = ";expires=0"
    return config


def _asked(settings: Settings, server: Server) -> TrunkTrial:
    answers: list[tuple[int, str, int, str]] = []
    endpoint = EndpointOwner(settings)
    account = _Account(lambda *answer: answers.append(answer))
    _KEPT.extend((endpoint, account))
    try:
        account.create(_config(settings, server))
        if settings.trunk.mode == "registered":
            account.setRegistration(True)
        else:
            request = pj.SendRequestParam()
            request.method = "OPTIONS"
            request.txOption.targetUri = server.uri(settings.trunk.transport)
            account.sendRequest(request)
    except pj.Error as failure:
        return TrunkTrial(code=3012, detail=explain(failure), server=str(server))
    wait_s = ANSWER_S if settings.trunk.transport == "tls" else PLAIN_ANSWER_S
    deadline_s = time.monotonic() + wait_s
    while not answers and time.monotonic() < deadline_s:
        endpoint.handle_events(POLL_MS)
    if not answers:
        return TrunkTrial(code=3003, server=str(server))
    return judged(settings, str(server), *answers[0], endpoint.tls_failures.take())


def try_trunk(settings: Settings) -> TrunkTrial:
    """Ask the trunk's first server and say what came of it; takes up to 20 s. Once in a process."""
    try:
        server, address, port = _looked_up(settings)
        if _is_closed(address, port, settings.trunk.transport):
            return TrunkTrial(code=3011, server=str(server))
        return _asked(settings, server)
    except ThirdringError as reason:
        return TrunkTrial(code=reason.code, detail=reason.detail, server=settings.trunk.server)


def main() -> None:
    """Read the settings, try them, write the outcome."""
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    begin_s = time.monotonic()
    found = try_trunk(_settings(sys.stdin.read()))
    outcome = {**dataclasses.asdict(found), "took_s": round(time.monotonic() - begin_s, 2)}
    sys.stdout.write(json.dumps(outcome) + "\n")
    sys.stdout.flush()
    os._exit(0)  # the stack would take leave of a registration that there never was


if __name__ == "__main__":
    main()
