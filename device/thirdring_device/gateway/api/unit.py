"""Routes for the technician: what the unit is, its self-test, its log, what was said on its consoles."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from thirdring.protocol.commands import GetState
from thirdring_device.gateway.api.problems import ENGINE, problems
from thirdring_device.gateway.api.update import UpdateView, update_view
from thirdring_device.gateway.at.transcript import Transcript
from thirdring_device.gateway.engine_client import EngineClient
from thirdring_device.gateway.machine import Machine, machine
from thirdring_device.gateway.selftest import SelfTests, passed
from thirdring_device.logs import LEVELS, Level, Process, mask, read_logs
from thirdring_device.settings import CHANGES_FILE, Settings, secret_names, setting_values
from thirdring_device.update.rauc import Rauc
from thirdring_device.update.state import UpdateFolder

__all__ = ["unit_router"]

SOURCE: Final = "http"


class UnitView(BaseModel):
    """What the unit is."""

    version: str
    board: str
    sip_stack: str
    machine: Machine
    update: UpdateView


class SelfTestItem(BaseModel):
    """One thing looked at; what was measured has a value and the limits that it is to keep."""

    name: str
    result: Literal["ok", "warning", "failed"]
    finding: str
    value: float | None
    unit: str
    low: float | None
    high: float | None


class SelfTestView(BaseModel):
    """A self-test."""

    passed: bool = Field(description="whether nothing failed; warnings do not count")
    items: list[SelfTestItem]


class LogLineView(BaseModel):
    """A log message; several lines where an exception is told."""

    utc: str
    process: Process
    level: Level
    logger: str
    text: str


class SaidView(BaseModel):
    """A line on a console: typed by the host, or written by the unit."""

    utc: str
    console: str
    side: Literal["host", "unit"]
    text: str


def unit_router(
    client: EngineClient,
    settings: Settings,
    state_dir: Path,
    settings_file: Path | None,
    transcript: Transcript,
    rauc: Rauc,
) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1", tags=["unit"])
    folder = UpdateFolder(state_dir)
    tests = SelfTests(client, state_dir, settings_file)

    def secrets() -> list[str]:
        """Return every secret setting's value, as read at the start and as changed since."""
        known = setting_values(settings)
        return [*(str(known[name]) for name in secret_names()), *_changed_secrets(state_dir)]

    @router.get("/unit", responses=problems(*ENGINE))
    async def unit() -> UnitView:
        """Return what the unit is: version, board, machine, and whether its board installs updates."""
        state = await client.command(GetState(source=SOURCE))
        found = await run_in_threadpool(machine, state_dir)
        return UnitView(
            version=state["version"],
            board=state["board"],
            sip_stack=state["sip_stack"],
            machine=found,
            update=await run_in_threadpool(update_view, rauc, folder, state["version"]),
        )

    @router.post("/selftest", responses=problems(2003))
    async def selftest() -> SelfTestView:
        """Test the unit, which takes some seconds; 2003 while a call is there, which it would disturb."""
        items = await tests.run()
        return SelfTestView(
            passed=passed(items), items=[SelfTestItem.model_validate(asdict(item)) for item in items]
        )

    @router.get("/logs", responses=problems())
    async def logs(
        limit: Annotated[int, Query(description="how many at most, the newest", ge=1, le=2000)] = 200,
        level: Annotated[Level, Query(description="this level and worse")] = "info",
        process: Annotated[Process | None, Query(description="of one process only")] = None,
        contains: Annotated[str, Query(description="only what has this text in it", max_length=100)] = "",
    ) -> list[LogLineView]:
        """Return what engine and gateway have logged, oldest first; passwords and tokens read as `***`."""
        lines = await run_in_threadpool(read_logs, state_dir, secrets())
        wanted = contains.lower()
        shown = [
            line
            for line in lines
            if LEVELS.index(line.level) >= LEVELS.index(level)
            and process in (None, line.process)
            and wanted in f"{line.logger} {line.text}".lower()
        ]
        return [LogLineView.model_validate(asdict(line)) for line in shown[-limit:]]

    @router.get("/transcript", responses=problems())
    async def console_transcript(
        limit: Annotated[int, Query(description="how many lines at most, the newest", ge=1, le=500)] = 200,
    ) -> list[SaidView]:
        """Return what was said on the serial consoles since the gateway's start; secrets are left out."""
        hidden = secrets()
        return [
            SaidView(utc=said.utc, console=said.console, side=said.side, text=mask(said.text, hidden))
            for said in transcript.newest(limit)
        ]

    return router


def _changed_secrets(state_dir: Path) -> list[str]:
    try:
        kept = json.loads((state_dir / CHANGES_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [str(kept[name]) for name in secret_names() if kept.get(name)]
