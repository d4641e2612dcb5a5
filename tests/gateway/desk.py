"""A whole gateway on loopback in front of a fake engine with a real journal."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.gateway.fake_engine import UTC, FakeEngine
from thirdring.protocol.events import CallAnswered, CallEnded, CallIncoming, StrangerRefused, Verdict
from thirdring_device.adapters.store.journal import Journal
from thirdring_device.gateway.api.app import create_app
from thirdring_device.gateway.engine_client import COMMAND_TIMEOUT_S
from thirdring_device.gateway.hooks.hooks import GatewayClient, Hooks
from thirdring_device.gateway.journal import JournalView
from thirdring_device.gateway.main import Server, listen, server_config
from thirdring_device.settings import Settings

DEADLINE_S = 30.0


class Desk:
    """One state folder; its engine and its gateway may be stopped and started."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.journal = Journal(state_dir / "journal.sqlite3", now=lambda: UTC)
        self.engine = FakeEngine(state_dir / "engine.sock", self.journal)
        self.engine.handlers["get_state"] = lambda _: self.state()
        self.port = 0
        self.options: dict[str, Any] = {}
        self.command_timeout_s = COMMAND_TIMEOUT_S
        self.settings = Settings()

    def state(self) -> dict[str, Any]:
        return {
            "version": "0.1.0",
            "board": "simulator",
            "sip_stack": "2.15.1",
            "trunk": "static",
            "trunk_reason": "",
            "storage": "ok",
            "strangers_refused": 0,
            "calls": [],
            "last_event": self.journal.last_number,
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        return (self.state_dir / "api-token").read_text().strip()

    @contextlib.asynccontextmanager
    async def gateway(self) -> AsyncIterator[httpx.AsyncClient]:
        """Run the gateway, always on the same port; yield a client that has the token."""
        client = GatewayClient(self.engine.path, timeout_s=self.command_timeout_s)
        reader = JournalView(self.state_dir / "journal.sqlite3")
        client.hooks = Hooks(self.settings.hooks, self.state_dir, client, reader)
        app = create_app(self.settings, self.state_dir, client, reader, **self.options)
        listening = listen("127.0.0.1", self.port)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)
        self.port = listening.getsockname()[1]
        server = Server(server_config(app))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            headers = {"authorization": f"Bearer {self.token}"}
            async with httpx.AsyncClient(
                base_url=self.url, headers=headers, trust_env=False, timeout=DEADLINE_S
            ) as http:
                yield http
        finally:
            server.should_exit = True
            await serving
            listening.close()
            await client.close()
            reader.close()

    async def one_call(self, call_id: str = "c1") -> None:
        """A call with a verdict, from INVITE to end."""
        emit = self.engine.emit
        await emit(CallIncoming(at_s=1.0, call_id=call_id, number="13800138000", display_name="王女士"))
        await emit(CallAnswered(at_s=7.0, call_id=call_id))
        await emit(CallEnded(at_s=60.0, call_id=call_id, by="customer", cause="hangup"))
        await emit(
            Verdict(
                at_s=60.0,
                call_id=call_id,
                rule="answer.rings",
                verdict="met",
                value=2.0,
                unit="rings",
                threshold=3.0,
                measures={"rings_heard": 2.0},
                evidence=(1, 2),
            )
        )

    async def strangers(self, count: int) -> None:
        for number in range(count):
            await self.engine.emit(StrangerRefused(at_s=0.0, source="192.0.2.1", count=number))


D = TypeVar("D", bound=Desk)


def with_running(make: Callable[[], D], scenario: Callable[[D], Awaitable[None]]) -> None:
    """Run ``scenario`` with the desk that ``make`` returns: its engine is up and its gateway not yet."""

    async def main() -> None:
        desk = make()
        async with asyncio.timeout(DEADLINE_S):
            await desk.engine.start()
            try:
                await scenario(desk)
            finally:
                await desk.engine.stop()
                desk.journal.close()

    asyncio.run(main())


def at_the_desk(tmp_path: Path, scenario: Callable[[Desk], Awaitable[None]]) -> None:
    """Run ``scenario`` with a desk whose engine is up and whose gateway is not yet."""
    with_running(lambda: Desk(tmp_path), scenario)
