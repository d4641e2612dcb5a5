"""Prompt catalogues: what the agent is told, by time of day, holiday, line and caller, names filled in.

A catalogue maps a prompt's key to variants. The first variant whose conditions all hold is taken; the last
one has none. A team's own catalogue replaces whole keys of ours and may add keys.
"""

import json
import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any, Final, Literal

from thirdring.protocol.errors import error
from thirdring_device.core.norms.outbound import windows

__all__ = ["LANGUAGES", "PLACEHOLDERS", "Catalogue", "Situation", "read_catalogue"]

LANGUAGES: Final = ("zh", "en")
PLACEHOLDERS: Final = ("firm", "department", "agent", "name", "surname", "number", "holiday")
CONDITIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "line": ("internal", "outside"),
    "caller": ("known", "unknown"),
    "repeat": ("yes", "no"),
    "holiday": ("yes", "no"),
}
"""Besides ``hours``, a window of local time such as ``00:00-10:00``."""
_OPTIONAL: Final = re.compile(r"(\[[^\[\]]*\])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a variant may depend on, and what is filled in. ``holiday`` is its name, empty on other days."""

    at: time
    line: Literal["internal", "outside"] = "outside"
    repeat: bool = False
    holiday: str = ""
    firm: str = ""
    department: str = ""
    agent: str = ""
    name: str = ""
    number: str = ""

    @property
    def surname(self) -> str:
        """The first character of a Chinese name (two of the double surnames), else the whole name."""
        if not self.name or ord(self.name[0]) < 0x2E80:
            return self.name
        return self.name[:2] if self.name[:2] in DOUBLE_SURNAMES and len(self.name) > 2 else self.name[:1]

    def fits(self, when: Mapping[str, str]) -> bool:
        """Whether all conditions hold."""
        facts = {
            "line": self.line,
            "caller": "known" if self.name else "unknown",
            "repeat": "yes" if self.repeat else "no",
            "holiday": "yes" if self.holiday else "no",
        }
        for condition, wanted in when.items():
            if condition == "hours":
                if not any(start <= self.at < end for start, end in windows((wanted,))):
                    return False
            elif facts[condition] != wanted:
                return False
        return True


DOUBLE_SURNAMES: Final = frozenset(
    {"欧阳", "上官", "司马", "诸葛", "夏侯", "皇甫", "尉迟", "公孙", "慕容", "令狐", "司徒", "东方"}
)


@dataclass(frozen=True, slots=True)
class Variant:
    """One wording and when it is used."""

    text: str
    when: Mapping[str, str] = field(default_factory=dict)


class Catalogue:
    """The prompts of one language."""

    def __init__(self, variants: Mapping[str, tuple[Variant, ...]]) -> None:
        self._variants = dict(variants)

    def __iter__(self) -> Iterator[str]:
        """Yield every key, in the catalogue's order."""
        return iter(self._variants)

    def variants(self, key: str) -> tuple[Variant, ...]:
        """Return the wordings of a key, none for an unknown one."""
        return self._variants.get(key, ())

    def replaced_by(self, other: "Catalogue") -> "Catalogue":
        """Return this catalogue with the keys of ``other`` in place of its own."""
        return Catalogue({**self._variants, **other._variants})

    def text(self, key: str, situation: Situation) -> str:
        """Return what to show; a key that no catalogue has stands for itself."""
        for variant in self.variants(key):
            if situation.fits(variant.when):
                return _filled(variant.text, situation)
        return key


def _filled(text: str, situation: Situation) -> str:
    """Fill in the names; what stands in square brackets is left out when none of its names is known."""
    pieces = []
    for part in _OPTIONAL.split(text):
        optional = part.startswith("[")
        names = [name for _, name, _, _ in string.Formatter().parse(part) if name]
        if not optional or any(getattr(situation, name) for name in names):
            values = {name: getattr(situation, name) for name in names}
            pieces.append((part[1:-1] if optional else part).format(**values))
    return "".join(pieces).strip()


def read_catalogue(text: str, where: str) -> Catalogue:
    """Read a catalogue's JSON; raises ``StorageError`` 5009 that says what is wrong in ``where``."""
    try:
        data = json.loads(text)
    except ValueError as reason:
        raise error(5009, f"{where}: {reason}") from reason
    if not isinstance(data, dict):
        raise error(5009, f"{where}: not an object")
    return Catalogue({key: tuple(_variants(value, f"{where}: {key}")) for key, value in data.items()})


def _variants(value: Any, where: str) -> Iterator[Variant]:
    if not isinstance(value, list) or not value:
        raise error(5009, f"{where} is not a list of wordings")
    for place, entry in enumerate(value, start=1):
        if not isinstance(entry, dict) or not {"text"} <= set(entry) <= {"text", "when"}:
            raise error(5009, f"{where}, wording {place}: has text, and when")
        text, when = entry["text"], entry.get("when", {})
        _check_text(text, f"{where}, wording {place}")
        _check_when(when, f"{where}, wording {place}")
        if bool(when) == (place == len(value)):
            raise error(5009, f"{where}: the last wording, and no other, has no conditions")
        yield Variant(text, when)


def _check_text(text: Any, where: str) -> None:
    if not isinstance(text, str) or not text.strip():
        raise error(5009, f"{where}: text is empty")
    try:
        names = [(name, form, conversion) for _, name, form, conversion in string.Formatter().parse(text)]
    except ValueError as reason:
        raise error(5009, f"{where}: {reason}") from reason
    for name, form, conversion in names:
        if name is not None and (name not in PLACEHOLDERS or form or conversion):
            raise error(5009, f"{where}: {{{name}}} is not one of {', '.join(PLACEHOLDERS)}")


def _check_when(when: Any, where: str) -> None:
    if not isinstance(when, dict):
        raise error(5009, f"{where}: when is not an object")
    for condition, wanted in when.items():
        if condition == "hours":
            try:
                windows((str(wanted),))
            except ValueError as reason:
                raise error(5009, f"{where}: hours: {reason}") from reason
        elif wanted not in CONDITIONS.get(condition, ()):
            raise error(5009, f"{where}: {condition} {wanted!r:.20} is not a condition")
