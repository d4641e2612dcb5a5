"""The numbers of the norms, one section a family; every one is a setting."""

from dataclasses import dataclass

from thirdring_device.core.settings import setting

__all__ = [
    "AnswerSettings",
    "CallSettings",
    "HoldSettings",
    "NotesSettings",
    "OutboundSettings",
    "PromptSettings",
    "ReturnSettings",
    "SurveySettings",
    "VoiceSettings",
]


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """Numbers of the answering norms (norms.md, section A)."""

    max_rings: int = setting(
        3, "rings within which a call is answered", unit="rings", low=1, high=20, live=True
    )
    warn_ring: int = setting(
        2, "ring at which the ringer grows louder", unit="rings", low=1, high=20, live=True
    )
    overflow_ring: int = setting(
        5, "ring at which the overflow action is taken", unit="rings", low=2, high=60, live=True
    )
    overflow_action: str = setting(
        "none",
        "what then: none, reject so that the trunk hunts on, or forward to the target (302)",
        choices=("none", "reject", "forward"),
        live=True,
    )
    overflow_target: str = setting("", "number that the overflow forwards to", live=True, number=True)
    greeting_limit_s: float = setting(
        2.0, "time from the answer to the agent's first word", unit="s", low=0.5, high=30.0, live=True
    )
    silent_pause_s: float = setting(
        5.0,
        "silence after each step of the silent-call procedure: greet, greet again, say so",
        unit="s",
        low=1.0,
        high=30.0,
        live=True,
    )
    silent_steps: int = setting(
        3, "steps of the silent-call procedure before the agent may hang up", low=1, high=5, live=True
    )
    silent_release: bool = setting(
        False, "whether the appliance hangs up after the last step of the silent-call procedure", live=True
    )
    weak_caller_dbov: float = setting(
        -42.0,
        "active speech level below which a caller can hardly be heard",
        unit="dBov",
        low=-60.0,
        high=-20.0,
        live=True,
    )
    noisy_caller_snr_db: float = setting(
        10.0,
        "signal-to-noise ratio below which a caller is drowned by noise",
        unit="dB",
        low=0.0,
        high=40.0,
        live=True,
    )
    poor_caller_asks: int = setting(
        3, "times a weak or noisy caller is asked before the agent may hang up", low=1, high=5, live=True
    )
    poor_caller_rise_db: float = setting(
        3.0,
        "how much louder the agent may become with a weak or noisy caller",
        unit="dB",
        low=0.5,
        high=20.0,
        live=True,
    )


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """Numbers of the voice norms (norms.md, section B)."""

    level_target_dbov: float = setting(
        -26.0, "middle of the band of active speech level", unit="dBov", low=-40.0, high=-10.0, live=True
    )
    level_band_db: float = setting(6.0, "half width of the band", unit="dB", low=1.0, high=20.0, live=True)
    level_hysteresis_db: float = setting(
        2.0,
        "how far inside its edge the level counts as back in the band",
        unit="dB",
        low=0.0,
        high=6.0,
        live=True,
    )
    level_outside_percent: float = setting(
        20.0, "share of active speech that may lie outside the band", unit="%", low=0.0, high=100.0, live=True
    )
    level_min_speech_s: float = setting(
        3.0, "active speech below which the norm is not judged", unit="s", low=0.5, high=60.0, live=True
    )
    noise_limit_dbov: float = setting(
        -45.0, "background noise allowed at the agent's desk", unit="dBov", low=-80.0, high=-20.0, live=True
    )
    noise_snr_min_db: float = setting(
        15.0, "least signal-to-noise ratio of the agent's voice", unit="dB", low=0.0, high=60.0, live=True
    )
    noise_persist_s: float = setting(
        10.0, "time after which noise is a breach", unit="s", low=5.0, high=300.0, live=True
    )
    rate_min_syllables_per_s: float = setting(
        4.0, "slowest moderate pace", unit="syllables/s", low=0.5, high=15.0, live=True
    )
    rate_max_syllables_per_s: float = setting(
        6.0, "fastest moderate pace", unit="syllables/s", low=0.5, high=15.0, live=True
    )
    rate_min_speech_s: float = setting(
        6.0,
        "articulated speech that a figure of the pace rests on",
        unit="s",
        low=1.0,
        high=60.0,
        live=True,
    )
    rate_outside_percent: float = setting(
        50.0, "share of the pace figures that may lie outside", unit="%", low=0.0, high=100.0, live=True
    )
    interruptions_allowed: int = setting(
        2, "times in a call that the customer may be talked over", low=0, high=100, live=True
    )
    dead_air_warn_s: float = setting(
        7.0,
        "silence of both sides after which the agent is prompted",
        unit="s",
        low=1.0,
        high=60.0,
        live=True,
    )
    dead_air_limit_s: float = setting(
        10.0, "longest silence of both sides", unit="s", low=2.0, high=120.0, live=True
    )
    mute_limit_s: float = setting(10.0, "longest pause on mute", unit="s", low=1.0, high=300.0, live=True)
    calm_heated_db: float = setting(
        6.0,
        "how far above his own level a customer counts as heated",
        unit="dB",
        low=2.0,
        high=20.0,
        live=True,
    )
    calm_rise_db: float = setting(
        3.0,
        "how much louder the agent may become with a heated customer",
        unit="dB",
        low=0.5,
        high=20.0,
        live=True,
    )
    calm_pace_percent: float = setting(
        20.0,
        "how much faster the agent may become with a heated customer",
        unit="%",
        low=1.0,
        high=100.0,
        live=True,
    )
    calm_window_s: float = setting(
        10.0,
        "how long the agent is watched after the customer grew heated",
        unit="s",
        low=2.0,
        high=60.0,
        live=True,
    )


