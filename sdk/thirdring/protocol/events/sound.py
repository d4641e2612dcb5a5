"""Facts of a call that its sound gives; ``thirdring_dsp`` measures them."""

from dataclasses import dataclass
from typing import Literal

from thirdring.protocol.events.base import Event, Side

__all__ = [
    "DeadAir",
    "Dtmf",
    "Interruption",
    "LevelSummary",
    "Levels",
    "MediaEnded",
    "MediaStarted",
    "Overlap",
    "TalkSpurt",
    "TalkSpurtStarted",
    "TalkSummary",
    "ToneHeard",
    "VoiceFigures",
    "VoiceSummary",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaStarted(Event):
    """Sample 0 of both directions was processed at ``at_s``."""

    kind = "media_started"
    codec: str
    sample_rate_hz: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelSummary:
    """ITU-T P.56 method B over the whole call, one point of measurement."""

    active_speech_level_dbov: float
    activity_percent: float
    active_s: float
    peak_dbov: float
    clipped_samples: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceSummary:
    """Pace and noise of one side, before anything was done to its sound.

    ``syllables_per_s``: syllables per second of articulated speech, None before there was 1 s of it.
    ``noise_level_dbov``: mean power of the background while nobody speaks. ``snr_db``: active speech
    level (ITU-T P.56) over it, None without speech or without noise.
    """

    syllables_per_s: float | None
    articulated_s: float
    noise_level_dbov: float
    snr_db: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkSummary:
    """How the two sides shared the whole call's sound.

    ``overlap_s``: both spoke at once, each time for 0.1 s or more; ``overlap_percent`` is its share of the
    time in which anybody spoke. ``dead_air_s``: the stretches of ``dead_air`` events.
    """

    agent_s: float
    customer_s: float
    overlap_s: float
    overlap_percent: float
    dead_air_s: float
    interruptions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaEnded(Event):
    """The last sample was processed; the figures of the whole call where they were measured.

    Levels ``agent_before`` and ``agent_after`` the AGC, and ``customer`` as received. Events of older
    versions have no ``agent_voice``, ``customer_voice`` and ``talk``.
    """

    kind = "media_ended"
    duration_s: float
    agent_before: LevelSummary
    agent_after: LevelSummary
    customer: LevelSummary
    agent_voice: VoiceSummary | None = None
    customer_voice: VoiceSummary | None = None
    talk: TalkSummary | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels(Event):
    """Levels over the half second of signal that ends at ``end_s``.

    ``*_rms_dbov``: one value a 100 ms, for pictures and meters. ``*_sliding_dbov``: ITU-T P.56 active
    speech level over the last 3 s of *active* speech. ``agent_active_s``: active speech within this
    half second, on which ``voice.level`` is judged.
    """

    kind = "levels"
    end_s: float
    interval_s: float
    agent_before_rms_dbov: tuple[float, ...]
    agent_after_rms_dbov: tuple[float, ...]
    customer_rms_dbov: tuple[float, ...]
    agent_before_sliding_dbov: float
    agent_after_sliding_dbov: float
    customer_sliding_dbov: float
    agent_active_s: float
    customer_active_s: float
    agc_gain_db: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkSpurtStarted(Event):
    """Somebody began to speak at ``start_s``."""

    kind = "talk_spurt_started"
    side: Side
    start_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkSpurt(Event):
    """Somebody spoke from ``start_s`` to ``end_s``."""

    kind = "talk_spurt"
    side: Side
    start_s: float
    end_s: float
    level_dbov: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceFigures(Event):
    """Pace and noise of both sides at ``end_s``, every 5 s of signal.

    Pace looks back on 10 s, the signal-to-noise ratio on 3 s of active speech.
    """

    kind = "voice_figures"
    end_s: float
    agent: VoiceSummary
    customer: VoiceSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap(Event):
    """Both spoke from ``start_s`` to ``end_s``, for 0.1 s or more; ``side`` came in second."""

    kind = "overlap"
    side: Side
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption(Event):
    """The agent may have talked over the customer, who had been speaking for 0.5 s or more.

    The agent began at ``start_s``, and both have spoken until ``end_s``, 0.8 s or more.
    """

    kind = "interruption"
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadAir(Event):
    """Nobody has spoken since ``start_s``: told when 10 s are over, and again when somebody speaks.

    ``end_s`` is how far it goes, to the end when it is ``over``.
    """

    kind = "dead_air"
    start_s: float
    end_s: float
    over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ToneHeard(Event):
    """A tone of the network or of a machine was heard.

    ``tone``: fax ``cng``, ``ced`` and ``ced_end`` (ITU-T T.30, V.8; ``detail`` is ``ANS``, ``ANSam``,
    ``/ANS`` or ``/ANSam``); of the trunk's national plan ``dial_tone``, ``special_dial_tone``, ``ringback``
    (``detail`` counts the rings), ``busy``, ``congestion``, ``number_unobtainable``, ``call_waiting``,
    ``howler`` and ``sit``; ``unknown_ringback`` is 6 s of music. Told when it is certain, so a steady tone
    may go on after ``end_s``.
    """

    kind = "tone_heard"
    side: Side
    tone: str
    start_s: float
    end_s: float
    level_dbm0: float
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dtmf(Event):
    """A DTMF digit: RFC 4733 event or SIP INFO (``event``, ``info``) or heard as tones (``tone``).

    One that comes by several ways at once is told once, by the way that was first.
    """

    kind = "dtmf"
    side: Side
    digit: str
    method: Literal["event", "info", "tone"]
    start_s: float = 0.0
