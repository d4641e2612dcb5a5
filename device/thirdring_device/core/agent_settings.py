"""The settings of the agent's states."""

from dataclasses import dataclass

from thirdring_device.core.settings import setting

__all__ = ["AgentSettings"]


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """What the agent's states do."""

    start_state: str = setting(
        "ready", "state of the agent when the appliance starts", choices=("ready", "break", "away")
    )
    wrap_up_s: float = setting(
        30.0,
        "time to write things down after a call, before the agent is ready again",
        unit="s",
        low=0.0,
        high=3600.0,
        live=True,
    )
    absent_calls: str = setting(
        "refuse",
        "what callers get while the agent is on break or away: ring, refuse (480, so that the trunk hunts on)"
        " or forward",
        choices=("ring", "refuse", "forward"),
        live=True,
    )
    absent_target: str = setting(
        "", "number that calls are forwarded to then (302); empty: they are refused", live=True, number=True
    )
