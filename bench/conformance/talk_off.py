"""Talk-off: tones heard in speech and music where there are none, of every detector at three gains.

Each speaker's recordings run one after another through detectors that are never reset. Call progress runs
with the plan of China and with those of the speaker's own language; on music with every plan there is.
"""

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from bench.conformance import material
from bench.conformance.material import FIVE, HUMAN, MUSIC, Voice
from bench.conformance.row import Row
from bench.dsp import spandsp
from thirdring_dsp import DtmfDetector, FaxToneDetector
from thirdring_dsp.call_progress import CallProgressDetector
from thirdring_dsp.tone_plans import plan

SECTION = "Talk-off"
GAINS_DB = (-12, 0, 12)
LEAST_MINUTES = 200.0
DETECTORS = ("DTMF", "CNG and CED", "progress, CN plan", "progress, own plans")


class Tally:
    """What was heard in some material, summed over the gains."""

    def __init__(self) -> None:
        self.minutes = 0.0
        self.sources: dict[str, float] = {}
        """Minutes, by the package or program they come from."""
        self.false: Counter[str] = Counter()
        self.worst_plan = 0
        self.peer = 0
        self.where: list[str] = []

    def add(self, other: "Tally") -> None:
        self.minutes += other.minutes
        for source, minutes in other.sources.items():
            self.sources[source] = self.sources.get(source, 0.0) + minutes
        self.false += other.false
        self.worst_plan = max(self.worst_plan, other.worst_plan)
        self.peer += other.peer
        self.where += other.where


def tally(voice: Voice) -> Tally:
    found = Tally()
    samples, found.minutes = voice.samples()
    found.sources[voice.source] = found.minutes
    plans: Counter[str] = Counter()
    for gain_db in GAINS_DB:
        louder = np.clip(np.rint(samples * 10 ** (gain_db / 20)), -32768, 32767).astype(np.int16)
        heard = {
            "DTMF": [event for event in DtmfDetector(8000).update(louder) if event.kind == "dtmf"],
            "CNG and CED": FaxToneDetector(8000).update(louder),
        }
        for country in voice.plans:
            # A melody told as such is right; whether speech is told as one has its own row.
            events = CallProgressDetector(8000, plan(country)).update(louder)
            tones = [event for event in events if event.kind != "unknown_ringback"]
            plans[country] += len(tones)
            name = "progress, CN plan" if country == "CN" else "progress, own plans"
            heard[name] = heard.get(name, []) + tones
        for name, events in heard.items():
            found.false[name] += len(events)
            found.where += [
                f"{voice.source} {voice.language} {gain_db:+d} dB: {event.kind} at {event.start_s:.1f} s"
                for event in events
            ]
        found.peer += len(spandsp.dtmf_keys(louder))
    found.worst_plan = max(plans.values())
    return found


def label(voice: Voice) -> str:
    """The row a voice belongs to."""
    if voice.kind == MUSIC:
        return "music on hold"
    chinese = voice.language in ("zh", "yue")
    of = "five languages" if voice.language in FIVE else "Chinese" if chinese else "other languages"
    maker = "people" if voice.kind == HUMAN else "espeak-ng (synthetic)"
    return f"{voice.sort} spoken by {maker}, {of}"


def gate(name: str, found: Tally) -> str:
    of = ", ".join(f"{source} {minutes:.1f}" for source, minutes in found.sources.items())
    return f"{name}: {found.minutes:.1f} min ({of}) at {len(GAINS_DB)} gains, false tones"


def speech_row(name: str, found: Tally, least_minutes: float = 0.0) -> Row:
    wrong = found.false.total()
    shown = ", ".join(f"{detector} {found.false[detector]}" for detector in DETECTORS)
    met = wrong == 0 and found.minutes >= max(least_minutes, 0.01)
    note = "; ".join(found.where[:3]) if wrong else "" if met else f"below {least_minutes:.0f} min"
    return Row(SECTION, gate(name, found), "0", shown, met, f"spandsp DTMF {found.peer}", note)


def music_row(name: str, found: Tally) -> Row:
    fax, digits, china = (found.false[detector] for detector in ("CNG and CED", "DTMF", "progress, CN plan"))
    met = digits == fax == 0 and china <= 1 and found.minutes > 0
    return Row(
        SECTION,
        gate(name, found),
        "DTMF, CNG, CED 0; progress with the CN plan 1",
        f"DTMF {digits}, CNG and CED {fax}, progress, CN plan {china}, worst plan {found.worst_plan}",
        met,
        f"spandsp DTMF {found.peer}",
        "; ".join(found.where[:3]) if not met else "",
    )


def rows(pictures: Path) -> list[Row]:
    groups: defaultdict[str, Tally] = defaultdict(Tally)
    five, everybody = Tally(), Tally()
    for voice in material.voices():
        found = tally(voice)
        groups[label(voice)].add(found)
        # In the sums the kinds stand for the packages, which the rows above name.
        found.sources = {f"{voice.sort} spoken by {voice.kind} voices": found.minutes}
        if voice.language in FIVE:
            five.add(found)
        if voice.kind == HUMAN:
            everybody.add(found)
    made = [
        music_row(name, found) if name.startswith("music") else speech_row(name, found)
        for name, found in groups.items()
    ]
    return [
        *made,
        speech_row("all of the five languages together", five, LEAST_MINUTES),
        speech_row("all people together, every language", everybody, LEAST_MINUTES),
    ]
