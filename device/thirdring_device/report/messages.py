"""The report's words in each language, all of them in ``messages.json``; numbers with their units."""

import functools
import json
import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from thirdring.protocol.events import SILENCE_DBOV

__all__ = ["LANGUAGES", "Words", "rule_name", "words"]

LANGUAGES: Final = ("en", "zh")
"""In the order of the catalogue's columns."""

PLACEHOLDER = re.compile(r"\{\w+\}")


@functools.cache
def catalogue() -> Mapping[str, tuple[str, ...]]:
    """Return every message as ``{key: (English, Chinese)}``."""
    text = files("thirdring_device.report").joinpath("messages.json").read_text(encoding="utf-8")
    return {key: tuple(columns) for key, columns in json.loads(text).items()}


@functools.cache
def words(language: str) -> "Words":
    """Return the words of ``language``; raises ``ValueError`` for one that is not in ``LANGUAGES``."""
    return Words(language)


def rule_name(rule: str, language: str) -> str:
    """Return the human name of a norm, such as ``answer.rings``; the id itself when it has none."""
    return words(language).named("rule", rule)


class Words:
    """The catalogue in one language."""

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise ValueError(f"language is {language!r:.20}, not one of {', '.join(LANGUAGES)}")
        self.language = language
        self._column = LANGUAGES.index(language)

    def __call__(self, key: str, **values: object) -> str:
        """Return message ``key`` with ``values`` filled in; raises ``KeyError`` when there is none."""
        return catalogue()[key][self._column].format(**values)

    def has(self, key: str) -> bool:
        """Return whether there is a message ``key``."""
        return key in catalogue()

    def named(self, family: str, name: str) -> str:
        """Return ``family.name``; a name newer than the catalogue stands for itself."""
        columns = catalogue().get(f"{family}.{name}")
        return columns[self._column] if columns else name

    def reason(self, reason: str) -> str:
        """Return a verdict's reason, which the core gives in English, in this language."""
        for key in catalogue():
            if key.startswith("reason."):
                match = _reason_pattern(key).fullmatch(reason)
                if match:
                    return self(key, **match.groupdict())
        return reason

    # --- quantities -------------------------------------------------------------------------------

    def duration(self, seconds: float | None) -> str:
        """Return ``9.3 s``, ``3 min 12 s`` or ``1 h 2 min``."""
        if seconds is None:
            return self("unit.none")
        if round(seconds, 1) < 60.0:
            return self("unit.s", value=f"{seconds:.1f}")
        whole = round(seconds)
        if whole < 3600:
            return self("unit.min", minutes=whole // 60, seconds=f"{whole % 60:02d}")
        return self("unit.h", hours=whole // 3600, minutes=f"{whole % 3600 // 60:02d}")

    def seconds(self, seconds: float) -> str:
        """Return a short time to 10 ms: ``1.42 s``."""
        return self("unit.s", value=f"{seconds:.2f}")

    def level(self, dbov: float | None) -> str:
        """Return ``-26.1 dBov``, or the word for silence."""
        if dbov is None:
            return self("unit.none")
        if dbov <= SILENCE_DBOV:
            return self("unit.silence")
        return self("unit.dbov", value=f"{dbov:.1f}")

    def tone_level(self, dbm0: float) -> str:
        """Return ``-13.2 dBm0``."""
        return self("unit.dbm0", value=f"{dbm0:.1f}")

    def pace(self, syllables_per_s: float | None) -> str:
        """Return ``4.6 syllables/s``, a dash when there was too little speech."""
        if syllables_per_s is None:
            return self("unit.none")
        return self("unit.pace", value=f"{syllables_per_s:.1f}")

    def percent(self, value: float) -> str:
        """Return ``12.3 %``."""
        return self("unit.percent", value=f"{value:.1f}")

    def rings(self, count: float) -> str:
        """Return ``1 ring``, ``3 rings``."""
        return self("unit.ring" if count == 1 else "unit.rings", value=f"{count:g}")

    def quantity(self, value: float | None, unit: str) -> str:
        """Return ``value`` in ``unit`` as events name units."""
        if value is None:
            return self("unit.none")
        if unit == "rings":
            return self.rings(value)
        if unit in ("steps", "times", "transfers"):
            return self(f"unit.{unit[:-1] if value == 1 else unit}", value=f"{value:g}")
        if unit == "syllables/s":
            return self.pace(value)
        if unit == "s":
            return self.seconds(value) if value < 60 else self.duration(value)
        if unit == "%":
            return self.percent(value)
        if unit == "dBov":
            return self.level(value)
        if unit == "dB":
            return self("unit.db", value=f"{value:.1f}")
        return f"{value:g} {unit}".rstrip()

    def measure(self, name: str, value: float) -> tuple[str, str]:
        """Return the words for a verdict's measure and its value; the name's end is its unit."""
        for ending, unit in (("_s", "s"), ("_dbov", "dBov"), ("_db", "dB"), ("_percent", "%")):
            if name.endswith(ending):
                known = self.named("measure", name)
                return known if known != name else name.removesuffix(ending), self.quantity(value, unit)
        return self.named("measure", name), f"{value:g}"


@functools.cache
def _reason_pattern(key: str) -> re.Pattern[str]:
    text = key.removeprefix("reason.")
    pattern, at = "", 0
    for hole in PLACEHOLDER.finditer(text):
        pattern += re.escape(text[at : hole.start()]) + f"(?P<{hole.group()[1:-1]}>.+)"
        at = hole.end()
    return re.compile(pattern + re.escape(text[at:]))
