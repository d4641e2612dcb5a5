"""What a call report says, apart from how it is shown.

Times named ``at_s``, ``start_s`` and ``end_s`` are seconds since the call began (its first event), for
signalling and sound alike, so that one axis serves the whole report.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from thirdring.protocol.codec import to_fields
from thirdring.protocol.events import CallQuality, LevelSummary, Side, TalkSummary, Verdict, VoiceSummary
from thirdring.protocol.views import CallSummary
from thirdring_device.report.series import LevelSeries

__all__ = [
    "Key",
    "Limits",
    "Moment",
    "Report",
    "Ring",
    "Spurt",
    "Stretch",
    "StretchKind",
    "TalkShares",
    "ToneSpan",
    "VoicePoint",
]

REPORT_VERSION = 1
"""Of the JSON form; raised when a field changes its meaning or goes."""

JSON_POINTS = 3000
"""Points of a level series in the JSON form: five minutes in full, longer calls by their mean power."""

MomentKind = Literal["request", "prompt", "norm", "overflow", "recording"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """The caller heard ring ``number`` begin; ``wait_s`` is counted from the first ringing (180)."""

    number: int
    at_s: float
    wait_s: float
    urgency: str
    event: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spurt:
    """A stretch of speech of one side."""

    side: Side
    start_s: float
    end_s: float
    level_dbov: float | None
    """None for one that was still going on when the sound ended."""
    event: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A DTMF digit; ``method`` is how it came (RFC 4733 event, SIP INFO, or heard as tones)."""

    side: Side
    digit: str
    method: str
    at_s: float
    event: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ToneSpan:
    """A tone that was heard, named as in ``tone_heard``; the end of a fax's answer tone is its ``end_s``."""

    side: Side
    tone: str
    detail: str
    start_s: float
    end_s: float
    level_dbm0: float
    event: int


StretchKind = Literal["overlap", "interruption", "dead_air"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """How the sides were to each other for a while.

    ``overlap``: both spoke; ``interruption``: the agent came in while the customer spoke, and both went on
    to ``end_s`` at least; ``dead_air``: nobody spoke.
    """

    kind: StretchKind
    start_s: float
    end_s: float
    event: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicePoint:
    """Pace over the last 10 s and noise of both sides at one moment."""

    at_s: float
    agent: VoiceSummary
    customer: VoiceSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that happened at one instant: a request, a prompt shown, a norm's live change.

    ``name`` is the prompt's key, the request's action or the overflow's action; ``state`` the prompt's
    urgency, the norm's new state or the request's source.
    """

    kind: MomentKind
    at_s: float
    event: int
    name: str = ""
    rule: str = ""
    state: str = ""
    value: float | None = None
    unit: str = ""
    threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkShares:
    """How the time between answer and end was spent; the four sum up to ``span_s``."""

    span_s: float
    agent_s: float
    customer_s: float
    both_s: float
    silence_s: float

    def percent(self, seconds: float) -> float:
        """Return ``seconds`` as a share of the span."""
        return 100.0 * seconds / self.span_s if self.span_s > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The settings the norms were judged by, as far as the report draws them.

    ``ring_period_s`` and ``ring_bursts_s`` (start and end within a period) are the trunk's national
    ringback; None and empty for a country without a tone plan.
    """

    max_rings: int
    greeting_limit_s: float
    level_target_dbov: float
    level_band_db: float
    country: str
    ring_period_s: float | None
    ring_bursts_s: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One call, judged. A field is None where the call gave no evidence for it.

    ``duration_s`` is the whole call from its first event to its end, the length of the picture's axis.
    ``recording`` is the name of the file when the call was judged from one; when it was not ``signalled``
    it is taken to start at the answer. ``greeting_s`` is from the answer to the agent's first word.
    Levels are ITU-T P.56 method B. ``agent_voice``, ``customer_voice`` and ``shared`` are of the whole call's
    sound, None for a call of an older version. ``live_verdicts``: the verdicts are those of the live call.
    """

    call: CallSummary
    recording: str
    signalled: bool
    duration_s: float
    alerting_at_s: float | None
    answered_at_s: float | None
    ended_at_s: float | None
    media_at_s: float | None
    end_sip_code: int
    end_reason: str
    codec: str
    sample_rate_hz: int | None
    greeting_s: float | None
    rings: tuple[Ring, ...]
    agent_before: LevelSummary | None
    agent_after: LevelSummary | None
    customer: LevelSummary | None
    talk: TalkShares | None
    spurts: tuple[Spurt, ...]
    keys: tuple[Key, ...]
    moments: tuple[Moment, ...]
    verdicts: tuple[Verdict, ...]
    evidence: Mapping[int, float]
    """Where each event that a verdict rests on stands on the axis."""
    series: LevelSeries | None
    limits: Limits
    agent_voice: VoiceSummary | None = None
    customer_voice: VoiceSummary | None = None
    shared: TalkSummary | None = None
    quality: CallQuality | None = None
    tones: tuple[ToneSpan, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    voice: tuple[VoicePoint, ...] = ()
    live_verdicts: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the report as a JSON object; levels are rounded to 0.1 dB, times to 1 ms."""
        data = {name: _rounded(value) for name, value in to_fields(self).items() if name != "series"}
        data["series"] = self.series.decimated(JSON_POINTS).to_json() if self.series else None
        data["evidence"] = {str(number): round(at_s, 3) for number, at_s in self.evidence.items()}
        return {"report": REPORT_VERSION, **data}

    def to_text(self, language: str = "en", *, colour: bool = False) -> str:
        """Return the report for a terminal; ``language`` is ``en`` or ``zh`` (``ValueError`` otherwise)."""
        from thirdring_device.report.text import render_text

        return render_text(self, language, colour=colour)

    def to_html(self, language: str = "en") -> str:
        """Return the report as one page that needs nothing else; ``language`` as in ``to_text``."""
        from thirdring_device.report.page import render_page

        return render_page(self, language)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return value
