"""Tells systemd that a service is ready and alive (``sd_notify(3)``); nothing where systemd does not ask."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable

__all__ = ["keep_alive", "notify"]


def notify(state: str) -> None:
    """Send ``state``, such as ``READY=1``, to whoever started the service."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # the abstract name space
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(address)
        sender.sendall(state.encode())


async def keep_alive(is_well: Callable[[], bool] = lambda: True) -> None:
    """Say that the loop turns, three times in each time that the watchdog allows, until cancelled.

    Nothing is said while ``is_well`` says no.
    """
    allowed_us = int(os.environ.get("WATCHDOG_USEC", "0"))
    while allowed_us:
        if is_well():
            notify("WATCHDOG=1")
        await asyncio.sleep(allowed_us / 3e6)
