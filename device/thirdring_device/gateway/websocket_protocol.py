"""uvicorn's WebSocket protocol, taught to let go of a client that does not read."""

import asyncio
from typing import Final

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

__all__ = ["PatientProtocol"]

CLOSE_GRACE_S: Final = 5.0
"""What a client that is being closed may still take to read the reason."""


class PatientProtocol(WebSocketsSansIOProtocol):
    """Closes without waiting for room in the send buffer, and for good after ``CLOSE_GRACE_S``.

    uvicorn lets ``close`` wait until the client has read what was sent, which one that has stopped reading
    never does: the handler and the connection would stay for ever.
    """

    async def send(self, message: ASGISendEvent) -> None:
        """Send a message of the application; a close frame goes behind what is still unread."""
        if message["type"] == "websocket.close" and self.handshake_complete:
            self.writable.set()
            await super().send(message)
            self._abort_later()
        else:
            await super().send(message)

    def keepalive_timeout(self) -> None:
        """Give up a client that has not answered a ping."""
        super().keepalive_timeout()
        self._abort_later()

    def _abort_later(self) -> None:
        transport: asyncio.Transport = self.transport
        self.loop.call_later(CLOSE_GRACE_S, transport.abort)
