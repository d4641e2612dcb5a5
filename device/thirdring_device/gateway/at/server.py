"""All consoles of the appliance."""

import asyncio
import functools
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from thirdring_device.gateway.at.lock import PASSWORD_FILE, ConsoleLock
from thirdring_device.gateway.at.ports import serve_port, serve_pty
from thirdring_device.gateway.at.sources import Client, Reader
from thirdring_device.gateway.at.transcript import Transcript
from thirdring_device.gateway.at.watch import DeskWatch
from thirdring_device.settings import Settings

__all__ = ["serve_consoles"]

RETRY_S: Final = 5.0

logger = logging.getLogger(__name__)


async def serve_consoles(
    settings: Settings,
    state_dir: Path,
    client: Client,
    reader: Reader,
    settings_file: Path | None = None,
    transcript: Transcript | None = None,
) -> None:
    """Serve the pty ``state_dir/console`` and every port of ``settings.serial`` until cancelled.

    Neither the engine nor the journal need be there yet; commands that want them fail with their errors.
    """
    desk = DeskWatch(client, reader, settings)
    desk.state_dir, desk.settings_file = state_dir, settings_file
    desk.lock = ConsoleLock(state_dir / PASSWORD_FILE)
    desk.transcript = transcript or desk.transcript
    async with asyncio.TaskGroup() as consoles:
        consoles.create_task(_keep_up("watch", desk.run))
        consoles.create_task(_keep_up("pty", lambda: serve_pty(desk, state_dir)))
        for device in settings.serial.devices:
            baud = settings.serial.baud
            consoles.create_task(_keep_up(device, functools.partial(serve_port, desk, device, baud)))


async def _keep_up(name: str, serve: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Serve for ever: what goes wrong with one console is no business of the others."""
    while True:
        try:
            await serve()
        except Exception:
            logger.exception("console %s failed; again in %.0f s", name, RETRY_S)
        await asyncio.sleep(RETRY_S)
