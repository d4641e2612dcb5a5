"""The settings of call handling: what the desk does with calls besides judging them."""

from dataclasses import dataclass

from thirdring_device.core.settings import setting

__all__ = ["CallsSettings"]


@dataclass(frozen=True, slots=True)
class CallsSettings:
    """What the desk does with calls."""

    waiting: bool = setting(
        True, "let a second call wait, alerting quietly; otherwise it hears busy (486)", live=True
    )