@dataclass(frozen=True, slots=True)
class CallSettings:
    """Numbers of the norms of the call as a whole (norms.md, section C)."""

    length_limit_s: float = setting(
        600.0, "talk time after which a call is long", unit="s", low=10.0, high=14400.0, live=True
    )
    release_grace_s: float = setting(
        3.0,
        "silence after the goodbye that leaves the customer the time to hang up first",
        unit="s",
        low=0.0,
        high=30.0,
        live=True,
    )


@dataclass(frozen=True, slots=True)
class HoldSettings:
    """Numbers of the hold norm (norms.md, section C)."""

    limit_s: float = setting(
        180.0, "longest time a customer is on hold", unit="s", low=5.0, high=3600.0, live=True
    )
    warn_s: float = setting(
        150.0, "time on hold after which the agent is prompted", unit="s", low=1.0, high=3600.0, live=True
    )


@dataclass(frozen=True, slots=True)
class ReturnSettings:
    """Numbers of the norm on dropped calls (norms.md, section C)."""

    redial_s: float = setting(
        60.0,
        "time within which the agent dials again after a dropped call of ours",
        unit="s",
        low=5.0,
        high=3600.0,
        live=True,
    )
    caller_s: float = setting(
        300.0,
        "time that a dropped caller is left to ring again, before the call-back list has him",
        unit="s",
        low=5.0,
        high=3600.0,
        live=True,
    )
    call_back_s: float = setting(
        600.0,
        "time within which the agent calls him back then",
        unit="s",
        low=5.0,
        high=86400.0,
        live=True,
    )


@dataclass(frozen=True, slots=True)
class NotesSettings:
    """Numbers of the norm on notes (norms.md, section C)."""

    within_s: float = setting(
        60.0, "time after the call for its notes", unit="s", low=1.0, high=3600.0, live=True
    )
    required: tuple[str, ...] = setting(
        ("name", "matter"),
        "what is to be written down: name, firm, post, matter, promised (when and number are known)",
        live=True,
    )
    read_back: bool = setting(
        True, "notes with figures in them (numbers, times, quantities) are to be read back", live=True
    )


@dataclass(frozen=True, slots=True)
class OutboundSettings:
    """Numbers of the norms on calls of ours (norms.md, section C)."""

    weekday_hours: tuple[str, ...] = setting(
        ("09:00-12:00", "13:30-20:00"),
        "when people may be called from Monday to Friday, in their local time",
        live=True,
    )
    weekend_hours: tuple[str, ...] = setting(
        ("10:00-12:00", "14:00-20:00"), "when people may be called on Saturday and Sunday", live=True
    )
    holidays: bool = setting(False, "call on public holidays of the other side's country, too", live=True)
    ask_hours: bool = setting(False, "outside these hours dial only when a reason is given (2013)", live=True)
    ask_prepared: bool = setting(
        False, "dial only a contact, a call-back, or with a reason (2014)", live=True
    )


@dataclass(frozen=True, slots=True)
class SurveySettings:
    """Numbers of the norm on satisfaction (norms.md, section C)."""

    enabled: bool = setting(
        False, "ask callers for a digit of 1 to 5 after the agent has released the call", live=True
    )
    answer_s: float = setting(
        15.0,
        "time for the digit, from the release on",
        unit="s",
        low=2.0,
        high=120.0,
        live=True,
    )


@dataclass(frozen=True, slots=True)
class PromptSettings:
    """How often the agent is prompted; urgent prompts and openers are always shown."""

    gap_s: float = setting(
        5.0, "least time between two prompts of a call", unit="s", low=0.0, high=120.0, live=True
    )
    repeat_s: float = setting(
        30.0, "least time before the same prompt comes again", unit="s", low=0.0, high=600.0, live=True
    )
    quiet: bool = setting(False, "quiet mode: only urgent prompts are shown", live=True)
