"""The tones national networks play to a caller, as data: frequencies, cadences, tolerances.

The facts are in ``tone_plans.json`` with their sources a country (ITU-T E.180 Supplement 2 and
national specifications). A tone is written there as segments ``FREQUENCY/SECONDS`` one after the
other: ``400+450/0.4 0/0.2 400+450/0.4 0/2``. ``0`` is silence, ``+`` adds sines of equal level,
``400*16`` is 400 Hz amplitude-modulated at 16 Hz. A last segment without seconds goes on for ever;
otherwise the tone starts again. Several entries for one tone are alternatives, the usual one first.
"""

import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "TONE_KINDS",
    "RingCadence",
    "Segment",
    "Tone",
    "TonePlan",
    "countries",
    "explain_ring",
    "plan",
    "plan_from_facts",
    "render",
    "ring_cadence",
    "ringback_cycle_s",
]

TONE_KINDS = (
    "dial",
    "special_dial",
    "ringback",
    "busy",
    "congestion",
    "number_unobtainable",
    "call_waiting",
    "howler",
    "sit",
)
ALIASES = {"UK": "GB"}
LOWEST_HZ, HIGHEST_HZ = 200.0, 3400.0  # what a telephone channel carries
SHORTEST_S, LONGEST_S = 0.01, 30.0
CADENCE_TOLERANCE = 0.1  # ITU-T E.180 clause 3: +-10 % unless the plan says otherwise
# ITU-T G.711: a sine of 0 dBm0 is 3.14 dB (A-law) below the sine that just overloads.
OVERLOAD_SINE_DBM0 = 3.14
OVERLOAD_AMPLITUDE = 32768.0


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a tone during which nothing changes; silence has no frequencies."""

    frequencies_hz: tuple[float, ...]
    modulation_hz: float
    """Amplitude modulation, full depth, carrier kept; 0 for none."""
    duration_s: float
    """``inf`` when it goes on for ever."""

    @property
    def is_silence(self) -> bool:
        """Whether nothing sounds."""
        return not self.frequencies_hz

    @property
    def lines_hz(self) -> tuple[float, ...]:
        """The lines of the spectrum, rising: sidebands included."""
        if not self.modulation_hz:
            return tuple(sorted(self.frequencies_hz))
        offsets = (-self.modulation_hz, 0.0, self.modulation_hz)
        return tuple(sorted(f + offset for f in self.frequencies_hz for offset in offsets))


@dataclass(frozen=True, slots=True)
class Tone:
    """One tone of a plan. Repeats from its first segment unless its last goes on for ever."""

    kind: str
    segments: tuple[Segment, ...]

    @property
    def is_endless(self) -> bool:
        """Whether the last segment goes on for ever."""
        return math.isinf(self.segments[-1].duration_s)

    @property
    def period_s(self) -> float:
        """After how long the tone starts again; ``inf`` when it never does."""
        return sum(segment.duration_s for segment in self.segments)


@dataclass(frozen=True, slots=True)
class RingCadence:
    """What one ring is: the bursts in it, from its first onset, and when the next ring starts."""

    bursts: tuple[tuple[float, float], ...]
    period_s: float


@dataclass(frozen=True, slots=True)
class TonePlan:
    """The tones of one country."""

    country_code: str
    name: str
    frequency_tolerance_hz: float
    cadence_tolerance: float
    """Each on and off time may differ by this share."""
    tones: tuple[Tone, ...]
    sources: tuple[str, ...]

    def alternatives(self, kind: str) -> tuple[Tone, ...]:
        """Return every tone of a kind, the usual one first; empty when the plan has none."""
        return tuple(tone for tone in self.tones if tone.kind == kind)

    def tone(self, kind: str) -> Tone:
        """Return the usual tone of a kind; ValueError when the plan has none."""
        for tone in self.tones:
            if tone.kind == kind:
                return tone
        has = ", ".join(dict.fromkeys(tone.kind for tone in self.tones))
        raise ValueError(f"the plan of {self.country_code} has no {kind} tone; it has {has}")


def _segment(text: str) -> Segment:
    signal, slash, seconds = text.partition("/")
    duration_s = float(seconds) if slash else math.inf
    if slash and not SHORTEST_S <= duration_s <= LONGEST_S:
        raise ValueError(f"{text}: lasts {seconds} s, not {SHORTEST_S} to {LONGEST_S} s")
    if signal == "0":
        return Segment((), 0.0, duration_s)
    carrier, star, modulation = signal.partition("*")
    segment = Segment(
        tuple(float(f) for f in carrier.split("+")), float(modulation) if star else 0.0, duration_s
    )
    if star and not 10.0 <= segment.modulation_hz <= 120.0:
        raise ValueError(f"{text}: modulation is 10 to 120 Hz")
    if not all(LOWEST_HZ <= f <= HIGHEST_HZ for f in segment.lines_hz):
        raise ValueError(f"{text}: frequencies are {LOWEST_HZ:g} to {HIGHEST_HZ:g} Hz")
    if len(set(segment.lines_hz)) != len(segment.lines_hz):
        raise ValueError(f"{text}: a frequency stands twice")
    return segment


def _tone(kind: str, text: str) -> Tone:
    if kind not in TONE_KINDS:
        raise ValueError(f"{kind!r} is not a tone; tones are {', '.join(TONE_KINDS)}")
    segments = tuple(_segment(part) for part in text.split())
    if not segments or segments[0].is_silence:
        raise ValueError(f"{text!r}: a tone starts with sound")
    if any(math.isinf(segment.duration_s) for segment in segments[:-1]):
        raise ValueError(f"{text!r}: only the last segment may go on for ever")
    if any(a.is_silence and b.is_silence for a, b in itertools.pairwise(segments)):
        raise ValueError(f"{text!r}: two silences in a row")
    return Tone(kind, segments)


def plan_from_facts(entry: dict[str, Any], sources: dict[str, str]) -> TonePlan:
    """Return the checked plan for one entry of the data file; ValueError names what is wrong."""
    code = entry["code"]
    try:
        if not (len(code) == 2 and code.isascii() and code.isupper()):
            raise ValueError("the code is two capital letters (ISO 3166-1)")
        tones = tuple(_tone(kind, text) for kind in TONE_KINDS for text in entry["tones"].get(kind, ()))
        if unknown := set(entry["tones"]) - set(TONE_KINDS):
            raise ValueError(f"unknown tones {sorted(unknown)}")
        if not entry["sources"]:
            raise ValueError("a plan names its sources")
        result = TonePlan(
            code,
            entry["name"],
            float(entry["frequency_tolerance_hz"]),
            float(entry.get("cadence_tolerance", CADENCE_TOLERANCE)),
            tones,
            tuple(sources[key] for key in entry["sources"]),
        )
        if not 1.0 <= result.frequency_tolerance_hz <= 50.0:
            raise ValueError("frequency_tolerance_hz is 1 to 50")
        if not 0.02 <= result.cadence_tolerance <= 0.25:
            raise ValueError("cadence_tolerance is 0.02 to 0.25")
        for ringback in (*result.alternatives("ringback"), result.tone("ringback")):
            if ringback.is_endless or not ringback.segments[-1].is_silence:
                raise ValueError("a ringback ends with its pause")
    except KeyError as error:
        raise ValueError(f"tone plan of {code}: {error} is missing") from error
    except ValueError as error:
        raise ValueError(f"tone plan of {code}: {error}") from error
    return result


@cache
def _plans() -> dict[str, TonePlan]:
    facts = json.loads(files(__package__).joinpath("tone_plans.json").read_text("utf-8"))
    plans = {entry["code"]: plan_from_facts(entry, facts["sources"]) for entry in facts["countries"]}
    if len(plans) != len(facts["countries"]):
        raise ValueError("a country stands twice in tone_plans.json")
    return plans


def countries() -> tuple[str, ...]:
    """Return the ISO 3166-1 codes of the countries with a plan, China first, then by code."""
    return tuple(_plans())


def plan(country_code: str) -> TonePlan:
    """Return a country's plan by its ISO 3166-1 code, in either case; ``UK`` means ``GB``.

    Raises ValueError for a country without a plan.
    """
    code = country_code.strip().upper()
    found = _plans().get(ALIASES.get(code, code))
    if found is None:
        raise ValueError(f"no tone plan for {country_code!r}; there are {', '.join(countries())}")
    return found


def ring_cadence(country_code: str) -> RingCadence:
    """Return what one ring is in a country (its usual ringback); ValueError as ``plan``."""
    tone = plan(country_code).tone("ringback")
    return RingCadence(tuple(_bursts(tone)), round(tone.period_s, 6))


def _bursts(tone: Tone) -> Iterator[tuple[float, float]]:
    start_s = 0.0
    for segment in tone.segments:
        end_s = round(start_s + segment.duration_s, 6)
        if not segment.is_silence:
            yield start_s, end_s
        start_s = end_s


def ringback_cycle_s(country_code: str) -> float:
    """Return the time from one ring to the next in a country; ValueError as ``plan``."""
    return ring_cadence(country_code).period_s


def explain_ring(country_code: str) -> str:
    """Return in words what one ring is in a country; ValueError as ``plan``."""
    country = plan(country_code)
    cadence = ring_cadence(country_code)
    parts = ", ".join(
        f"{segment.duration_s:g} s {'pause' if segment.is_silence else 'tone'}"
        for segment in country.tone("ringback").segments
    )
    bursts = len(cadence.bursts)
    return (
        f"One ring in {country.name} is {parts}: {bursts} burst{'s' if bursts > 1 else ''}, "
        f"a new ring every {cadence.period_s:g} s."
    )


def render(
    tone: Tone, sample_rate_hz: int, duration_s: float, level_dbm0: float = -13.0
) -> npt.NDArray[np.int16]:
    """Return the tone as samples, from its first onset.

    ``level_dbm0`` is the power of the whole signal while it sounds (for a modulated tone: on
    average). ITU-T E.180 asks for -10 +-5 dBm0. Raises ValueError when the peaks would clip or a
    frequency is above half the sample rate.
    """
    if duration_s < 0 or sample_rate_hz <= 0:
        raise ValueError("the duration and the sample rate are positive")
    time_s = np.arange(round(duration_s * sample_rate_hz)) / sample_rate_hz
    signal = np.zeros(len(time_s))
    rms = OVERLOAD_AMPLITUDE * 10 ** ((level_dbm0 - OVERLOAD_SINE_DBM0) / 20) / math.sqrt(2)
    phase_s = time_s if tone.is_endless else time_s % round(tone.period_s, 6)
    start_s = 0.0
    for segment in tone.segments:
        end_s = start_s + segment.duration_s
        if segment.lines_hz and segment.lines_hz[-1] >= sample_rate_hz / 2:
            raise ValueError(f"{segment.lines_hz[-1]:g} Hz does not fit {sample_rate_hz} Hz")
        # Half a sample of slack: phase_s carries rounding errors at the seams.
        here = (phase_s >= start_s - 0.5 / sample_rate_hz) & (phase_s < end_s - 0.5 / sample_rate_hz)
        for frequency_hz in segment.frequencies_hz:
            signal[here] += np.sin(2 * np.pi * frequency_hz * time_s[here])
        if segment.frequencies_hz:
            power = len(segment.frequencies_hz) / 2
            if segment.modulation_hz:
                signal[here] *= 1 + np.cos(2 * np.pi * segment.modulation_hz * time_s[here])
                power *= 1.5
            signal[here] *= rms / math.sqrt(power)
        start_s = end_s
    if len(signal) and np.abs(signal).max() > 32767:
        raise ValueError(f"{level_dbm0:g} dBm0 would clip")
    return np.round(signal).astype(np.int16)
