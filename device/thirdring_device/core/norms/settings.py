"""The numbers of the norms, one section a family; every one is a setting."""

from dataclasses import dataclass

from thirdring_device.core.settings import setting

__all__ = ["AnswerSettings", "VoiceSettings"]


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
        "none", "what then: none, or reject so that the trunk hunts on", choices=("none", "reject"), live=True
    )
    greeting_limit_s: float = setting(
        2.0, "time from the answer to the agent's first word", unit="s", low=0.5, high=30.0, live=True
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
