"""The terminals consoles run on: a pty of our own, and serial ports."""

import asyncio
import contextlib
import logging
import os
import select
import termios
import tty
from pathlib import Path
from typing import Final

import serial

from thirdring_device.gateway.at.console import converse
from thirdring_device.gateway.at.session import Session
from thirdring_device.gateway.at.stream import FdStream
from thirdring_device.gateway.at.watch import DeskWatch

__all__ = ["CONSOLE_LINK", "serve_port", "serve_pty"]

CONSOLE_LINK: Final = "console"
"""Name of the link in the state folder."""

LOOK_S: Final = 0.05
"""How often we look whether somebody has opened the pty; there is no event for it."""
RETRY_FIRST_S: Final = 0.5
RETRY_LAST_S: Final = 10.0

logger = logging.getLogger(__name__)


async def serve_pty(desk: DeskWatch, state_dir: Path) -> None:
    """Serve the console ``state_dir/console`` for ever; clients come and go, the session stays."""
    master, slave = os.openpty()
    link = state_dir / CONSOLE_LINK
    name = os.ttyname(slave)
    tty.setraw(slave)
    os.close(slave)
    stream = FdStream(master)
    stream.mute()
    session = Session(desk, stream)
    _replace_link(link, name)
    try:
        while True:
            _make_ready(name)
            while _nobody_there(master):
                if termios.tcgetattr(master)[3] & (termios.ICANON | termios.ECHO):
                    _make_ready(name)  # somebody was here between two looks
                await asyncio.sleep(LOOK_S)
            stream.unmute()
            await converse(session, stream)
    finally:
        with contextlib.suppress(OSError):
            if str(link.readlink()) == name:
                link.unlink()
        session.close()
        stream.detach()
        os.close(master)


def _replace_link(link: Path, target: str) -> None:
    """Point ``link`` at ``target`` in one step, whatever was there."""
    new = link.with_name(f".{link.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)


def _make_ready(name: str) -> None:
    """Make the pty raw again and drop what the last client did not read."""
    slave = os.open(name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        tty.setraw(slave, termios.TCSANOW)
        termios.tcflush(slave, termios.TCIFLUSH)
    finally:
        os.close(slave)


def _nobody_there(master: int) -> bool:
    """Whether no client has the pty open and none has left anything to read."""
    poll = select.poll()
    poll.register(master, select.POLLIN)
    events = dict(poll.poll(0)).get(master, 0)
    return bool(events & select.POLLHUP) and not events & select.POLLIN


def _tell_nothing_from_the_end(fd: int) -> None:
    """Let a read without data say EAGAIN: under pyserial's VMIN 0 it looks like a port that has gone."""
    attributes = termios.tcgetattr(fd)
    attributes[6][termios.VMIN] = 1
    termios.tcsetattr(fd, termios.TCSANOW, attributes)


async def serve_port(desk: DeskWatch, device: str, baud: int) -> None:
    """Serve a console on a serial port for ever; a port that vanishes is opened again when it is back."""
    session: Session | None = None
    pause_s = RETRY_FIRST_S
    try:
        while True:
            try:
                port = serial.Serial(device, baud, timeout=0, exclusive=True)
            except (OSError, ValueError) as reason:
                logger.warning("%s: %s; again in %.1f s", device, reason, pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, RETRY_LAST_S)
                continue
            pause_s = RETRY_FIRST_S
            with port:
                _tell_nothing_from_the_end(port.fileno())
                stream = FdStream(port.fileno())
                if session is None:
                    session = Session(desk, stream, device)
                session.attach(stream)
                try:
                    await converse(session, stream)
                except OSError as reason:
                    logger.warning("%s: %s", device, reason)
                finally:
                    stream.detach()
            await asyncio.sleep(pause_s)
    finally:
        if session is not None:
            session.close()
