"""How things stand at the desk, as ``get_state`` tells it."""

from importlib.metadata import version

from thirdring.protocol.events import TrunkState
from thirdring.protocol.views import CallView, DeskState
from thirdring_device.core.desk import Desk

__all__ = ["state_view"]


def state_view(
    desk: Desk,
    *,
    board: str,
    sip_stack: str,
    trunk: tuple[TrunkState, str, int],
    storage_full: bool,
    strangers_refused: int,
    last_event: int,
) -> DeskState:
    """Return the view; ``trunk`` is its state, the reason for it and the last SIP code."""
    state, reason, sip_code = trunk
    return DeskState(
        version=version("thirdring-device"),
        board=board,
        sip_stack=sip_stack,
        trunk=state,
        trunk_reason=reason,
        trunk_sip_code=sip_code,
        storage="full" if storage_full else "ok",
        strangers_refused=strangers_refused,
        calls=tuple(
            CallView(
                call_id=call.call_id,
                index=call.index,
                direction="incoming" if call.incoming else "outgoing",
                state=call.state,  # type: ignore[arg-type]
                number=call.number,
                display_name=call.display_name,
                rings=desk.rings(call.call_id),
                started_utc=call.started_utc,
                held_by_customer=call.held_by_customer,
                muted=call.muted,
                waiting=desk.waits(call),
                conference=call.conference,
                recording=call.recording,
            )
            for call in desk.calls
        ),
        last_event=last_event,
        agent=desk.agent.name,
        agent_state=desk.agent.state,
    )
