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
    do_not_disturb: bool = setting(False, "let no call ring", live=True)
    do_not_disturb_answer: str = setting(
        "unavailable",
        "what callers get then: unavailable (480) or busy (486)",
        choices=("unavailable", "busy"),
        live=True,
    )
    forward_to: str = setting(
        "", "number that every call is sent on to (302); empty: none", live=True, number=True
    )
    forward_busy_to: str = setting(
        "", "number that a call is sent on to instead of hearing busy; empty: none", live=True, number=True
    )
    auto_answer: bool = setting(False, "answer every call that does not wait, by itself", live=True)
    auto_answer_after_s: float = setting(
        0.0, "how long it rings before", unit="s", low=0.0, high=60.0, live=True
    )
    answer_after: bool = setting(
        False, "answer by itself what the trunk sends with Call-Info: answer-after", live=True
    )
    trust_asserted_identity: bool = setting(
        False, "take number and name from the trunk's P-Asserted-Identity (RFC 3325)", live=True
    )
    fax_target: str = setting(
        "",
        "number that a fax caller, told by its CNG tone, is transferred to; empty: none",
        live=True,
        number=True,
    )
    dtmf_out: str = setting(
        "auto",
        "how digits are sent: RFC 4733 events, SIP INFO, tones; auto: events, INFO where there are none",
        choices=("auto", "event", "info", "tone"),
        live=True,
    )
    dtmf_ms: int = setting(100, "length of a digit that is sent", unit="ms", low=40, high=5000, live=True)
    dtmf_pause_ms: int = setting(
        100, "pause behind a digit that is sent", unit="ms", low=40, high=5000, live=True
    )
    hold_sound: str = setting("", "sound file that held customers hear, over and over; empty: silence")
    accept_replaces: bool = setting(
        True,
        "let a call of the trunk take the place of one that is up (INVITE with Replaces, RFC 3891), as when "
        "a colleague transfers a customer to the agent",
        live=True,
    )
    accept_refer: bool = setting(
        False,
        "let the other side of a call send us on by REFER, where the dial plan allows it",
        live=True,
    )
