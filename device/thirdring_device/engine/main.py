"""The engine's process."""

import asyncio
import gc
import logging
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from thirdring_device.adapters.board.choose import make_board
from thirdring_device.adapters.calendar import holiday
from thirdring_device.adapters.headset.choose import make_headset
from thirdring_device.adapters.hid.choose import make_buttons
from thirdring_device.engine.engine import Engine
from thirdring_device.engine.server import serve_engine
from thirdring_device.notify import keep_alive, notify
from thirdring_device.settings import Settings

__all__ = ["run_engine"]

log = logging.getLogger(__name__)

NICENESS: Final = -10
"""The gateway and whatever else runs here must not make a frame late."""
SWITCH_INTERVAL_S: Final = 0.0005
"""How long a thread may keep the interpreter when the sound thread wants it; Python's default is 5 ms."""


def _raise_priority() -> None:
    """Go before everything that can wait, where the system allows it; threads made later inherit this."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    except OSError as reason:
        log.info("the engine runs at ordinary priority: %s", reason)


async def run_engine(settings: Settings, state_dir: Path, board_name: str) -> bool:
    """Run until SIGTERM or SIGINT, or until it is to be started anew (returns True).

    Raises ``ThirdringError`` when it cannot start.
    """
    board = make_board(board_name, state_dir)
    _raise_priority()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    again = False

    def restart() -> None:
        nonlocal again
        again = True
        stop.set()

    headset = make_headset(settings.headset, state_dir)
    buttons = make_buttons(settings.headset)
    engine = Engine(settings, state_dir, board, headset, buttons, restart)
    await engine.start()
    socket = state_dir / "engine.sock"
    server = await serve_engine(engine, socket)
    gc.collect()
    gc.freeze()
    log.info("engine ready: SIP on port %d", settings.sip.port)
    notify("READY=1")
    alive = asyncio.create_task(keep_alive(engine.is_well), name="watchdog")
    home = settings.dialplan.country or settings.trunk.country
    # Read beside the loop: the first number dialled would else stop it for a fifth of a second, on a
    # slow board until the watchdog bites.
    calendar = asyncio.create_task(
        asyncio.to_thread(holiday, home, datetime.now(UTC).date()), name="calendar"
    )
    try:
        await stop.wait()
    finally:
        if not again:  # the service goes on, and its watchdog with it
            alive.cancel()
            notify("STOPPING=1")
        server.close()
        socket.unlink(missing_ok=True)
        await asyncio.wait([calendar])
        await engine.stop("restart" if again else "signal")
    return again
