"""The gateway process: the HTTP server, the serial consoles and the web hooks, until SIGTERM."""

import asyncio
import contextlib
import logging
import signal
import socket
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI

from thirdring.protocol.errors import error
from thirdring_device.gateway.announce import announce, is_announced
from thirdring_device.gateway.api.app import VERSION, create_app
from thirdring_device.gateway.api.credentials import FIRST_PASSWORD_FILE
from thirdring_device.gateway.at.server import serve_consoles
from thirdring_device.gateway.at.transcript import Transcript
from thirdring_device.gateway.engine_client import ENGINE_SOCKET
from thirdring_device.gateway.first_password import show_password
from thirdring_device.gateway.hooks.hooks import GatewayClient, Hooks
from thirdring_device.gateway.journal import JOURNAL_FILE, JournalView
from thirdring_device.gateway.names import is_loopback
from thirdring_device.gateway.tls import fingerprint, server_tls
from thirdring_device.gateway.websocket_protocol import PatientProtocol
from thirdring_device.notify import keep_alive, notify
from thirdring_device.settings import GatewaySettings, Settings

__all__ = ["Server", "listen", "serve", "server_config"]

GRACEFUL_S: Final = 2
"""How long requests may go on after SIGTERM."""

UNREAD_S: Final = 30
"""A connection whose client takes nothing for so long is given up (TCP user time-out, RFC 5482)."""

SMALL_MESSAGE_BYTES: Final = 64 * 1024

logger = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """uvicorn without its own signal handlers, which end the process by the signal they caught."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to ``serve``."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """Return the listening socket; raises ``ApplianceError`` 7006 when the port is in use."""
    address = host.removeprefix("[").removesuffix("]")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # The protocol by name: asyncio turns Nagle's algorithm off (40 ms an answer) only where it reads TCP.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_S * 1000)
        listening.bind((address, port))
    except OSError as reason:
        listening.close()
        raise error(7006, f"{host}:{port}: {reason.strerror or reason}") from reason
    return listening


def server_config(app: FastAPI, tls: ssl.SSLContext | None = None) -> uvicorn.Config:
    """Return how uvicorn serves ``app``; without ``tls`` in clear."""
    return uvicorn.Config(
        app,
        ws=PatientProtocol,
        ws_max_size=SMALL_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        access_log=False,  # it would keep tokens that stand in a WebSocket's query
        log_config=None,
        log_level=logging.WARNING,
        server_header=False,
        timeout_graceful_shutdown=GRACEFUL_S,
        ssl_context_factory=None if tls is None else lambda *_: tls,
    )


def _show_first_password(state_dir: Path) -> None:
    """Print the technician's first password on the console, for as long as it has not been changed."""
    if (state_dir / FIRST_PASSWORD_FILE).exists():
        show_password(state_dir, reset=False)
        sys.stdout.flush()


def _show_tls(settings: GatewaySettings, state_dir: Path) -> None:
    """Print by what the unit's own certificate is known; warn when passwords cross the network in clear."""
    if settings.tls == "own":
        sys.stdout.write(f"SHA-256 fingerprint of the unit's certificate: {fingerprint(state_dir)}\n")
        sys.stdout.flush()
    elif settings.tls == "off" and not is_loopback(settings):
        logger.warning("passwords and calls' data cross the network in clear: set gateway.tls")


async def serve(settings: Settings, state_dir: Path, settings_file: Path | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then stop in order.

    Raises ``ApplianceError`` 7006 when the TCP port cannot be opened, 7007 when the certificate cannot be
    used, ``StorageError`` 5006 when the state
    folder cannot be used.
    """
    client = GatewayClient(state_dir / ENGINE_SOCKET)
    reader = JournalView(state_dir / JOURNAL_FILE)
    client.hooks = Hooks(settings.hooks, state_dir, client, reader)
    transcript = Transcript()
    app = create_app(settings, state_dir, client, reader, settings_file=settings_file, transcript=transcript)
    _show_first_password(state_dir)
    tls = server_tls(settings.gateway, state_dir)
    _show_tls(settings.gateway, state_dir)
    listening = listen(settings.gateway.host, settings.gateway.port)
    server = Server(server_config(app, tls))

    def stop() -> None:
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    consoles = serve_consoles(settings, state_dir, client, reader, settings_file, transcript)
    beside = [
        asyncio.create_task(consoles, name="consoles"),
        asyncio.create_task(client.hooks.run(), name="web hooks"),
        asyncio.create_task(keep_alive(), name="watchdog"),
    ]
    if is_announced(settings.gateway):
        beside.append(asyncio.create_task(announce(settings.gateway, VERSION), name="mDNS"))
    try:
        notify("READY=1")
        await server.serve(sockets=[listening])
    finally:
        notify("STOPPING=1")
        for task in beside:
            task.cancel()
        for outcome in await asyncio.gather(*beside, return_exceptions=True):
            if isinstance(outcome, Exception):
                logger.error("beside the server: %s", outcome)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        listening.close()
        await client.close()
        reader.close()
