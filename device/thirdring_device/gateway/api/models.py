"""What crosses HTTP besides the views of ``thirdring.protocol``: request bodies, small answers, events."""

import dataclasses
import typing
from typing import Annotated, Any, Final, Literal, Union

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from thirdring.protocol.events import EVENT_KINDS, AgentState, ChosenState, Event, TrunkState
from thirdring.protocol.views import SettingView

__all__ = [
    "RECORD_MODEL",
    "AgentNow",
    "AgentStateRequest",
    "CallId",
    "ContactRequest",
    "DialRequest",
    "DtmfRequest",
    "FinishCallBackRequest",
    "ForwardRequest",
    "Health",
    "Imported",
    "Integer",
    "NotesRequest",
    "OptionalCall",
    "PressRequest",
    "Problem",
    "Ready",
    "RemoveContactRequest",
    "SettingsChanged",
    "SettingsList",
    "SpeakRequest",
    "Speaking",
    "TransferRequest",
]


def _without_a_point(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Integer = Annotated[int, BeforeValidator(_without_a_point)]
"""A JSON integer, which 5.0 is too (JSON Schema 2020-12 core, 4.2.3), and neither true nor "5"."""


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class DialRequest(_Request):
    """Whom to call."""

    number: str = Field(
        description="digits, `*`, `#`, a leading `+`",
        max_length=64,
        examples=["13800138000", "+861012345678"],
    )
    reason: str = Field("", description="why, in the agent's words; answers 2013 and 2014", max_length=120)
    withheld: bool = Field(False, description="keep our number from the other side")


class OptionalCall(_Request):
    """Which call; may be left out."""

    call_id: str = Field(
        "", description="empty: the call that rings (answer), is held (resume) or current", max_length=64
    )


class DtmfRequest(OptionalCall):
    """What to send to the customer."""

    digits: str = Field(description="`0`-`9`, `A`-`D`, `*`, `#`", max_length=64, examples=["1234#"])
    duration_ms: Integer = Field(default=0, description="length of each digit, 40 to 5000; 0: as set")


class ForwardRequest(OptionalCall):
    """Where to send the ringing call."""

    target: str = Field(description="a number", max_length=64)


class TransferRequest(OptionalCall):
    """Whom to hand the customer on to."""

    target: str = Field("", description="a number; empty: the other call, after consultation", max_length=64)
    consent: bool = Field(default=False, description="the customer was told and agrees")


class AgentStateRequest(_Request):
    """What the agent wants to do."""

    state: ChosenState = Field(description="counts as soon as no call stands in the way")
    agent: str = Field("", description="who sits at the desk from now on; empty: as before", max_length=120)
    reason: str = Field("", description="in the agent's words", max_length=120)


class AgentNow(BaseModel):
    """The agent's state now."""

    state: AgentState
    agent: str


class NotesRequest(_Request):
    """What a call was about. When and which number the journal knows."""

    call_id: str = Field(max_length=64)
    customer: str = Field("", description="the customer's name", max_length=120)
    firm: str = Field("", max_length=120)
    post: str = Field("", description="the customer's position", max_length=120)
    matter: str = Field("", max_length=2000)
    promised: str = Field("", description="what was promised", max_length=2000)
    call_back_utc: str = Field(
        "", description="when a promised call-back is due, ISO 8601, local without a zone", max_length=40
    )
    read_back: bool = Field(
        default=False, description="numbers, times, quantities and decisions were read back"
    )
    complaint: bool = False


class ContactRequest(_Request):
    """Somebody known by number."""

    number: str = Field(max_length=64)
    contact: str = Field(description="the name", min_length=1, max_length=120)
    firm: str = Field("", max_length=120)
    post: str = Field("", max_length=120)
    remark: str = Field("", max_length=2000)


class RemoveContactRequest(_Request):
    """Which contact."""

    number: str = Field(max_length=64)


class FinishCallBackRequest(_Request):
    """Which call the call-back is for."""

    call_id: str = Field(max_length=64)


class Imported(BaseModel):
    """Contacts were written."""

    saved: int


class SpeakRequest(_Request):
    """What the simulated headset's microphone hears."""

    path: str = Field(description="a sound file on the appliance; empty: stop", max_length=4096)


class CallId(BaseModel):
    """The call that a command was about."""

    call_id: str


class PressRequest(_Request):
    """A button of the simulated headset."""

    button: str = Field(description="such as hook, mute, flash, reject", max_length=20)


class Speaking(BaseModel):
    """The sound file that is being played."""

    duration_s: float = Field(description="its length in seconds")


class SettingsList(BaseModel):
    """Every setting, passwords masked."""

    settings: list[SettingView]


class SettingsChanged(BaseModel):
    """The settings were changed."""

    restart_required: bool = Field(description="some of them count from the next start on")


class Health(BaseModel):
    """The gateway is up; whether the engine answers."""

    gateway: Literal["ok"]
    engine: Literal["ok", "unreachable"]


class Ready(BaseModel):
    """Calls can be served, if the trunk is `registered` or `static` and its storage is not `full`."""

    trunk: TrunkState
    storage: Literal["ok", "full"]


class Problem(BaseModel):
    """An error (RFC 9457). `code` never changes its meaning."""

    type: str = Field(description="where the error is described, relative to this server")
    title: str = Field(description="what the code means")
    status: int = Field(description="the HTTP status")
    code: int = Field(description="the numbered error", examples=[2003])
    detail: str = Field(description="what was wrong this time; may be empty")


def _record_model(kind: str, event: type[Event]) -> type[BaseModel]:
    """Return the model of one kind of event as it goes out."""
    hints = typing.get_type_hints(event)
    fields: dict[str, Any] = {
        "seq": (int, Field(description="the event's number; rises, never used again")),
        "utc": (str, Field(description="wall clock, ISO 8601")),
        "kind": (Literal[kind], ...),
    }
    for field in dataclasses.fields(event):
        if field.default is not dataclasses.MISSING:
            fields[field.name] = (hints[field.name], field.default)
        elif field.default_factory is not dataclasses.MISSING:
            fields[field.name] = (hints[field.name], Field(default_factory=field.default_factory))
        else:
            fields[field.name] = (hints[field.name], ...)
    model: type[BaseModel] = create_model(f"{event.__name__}Record", __doc__=event.__doc__, **fields)
    return model


RECORD_MODEL: Final[Any] = Annotated[
    Union[tuple(_record_model(kind, event) for kind, event in EVENT_KINDS.items())],  # noqa: UP007 - made at run time
    Field(discriminator="kind"),
]
"""Any numbered event, for the OpenAPI document; new kinds may come, readers skip what they do not know."""
