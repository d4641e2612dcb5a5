"""Which transport an appliance's URL asks for."""

from pathlib import Path

from thirdring.protocol.errors import error
from thirdring.reconnect import Reconnect
from thirdring.transports.base import Transport

__all__ = ["pick_transport"]


def pick_transport(
    url: str,
    *,
    token: str | None,
    token_file: str | Path | None,
    timeout_s: float,
    reconnect: Reconnect,
) -> Transport:
    """Return the transport for ``http://HOST:PORT``, ``https://HOST`` or ``serial:/dev/NAME``; not yet open.

    Raises ``RequestError`` 1004 for any other URL, ``AccessError`` 6000 when ``token_file`` cannot be read.
    """
    if token is None:
        token = _read_token(Path(token_file)) if token_file else ""
    if url.startswith(("http://", "https://")):
        from thirdring.transports.http import HttpTransport

        return HttpTransport(url, token=token, timeout_s=timeout_s, reconnect=reconnect)
    if url.startswith("serial:"):
        from thirdring.transports.serial import SerialTransport

        return SerialTransport(url, password=token, timeout_s=timeout_s, reconnect=reconnect)
    raise error(1004, f"{url!r:.100} is neither http://HOST:PORT nor serial:/dev/NAME")


def _read_token(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as reason:
        raise error(6000, f"{path}: {reason}") from reason
