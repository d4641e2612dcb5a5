"""Web hooks on a played engine with a real journal, and a real server that they post to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.gateway.desk import Desk, with_running
from tests.receiver import Receiver
from thirdring.protocol.events import CallAnswered, CallIncoming
from thirdring.protocol.views import HookView
from thirdring_device.gateway.hooks.hooks import SECRET_FILE, GatewayClient, Hooks
from thirdring_device.gateway.journal import JournalView
from thirdring_device.hooks_settings import HooksSettings

QUICK: dict[str, Any] = {"networks": ("127.0.0.0/8",), "retry_first_s": 0.1, "retry_longest_s": 0.2}


class HookDesk(Desk):
    """``receiver`` is where its hooks post to."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__(state_dir)
        self.receiver = Receiver()

    @contextlib.asynccontextmanager
    async def hooks(self, **settings: Any) -> AsyncIterator[Hooks]:
        """Run the hooks from the journal's end, or from where they were."""
        if not self.journal.last_number:
            await self.strangers(1)
        client = GatewayClient(self.engine.path, timeout_s=1.0)
        reader = JournalView(self.state_dir / "journal.sqlite3")
        section = HooksSettings(**{"urls": (self.receiver.url,), **QUICK, **settings})
        hooks = client.hooks = Hooks(section, self.state_dir, client, reader)
        running = asyncio.create_task(hooks.run())
        try:
            await until(lambda: all(view.position or view.reason for view in hooks.views()))
            yield hooks
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await client.close()
            reader.close()

    @property
    def secret(self) -> str:
        return (self.state_dir / SECRET_FILE).read_text(encoding="ascii")

    @property
    def taken(self) -> list[int]:
        return self.receiver.numbers(self.secret)

    async def ring(self, call_id: str) -> int:
        """A call comes in; return the event's number."""
        return (await self.engine.emit(CallIncoming(at_s=1.0, call_id=call_id, number="1380"))).number

    async def answer(self, call_id: str) -> int:
        return (await self.engine.emit(CallAnswered(at_s=2.0, call_id=call_id))).number


async def until(condition: Callable[[], object]) -> None:
    """Wait for ``condition``; the deadline is the test's own."""
    while not condition():
        await asyncio.sleep(0.01)


def view(hooks: Hooks) -> HookView:
    (only,) = hooks.views()
    return only


def with_desk(tmp_path: Path, scenario: Callable[[HookDesk], Awaitable[None]]) -> None:
    with_running(lambda: HookDesk(tmp_path), scenario)
