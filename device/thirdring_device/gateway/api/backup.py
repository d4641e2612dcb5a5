"""Routes that back the settings up into a file, and say what a file would change before it does."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel, Field

from thirdring.protocol.commands import GetSettings
from thirdring.protocol.errors import error
from thirdring_device.gateway.api.etags import etag_of
from thirdring_device.gateway.api.problems import ENGINE, problems
from thirdring_device.gateway.engine_client import EngineClient
from thirdring_device.settings import Settings, changed, secret_names

__all__ = ["FORMAT", "KIND", "backup_router"]

SOURCE: Final = "http"
KIND: Final = "thirdring settings"
FORMAT: Final = 1
"""Rises when an older unit could not read the file any more."""


class Backup(BaseModel):
    """The file: every setting but the passwords."""

    kind: Literal["thirdring settings"]
    format: int
    version: str = Field(description="of the unit that made it")
    made_utc: str
    settings: dict[str, Any] = Field(description="dotted name to value")
    left_out: list[str] = Field(description="passwords that were set: they are never in the file")


class Change(BaseModel):
    """One setting that the file has otherwise."""

    name: str
    now: Any
    then: Any
    live: bool


class Comparison(BaseModel):
    """What a file would change; nothing has been changed yet."""

    etag: str = Field(description="of the settings it was compared with, for If-Match of PATCH /v1/settings")
    made_utc: str
    version: str
    changes: list[Change]
    unknown: list[str] = Field(description="settings in the file that this version does not have")
    left_out: list[str] = Field(description="passwords that the file does not have: they stay as they are")


def backup_router(client: EngineClient, version: str) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/settings", tags=["unit"])

    async def current() -> dict[str, Any]:
        return await client.command(GetSettings(source=SOURCE))

    @router.get("/backup", responses=problems(*ENGINE))
    async def backup(response: Response) -> Backup:
        """Return every setting but the passwords, to be kept as a file."""
        settings = {one["name"]: one["value"] for one in (await current())["settings"]}
        hidden = secret_names()
        now = datetime.now(UTC)
        response.headers["content-disposition"] = f'attachment; filename="thirdring-{now:%Y%m%d-%H%M}.json"'
        return Backup(
            kind=KIND,
            format=FORMAT,
            version=version,
            made_utc=now.isoformat(timespec="seconds").replace("+00:00", "Z"),
            settings={name: value for name, value in settings.items() if name not in hidden},
            left_out=sorted(name for name in hidden if settings.get(name)),
        )

    @router.post("/compare", responses=problems(5005, 5010, *ENGINE))
    async def compare(
        file: Annotated[
            dict[str, Any],
            Body(
                description="a file made by GET /v1/settings/backup",
                examples=[
                    {
                        "kind": KIND,
                        "format": FORMAT,
                        "version": "0.1.0",
                        "made_utc": "2026-05-04T09:00:00Z",
                        "settings": {"recording.enabled": True},
                        "left_out": ["trunk.password"],
                    }
                ],
            ),
        ],
    ) -> Comparison:
        """Say what a backup would change, and change nothing; `PATCH /v1/settings` does."""
        values = _values(file)
        found = await current()
        known = {one["name"]: one for one in found["settings"]}
        hidden = secret_names()
        wanted = {name: value for name, value in values.items() if name in known and name not in hidden}
        changed(Settings(), wanted)  # 5005 for what is out of bounds
        return Comparison(
            etag=etag_of(found),
            made_utc=str(file.get("made_utc", ""))[:40],
            version=str(file.get("version", ""))[:40],
            changes=[
                Change(name=name, now=known[name]["value"], then=value, live=known[name]["live"])
                for name, value in wanted.items()
                if value != known[name]["value"]
            ],
            unknown=sorted(set(values) - set(known)),
            left_out=sorted(hidden),
        )

    return router


def _values(file: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings in a backup; raises ``StorageError`` 5010 for another file."""
    if file.get("kind") != KIND:
        raise error(5010, f"kind {file.get('kind')!r:.40}")
    if file.get("format") != FORMAT:
        raise error(5010, f"format {file.get('format')!r:.40}, not {FORMAT}")
    try:
        json.dumps(file, ensure_ascii=False).encode()
    except UnicodeEncodeError as reason:
        raise error(5010, "not Unicode") from reason
    values = file.get("settings")
    if not isinstance(values, dict):
        raise error(5010, "no settings in it")
    return values
