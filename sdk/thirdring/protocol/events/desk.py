"""Facts of the appliance: its start and end, its trunk, its settings, its storage."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from thirdring.protocol.events.base import Event, TrunkState

__all__ = [
    "DialRefused",
    "EngineStarted",
    "EngineStopped",
    "HeadsetChanged",
    "SettingsChanged",
    "StorageChanged",
    "StrangerRefused",
    "TrunkChanged",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStarted(Event):
    """The engine is up; its clock goes on where the last one left it. ``sip_stack`` is the pjsua2 version."""

    kind = "engine_started"
    version: str
    board: str
    sip_stack: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStopped(Event):
    """The engine stopped in an orderly way."""

    kind = "engine_stopped"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkChanged(Event):
    """State of the trunk; ``sip_code`` 0 when no SIP answer is behind it; ``server`` when registered."""

    kind = "trunk_changed"
    state: TrunkState
    sip_code: int = 0
    reason: str = ""
    server: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrangerRefused(Event):
    """An INVITE from a source that is not the trunk was refused; ``count`` since the start."""

    kind = "stranger_refused"
    source: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DialRefused(Event):
    """The dial plan refused a number; ``code`` is the numbered error, ``source`` who asked."""

    kind = "dial_refused"
    number: str
    code: int
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChanged(Event):
    """Settings changed while running: dotted name to new value."""

    kind = "settings_changed"
    changes: Mapping[str, Any]
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageChanged(Event):
    """The journal can be written (``ok``) or could not be for a while (``full``, ``lost`` events)."""

    kind = "storage_changed"
    state: Literal["ok", "full"]
    lost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadsetChanged(Event):
    """The headset's sound device is there, or is gone: calls go on, the customer hears comfort noise."""

    kind = "headset_changed"
    state: Literal["present", "lost"]
    device: str
    reason: str = ""
