"""Routes that a unit is set up with: the trunk and the headset tried, the engine started anew, countries."""

import functools
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Path, Query
from pydantic import BaseModel, Field

from thirdring.protocol.commands import GetHeadsetTest, Restart, TestHeadset, TestTrunk
from thirdring.protocol.errors import error
from thirdring.protocol.views import HeadsetTest, TrunkTrial
from thirdring_device.adapters.calendar import festival, holiday
from thirdring_device.adapters.headset.names import sound_cards
from thirdring_device.gateway.api.problems import ENGINE, problems
from thirdring_device.gateway.engine_client import EngineClient

__all__ = ["set_up_router"]

SOURCE = "http"
LOOK_AHEAD_DAYS = 366
MOST_HOLIDAYS = 4


class Restarting(BaseModel):
    """The engine goes down now and is back within seconds."""

    restarting: Literal[True]


class Country(BaseModel):
    """A country whose tones are known."""

    country: str = Field(description="ISO 3166-1 alpha-2", examples=["CN"])
    ring_s: float = Field(description="from one ring to the next, as a caller hears them")


class SoundDevice(BaseModel):
    """What `headset.device` may be set to."""

    device: str = Field(examples=["usb:0b0e:24c9"])
    name: str


class Holiday(BaseModel):
    """A public holiday."""

    day: str = Field(description="ISO 8601", examples=["2027-01-01"])
    name: str


@functools.cache
def _countries() -> list[Country]:
    from thirdring_dsp import tone_plans  # numpy: not for every gateway

    return [
        Country(country=code, ring_s=tone_plans.ringback_cycle_s(code)) for code in tone_plans.countries()
    ]


def _next_holidays(country: str, language: str) -> list[Holiday]:
    """Return the next ones; a holiday of several days is named with its first."""
    found: dict[str, Holiday] = {}
    today = datetime.now(UTC).date()
    for ahead in range(LOOK_AHEAD_DAYS):
        day = today + timedelta(days=ahead)
        name = holiday(country, day, language)
        if name:
            found.setdefault(festival(name) or name, Holiday(day=day.isoformat(), name=name))
        if len(found) == MOST_HOLIDAYS:
            break
    return list(found.values())


def set_up_router(client: EngineClient) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1", tags=["set-up"])

    @router.post("/trunk/test", response_model=TrunkTrial, responses=problems(3013, 5004, 5005, *ENGINE))
    async def test_trunk(
        changes: Annotated[
            dict[str, Any],
            Body(
                description="settings of the trunk, dotted name to value, over what is set; may be empty",
                examples=[{"trunk.mode": "registered", "trunk.server": "sip.example.com", "trunk.user": "1"}],
            ),
        ],
    ) -> Any:
        """Try the trunk with values that are not kept; takes up to 20 s.

        `code` 0: it took us; else the numbered error that says why not. The registration in use and calls
        are left alone: a REGISTER with the expiry 0 for a contact that was never bound, on a connection of
        its own (OPTIONS where the trunk is static).
        """
        return await client.command(TestTrunk(changes=changes, source=SOURCE))

    @router.post("/restart", status_code=202, responses=problems(2003, 3004, 3005, 3006, 5005, *ENGINE))
    async def restart() -> Restarting:
        """Start the engine anew, so that every setting counts; refused while a call is there."""
        return Restarting.model_validate(await client.command(Restart(source=SOURCE)))

    @router.post("/headset/test", response_model=HeadsetTest, responses=problems(2003, 4001, *ENGINE))
    async def test_headset() -> Any:
        """Listen to the microphone for some seconds, then play that in the ear; a call breaks it off."""
        return await client.command(TestHeadset(source=SOURCE))

    @router.get("/headset/test", response_model=HeadsetTest, responses=problems(*ENGINE))
    async def headset_test() -> Any:
        """Return how far the headset test is, and what it has measured."""
        return await client.command(GetHeadsetTest(source=SOURCE))

    @router.get("/headset/devices", responses=problems())
    def devices() -> list[SoundDevice]:
        """Return the sound devices that are there, and the simulated one."""
        found = {**sound_cards(), "default": "default", "simulated": "simulated"}
        return [SoundDevice(device=device, name=name) for device, name in found.items()]

    @router.get("/countries", responses=problems())
    def countries() -> list[Country]:
        """Return the countries whose tones are known."""
        return _countries()

    @router.get("/countries/{country}/holidays", responses=problems(1003))
    def holidays(
        country: Annotated[str, Path(description="ISO 3166-1 alpha-2", max_length=2)],
        language: Annotated[Literal["zh", "en"], Query()] = "en",
    ) -> list[Holiday]:
        """Return a country's next public holidays; none where they are not known."""
        if country not in {known.country for known in _countries()}:
            raise error(1003, country)
        return _next_holidays(country, language)

    return router
