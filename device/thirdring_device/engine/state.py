"""How things stand at the desk, as ``get_state`` tells it."""

from importlib.metadata import version

from thirdring.protocol.events import Event, StrangerRefused, TrunkChanged, TrunkState
from thirdring.protocol.views import CallView, DeskState
from thirdring_device.core.desk import Desk

__all__ = ["Standing"]


class Standing:
    """What is known besides the calls, kept from the facts."""

    def __init__(self) -> None:
        self.trunk: TrunkState = "static"
        self.trunk_reason = ""
        self._sip_code = 0
        self._strangers = 0

    @property
    def can_dial(self) -> bool:
        """Whether the trunk takes calls of ours."""
        return self.trunk in ("static", "registered")

    def note(self, event: Event) -> None:
        """Take in a fact."""
        if isinstance(event, TrunkChanged):
            self.trunk, self.trunk_reason, self._sip_code = event.state, event.reason, event.sip_code
        elif isinstance(event, StrangerRefused):
            self._strangers = event.count

    def view(
        self, desk: Desk, *, board: str, sip_stack: str, storage_full: bool, last_event: int
    ) -> DeskState:
        """Return all of it, with the calls of ``desk``."""
        return DeskState(
            version=version("thirdring-device"),
            board=board,
            sip_stack=sip_stack,
            trunk=self.trunk,
            trunk_reason=self.trunk_reason,
            trunk_sip_code=self._sip_code,
            storage="full" if storage_full else "ok",
            strangers_refused=self._strangers,
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
