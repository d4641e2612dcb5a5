"""What a transport does: everything an appliance can be asked, over one kind of wire."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from thirdring.protocol.commands import Command
from thirdring.protocol.events import Record
from thirdring.protocol.figures import FiguresBy, FiguresReport, Forecast, Staffing
from thirdring.protocol.views import CallDetail, CallSummary, UpdateState

__all__ = ["Transport"]


class Transport(Protocol):
    """One connection to one appliance. Every method raises ``ThirdringError`` and its subclasses only."""

    async def open(self) -> None:
        """Connect; raises ``ConnectionLost`` 8000 when nobody answers."""

    async def close(self) -> None:
        """Disconnect; may be called twice."""

    async def command(self, command: Command) -> Mapping[str, Any]:
        """Execute one command and return its result object."""

    async def calls(self, *, limit: int) -> list[CallSummary]:
        """Return the newest calls, newest first."""

    async def call(self, call_id: str) -> CallDetail:
        """Return one call with its verdicts; raises ``CallError`` 2000."""

    async def call_events(self, call_id: str) -> list[Record]:
        """Return the events of one call in order."""

    async def listed(self, what: str, asked: Mapping[str, Any]) -> list[Any]:
        """Return JSON objects of the agent's work: ``notes``, ``contacts`` or ``call_backs``."""

    async def figures(self, start: str, end: str, by: FiguresBy) -> FiguresReport:
        """Return key figures; raises ``RequestError`` 1004."""

    async def staffing(self, load: Mapping[str, float]) -> Staffing:
        """Return what a load needs; raises ``RequestError`` 1004."""

    async def forecast(self) -> Forecast:
        """Return what a week is expected to bring."""

    async def report(self, call_id: str, form: Literal["text", "json", "html"]) -> str:
        """Return the report of one call, as the appliance writes it."""

    async def save_recording(self, call_id: str, path: Path) -> None:
        """Write the recording of a call to a file, opened; raises ``MediaError`` 4024, 8003 without a way."""

    async def save_support_file(self, path: Path) -> None:
        """Write the support file; raises 8003 without a way."""

    async def update_state(self) -> UpdateState:
        """Return where the last update is."""

    async def update_from_url(self, url: str, *, force: bool, wait: bool) -> None:
        """Begin an update that the unit fetches; raises ``ApplianceError`` 7030, 7031, 7035, 7037."""

    async def update_from_file(self, path: Path, *, force: bool, wait: bool) -> None:
        """Begin an update from a bundle here; raises as the other, 7038, 8003 without a way."""

    async def factory_reset(self, serial_number: str) -> None:
        """Wipe the unit; raises ``RequestError`` 1010, ``CallError`` 2003 while a call is there."""

    def events(self, after: int) -> AsyncIterator[Record]:
        """Yield every event with a number above ``after``, then those to come, without gap or double."""
