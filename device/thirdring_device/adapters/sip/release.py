"""Who released a call, and why, told from the last SIP message. Pure."""

from typing import Final, Literal

from thirdring.protocol.events import Cause, Party

__all__ = ["Trigger", "ended_by_other_side"]

Trigger = Literal["message", "timer", "transport"]
"""What ended the call: a message from the wire, a timer of ours, a dead transport."""

OUTGOING: Final[dict[int, tuple[Party, Cause]]] = {
    486: ("customer", "busy"),
    600: ("customer", "busy"),
    480: ("customer", "no_answer"),
    408: ("customer", "no_answer"),
    487: ("customer", "no_answer"),
    603: ("customer", "rejected"),
    403: ("network", "rejected"),
    607: ("customer", "rejected"),
}
"""Final answers to our INVITE (RFC 3261 clause 21, RFC 8197); every other one: the network failed."""


def ended_by_other_side(
    *, incoming: bool, answered: bool, sip_code: int, method: str, trigger: Trigger
) -> tuple[Party, Cause]:
    """Return who ended a call that we did not end.

    ``method`` is the request of the last transaction, ``sip_code`` its final answer.
    """
    if answered:
        return ("customer", "hangup") if method == "BYE" and trigger == "message" else ("network", "lost")
    if trigger != "message":
        return ("network", "failed")
    if incoming:
        return ("customer", "cancelled") if sip_code == 487 else ("network", "failed")
    return OUTGOING.get(sip_code, ("network", "failed"))
