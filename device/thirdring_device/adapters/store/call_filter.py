"""Which calls of the journal are asked for."""

from dataclasses import dataclass
from typing import Final

__all__ = ["EVERY_CALL", "CallFilter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Every condition that is given must hold; times are UTC as the journal writes them."""

    direction: str = ""
    number: str = ""
    """Part of the number."""
    start_utc: str = ""
    end_utc: str = ""
    answered: bool | None = None
    verdict: str = ""
    """Some norm has this verdict; with ``rule``: that norm has."""
    rule: str = ""

    def conditions(self) -> tuple[str, tuple[object, ...]]:
        """Return the SQL condition on table ``calls`` and its values."""
        found: list[tuple[str, tuple[object, ...]]] = [("TRUE", ())]
        if self.direction:
            found.append(("direction = ?", (self.direction,)))
        if self.number:
            found.append(("instr(number, ?) > 0", (self.number,)))
        if self.start_utc:
            found.append(("started_utc >= ?", (self.start_utc,)))
        if self.end_utc:
            found.append(("started_utc < ?", (self.end_utc,)))
        if self.answered is not None:
            found.append((f"answered_utc IS {'NOT ' if self.answered else ''}NULL", ()))
        if self.verdict or self.rule:
            found.append(
                (
                    "EXISTS (SELECT 1 FROM verdicts WHERE verdicts.call_id = calls.call_id"
                    " AND ? IN ('', verdict) AND ? IN ('', rule))",
                    (self.verdict, self.rule),
                )
            )
        return " AND ".join(text for text, _ in found), tuple(v for _, values in found for v in values)


EVERY_CALL: Final = CallFilter()
