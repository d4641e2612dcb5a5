"""What the implementations of commands share."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from thirdring.protocol.at.parse import Request
from thirdring.protocol.at.values import Parameter, parameters
from thirdring.protocol.codec import from_fields
from thirdring.protocol.commands import GetSettings, GetState
from thirdring.protocol.views import DeskState
from thirdring_device.gateway.at.reply import AtMistake, Reply

if TYPE_CHECKING:
    from thirdring_device.gateway.at.session import Session
else:
    Session = Any

__all__ = ["SOURCE", "Handler", "Session", "desk_state", "in_range", "one_parameter", "setting_value"]

SOURCE = "at"
"""``Command.source`` of everything that comes from a console."""

Handler = Callable[[Session, Request], Awaitable[Reply]]


def in_range(value: int, low: int, high: int) -> int:
    """Return ``value``; raises ``AtMistake`` outside ``low`` to ``high``."""
    if not low <= value <= high:
        raise AtMistake(f"{value} is outside {low} to {high}")
    return value


def one_parameter(request: Request) -> Parameter:
    """Return the only parameter; raises ``AtMistake``."""
    found = parameters(request.argument)
    if len(found) != 1:
        raise AtMistake(f"{len(found)} parameters instead of one")
    return found[0]


async def desk_state(session: Session) -> DeskState:
    """Ask the engine how things stand."""
    return from_fields(DeskState, await session.desk.client.command(GetState(source=SOURCE)))


async def setting_value(session: Session, name: str) -> Any:
    """Ask the engine for the value of one setting."""
    settings = (await session.desk.client.command(GetSettings(source=SOURCE)))["settings"]
    (value,) = (setting["value"] for setting in settings if setting["name"] == name)
    return value
