"""The two ways to an appliance: the tests of the SDK run once over each."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.gateway.desk import DEADLINE_S, Desk
from thirdring import Appliance, AsyncAppliance
from thirdring_device.gateway.at.ports import CONSOLE_LINK
from thirdring_device.gateway.at.server import serve_consoles
from thirdring_device.gateway.hooks.hooks import GatewayClient, Hooks
from thirdring_device.gateway.journal import JournalView

WAYS = ("http", "serial")
SOURCES = {"http": "http", "serial": "at"}
"""What the journal calls them."""


@dataclass(frozen=True)
class Way:
    """One way to the appliance with the state folder ``state_dir``."""

    name: str
    state_dir: Path
    http_port: int

    @property
    def url(self) -> str:
        if self.name == "http":
            return f"http://127.0.0.1:{self.http_port}"
        return f"serial:{self.state_dir / CONSOLE_LINK}"

    @property
    def source(self) -> str:
        return SOURCES[self.name]

    def appliance(self, **options: Any) -> Appliance:
        return Appliance(self.url, token_file=self.state_dir / "api-token", **options)

    def async_appliance(self, **options: Any) -> AsyncAppliance:
        return AsyncAppliance(self.url, token_file=self.state_dir / "api-token", **options)


class ConsoleDesk(Desk):
    """A played engine whose gateway serves HTTP and the console."""

    @contextlib.asynccontextmanager
    async def gateway(self) -> AsyncIterator[httpx.AsyncClient]:
        client = GatewayClient(self.engine.path, timeout_s=1.0)
        reader = JournalView(self.state_dir / "journal.sqlite3")
        client.hooks = Hooks(self.settings.hooks, self.state_dir, client, reader)
        consoles = asyncio.create_task(serve_consoles(self.settings, self.state_dir, client, reader))
        try:
            async with super().gateway() as http:
                while not (self.state_dir / CONSOLE_LINK).exists():
                    await asyncio.sleep(0.01)
                yield http
        finally:
            consoles.cancel()
            await asyncio.gather(consoles, return_exceptions=True)
            await client.close()
            reader.close()

    def way(self, name: str) -> Way:
        return Way(name, self.state_dir, self.port)


def at_the_desk(tmp_path: Path, scenario: Callable[[ConsoleDesk], Awaitable[None]]) -> None:
    """Run ``scenario`` with a desk whose gateway has been up once, so that its port is known."""

    async def main() -> None:
        desk = ConsoleDesk(tmp_path)
        async with asyncio.timeout(DEADLINE_S):
            await desk.engine.start()
            try:
                async with desk.gateway():
                    pass
                await scenario(desk)
            finally:
                await desk.engine.stop()
                desk.journal.close()

    asyncio.run(main())


@contextlib.contextmanager
def desk_in_background(tmp_path: Path) -> Iterator[tuple[ConsoleDesk, Callable[[Any], Any]]]:
    """A desk with gateway on another thread; yields it and a way to run its coroutines."""
    ready: Future[tuple[ConsoleDesk, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def scenario(desk: ConsoleDesk) -> None:
        async with desk.gateway():
            done = asyncio.Event()
            ready.set_result((desk, asyncio.get_running_loop(), done))
            await done.wait()

    thread = threading.Thread(target=at_the_desk, args=(tmp_path, scenario))
    thread.start()
    desk, loop, done = ready.result(timeout=20.0)
    try:
        yield desk, lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(timeout=20.0)
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
