"""The trunk's registrar, as small as can be: it takes every registration (RFC 3261 clause 10)."""

import contextlib
import secrets
import socket
import threading
import time
from types import TracebackType
from typing import Final, Self

from thirdring_hil.poll import poll
from thirdring_hil.sip import header, headers, message

__all__ = ["Registrar"]

EXPIRES_S: Final = 3600
LOOK_S: Final = 0.1


class Registrar:
    """Listens at ``address`` while the context is open."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sip.bind(address)
        self._sip.settimeout(LOOK_S)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="registrar", daemon=True)
        self.registered_s: list[float] = []
        """When registrations came, on ``time.monotonic``."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._thread.join()
        self._sip.close()

    def wait_for(self, since_s: float, timeout_s: float) -> float:
        """Return when the first registration since then came; raises ``TimeoutError``."""
        poll(lambda: any(at_s >= since_s for at_s in self.registered_s), "a registration", timeout_s)
        return next(at_s for at_s in self.registered_s if at_s >= since_s)

    def _serve(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError, ConnectionError):
                data, source = self._sip.recvfrom(65536)
                self._answer(data.decode(errors="replace"), source)

    def _answer(self, text: str, source: tuple[str, int]) -> None:
        method = text.partition(" ")[0]
        if method not in ("REGISTER", "OPTIONS"):
            return
        lines = ["SIP/2.0 200 OK"]
        for name in ("Via", "From", "To", "Call-ID", "CSeq"):
            tag = f";tag={secrets.token_hex(4)}" if name == "To" else ""
            lines += [f"{name}: {value}{tag}" for value in headers(text, name)]
        expires = header(text, "Expires") or str(EXPIRES_S)
        if method == "REGISTER":
            lines += [f"Contact: {contact}" for contact in headers(text, "Contact")]
            lines.append(f"Expires: {expires}")
            if expires != "0":
                self.registered_s.append(time.monotonic())
        self._sip.sendto(message(lines, "").encode(), source)
