"""A wire that loses and delays packets on purpose: the kernel of a test machine may have no netem."""

import heapq
import itertools
import random
import selectors
import socket
import threading
import time
from typing import Self

from tests.peers import LOOPBACK

Address = tuple[str, int]


class UdpRelay:
    """What comes in at ``far`` goes out at ``near``, and the reverse; ``loss`` of it each way never arrives.

    Each packet takes a time drawn evenly from ``delay_ms``; where that varies, packets overtake each other.
    Either side is learned from what it sends; ``near_remote`` says where the near side listens.
    """

    def __init__(
        self,
        *,
        loss: float,
        seed: int,
        delay_ms: tuple[float, float] = (0.0, 0.0),
        near_remote: Address | None = None,
        host: str = LOOPBACK,
    ) -> None:
        self._host, self._loss, self._delay_ms = host, loss, delay_ms
        # Each way has its own chance, lest a packet more one way changes what the other way loses.
        self._chance = {side: random.Random(f"{seed} {side}") for side in ("near", "far")}
        self._sockets = {side: socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for side in ("near", "far")}
        self._remotes: dict[str, Address | None] = {"near": near_remote, "far": None}
        for sock in self._sockets.values():
            sock.bind((host, 0))
        self.near_port, self.far_port = (int(self._sockets[s].getsockname()[1]) for s in ("near", "far"))
        self.carried = {"near": 0, "far": 0}
        """Packets that came in at each side, the lost ones among them."""
        self.lost = {"near": 0, "far": 0}
        self._waiting: list[tuple[float, int, str, bytes]] = []
        self._numbers = itertools.count()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", (self._host, self.near_port))
        self._thread.join()
        for sock in self._sockets.values():
            sock.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for side, sock in self._sockets.items():
                selector.register(sock, selectors.EVENT_READ, side)
            while not self._stop.is_set():
                left_s = max(0.0, self._waiting[0][0] - time.monotonic()) if self._waiting else None
                for key, _ in selector.select(left_s):
                    self._take(key.data)
                while self._waiting and self._waiting[0][0] <= time.monotonic():
                    self._deliver(*heapq.heappop(self._waiting)[2:])

    def _take(self, side: str) -> None:
        data, address = self._sockets[side].recvfrom(65536)
        if not data:
            return
        self._remotes[side] = address
        self.carried[side] += 1
        if self._chance[side].random() < self._loss:
            self.lost[side] += 1
            return
        due_s = time.monotonic() + self._chance[side].uniform(*self._delay_ms) / 1000
        heapq.heappush(self._waiting, (due_s, next(self._numbers), side, data))

    def _deliver(self, side: str, data: bytes) -> None:
        other = "far" if side == "near" else "near"
        remote = self._remotes[other]
        if remote is not None:
            self._sockets[other].sendto(data, remote)
