"""Which numbers may be called, and how often. Sans-io; what a number is, is told by ``Classify``."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from thirdring.protocol.errors import error
from thirdring_device.core.settings import setting

__all__ = ["HOUR_S", "REFUSALS", "Classify", "DialPlan", "DialPlanSettings", "DialledNumber", "NumberKind"]

HOUR_S: Final = 3600.0
REFUSALS: Final = frozenset({2009, 2010, 2011, 2012})
"""Errors by which the dial plan refuses a number."""

NumberKind = Literal["emergency", "premium", "international", "national", "short", "service"]


@dataclass(frozen=True, slots=True)
class DialPlanSettings:
    """Which numbers may be called. Emergency numbers always may."""

    country: str = setting(
        "", "country that numbers are dialled in (ISO 3166-1 alpha-2); empty: trunk.country", live=True
    )
    allow: tuple[str, ...] = setting(
        (), "prefixes that may be called whatever their kind, with + or as dialled", live=True
    )
    deny: tuple[str, ...] = setting(
        (), "prefixes that may not be called; of two that fit the longer one counts", live=True
    )
    unlisted: str = setting(
        "allow", "what about numbers in neither list", choices=("allow", "deny"), live=True
    )
    international: bool = setting(False, "allow numbers of other countries", live=True)
    premium: bool = setting(False, "allow premium-rate numbers", live=True)
    emergency: tuple[str, ...] = setting((), "emergency numbers besides the country's own", live=True)
    calls_per_hour: int = setting(
        60, "calls, transfers and forwardings within an hour; 0: any number", low=0, high=10_000, live=True
    )
    send_as: str = setting(
        "dialled",
        "form in which numbers go to the trunk, where they are full ones",
        choices=("dialled", "e164", "national"),
        live=True,
    )


@dataclass(frozen=True, slots=True)
class DialledNumber:
    """What a number is. ``e164`` (with ``+``) and ``national`` are empty unless it is a full, valid one."""

    dialled: str
    kind: NumberKind
    e164: str = ""
    national: str = ""


Classify = Callable[[str, DialPlanSettings], DialledNumber]


def as_dialled(number: str, settings: DialPlanSettings) -> DialledNumber:
    """Take every number for a national one: for a desk that never dials, such as a replay."""
    return DialledNumber(number, "national")


class DialPlan:
    """The plan and its count of calls."""

    def __init__(self, settings: DialPlanSettings | None = None, classify: Classify = as_dialled) -> None:
        self.settings = settings or DialPlanSettings()
        self._classify = classify
        self._called_at_s: deque[float] = deque()

    def called(self, at_s: Iterable[float]) -> None:
        """Count calls that were placed at ``at_s``, oldest first."""
        self._called_at_s.extend(at_s)

    def key(self, number: str) -> str:
        """Return the form in which two spellings of a number are the same."""
        return self._classify(number, self.settings).e164 or number

    def national(self, number: str) -> str:
        """Return a number as it is written within the country; itself when that is not known."""
        return self._classify(number, self.settings).national or number

    def kind(self, number: str) -> NumberKind:
        """Return what ``number`` is."""
        return self._classify(number, self.settings).kind

    def admit(self, number: str, at_s: float) -> str:
        """Return ``number`` as it is to be sent, and count the call.

        Raises ``CallError`` 2009 (not allowed), 2010 (international), 2011 (premium rate) or 2012 (too many
        calls within the hour). Emergency numbers always pass, uncounted, and go out as dialled.
        """
        found = self._classify(number, self.settings)
        if found.kind == "emergency":
            return number
        self._check_kind(found)
        return self._counted(found, at_s)

    def check_unattended(self, number: str) -> None:
        """Refuse a number that no call may be sent on to unless a person asks for it there and then.

        Raises ``CallError`` 2009 to 2011; 2009 also for emergency services: they need somebody to speak to.
        """
        found = self._classify(number, self.settings)
        if found.kind == "emergency":
            raise error(2009, f"{number} is an emergency number")
        self._check_kind(found)

    def admit_unattended(self, number: str, at_s: float) -> str:
        """As ``admit``, of a number that a setting or the other side of a call names."""
        self.check_unattended(number)
        return self._counted(self._classify(number, self.settings), at_s)

    def _counted(self, found: DialledNumber, at_s: float) -> str:
        while self._called_at_s and self._called_at_s[0] <= at_s - HOUR_S:
            self._called_at_s.popleft()
        limit = self.settings.calls_per_hour
        if limit and len(self._called_at_s) >= limit:
            raise error(2012, f"{limit} calls")
        self._called_at_s.append(at_s)
        forms = {"e164": found.e164, "national": found.national}
        return forms.get(self.settings.send_as) or found.dialled

    def _check_kind(self, found: DialledNumber) -> None:
        allowed = _longest_prefix(found, self.settings.allow)
        denied = _longest_prefix(found, self.settings.deny)
        if allowed > denied:
            return
        if denied:
            raise error(2009, found.dialled)
        if found.kind == "premium" and not self.settings.premium:
            raise error(2011, found.dialled)
        if found.kind == "international" and not self.settings.international:
            raise error(2010, found.dialled)
        if self.settings.unlisted == "deny":
            raise error(2009, found.dialled)


def _longest_prefix(found: DialledNumber, prefixes: Iterable[str]) -> int:
    """Return the length of the longest prefix that fits, 0 when none does."""
    forms = [form for form in (found.dialled, found.e164) if form]
    fitting = [len(prefix) for prefix in prefixes if prefix and any(f.startswith(prefix) for f in forms)]
    return max(fitting, default=0)
