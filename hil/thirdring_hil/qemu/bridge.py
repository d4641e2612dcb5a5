"""A Unix socket as a serial port: programs get a pty, which outlives the board's restarts."""

import contextlib
import os
import pty
import select
import socket
import threading
import tty
from pathlib import Path
from typing import Final

__all__ = ["PtyBridge"]

LOOK_S: Final = 0.05
"""How soon it is noticed that somebody has opened the port, or that the board is there."""
CHUNK: Final = 4096


class PtyBridge:
    """``console`` is a link to the pty. What comes while nobody has it open is lost, as on a cable."""

    def __init__(self, board: Path, console: Path) -> None:
        """``board``: the socket that QEMU listens on, whenever it runs."""
        self._board = board
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        console.symlink_to(os.ttyname(slave))
        os.close(slave)
        os.set_blocking(self._master, False)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="console of the board", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._closing.set()
        self._thread.join()
        os.close(self._master)

    def _run(self) -> None:
        while not self._closing.is_set():
            with socket.socket(socket.AF_UNIX) as board:
                try:
                    board.connect(str(self._board))
                except OSError:  # switched off
                    self._closing.wait(LOOK_S)
                    continue
                with contextlib.suppress(ConnectionError):
                    self._carry(board)

    def _is_open(self) -> bool:
        """Tell whether a program has the port open."""
        poll = select.poll()
        poll.register(self._master, 0)
        return not any(event & select.POLLHUP for _, event in poll.poll(0))

    def _carry(self, board: socket.socket) -> None:
        """Carry both ways until the board has gone."""
        to_host = b""
        while not self._closing.is_set():
            is_open = self._is_open()
            if not is_open:
                to_host = b""
            readers = [] if to_host else [board.fileno()]
            readers += [self._master] if is_open else []
            writers = [self._master] if to_host else []
            readable, writable, _ = select.select(readers, writers, [], LOOK_S)
            if board.fileno() in readable:
                data = board.recv(CHUNK)
                if not data:
                    return
                to_host = data if is_open else b""
            with contextlib.suppress(OSError):  # closed meanwhile
                if to_host and (self._master in writable or board.fileno() in readable):
                    to_host = to_host[os.write(self._master, to_host) :]
            if self._master in readable:
                with contextlib.suppress(OSError):
                    board.sendall(os.read(self._master, CHUNK))
