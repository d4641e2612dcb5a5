"""The section ``[hooks]``: who is told of events by HTTP."""

from dataclasses import dataclass

from thirdring_device.core.settings import setting

__all__ = ["HooksSettings"]


@dataclass(frozen=True, slots=True)
class HooksSettings:
    """Web hooks: events posted to addresses of yours, signed (Standard Webhooks)."""

    urls: tuple[str, ...] = setting((), "http or https addresses that events are posted to")
    events: tuple[str, ...] = setting(
        ("call_incoming", "call_answered", "call_ended", "norm_noted", "verdict"),
        "kinds of events that are told; *: every one",
    )
    secret_file: str = setting(
        "", "file with the secret, whsec_BASE64; empty: hook-secret in the state folder, made when missing"
    )
    networks: tuple[str, ...] = setting(
        (),
        "networks besides the public internet that may be posted to, such as 192.168.1.0/24 or 127.0.0.0/8",
    )
    ca_file: str = setting(
        "", "PEM file of the certificate authorities trusted for https; empty: the system's"
    )
    timeout_s: float = setting(10.0, "how long one post may take", unit="s", low=0.5, high=60.0)
    retry_first_s: float = setting(
        5.0, "pause after a post in vain, doubled each time", unit="s", low=0.1, high=3600.0
    )
    retry_longest_s: float = setting(900.0, "the longest such pause", unit="s", low=0.1, high=86400.0)
    keep_h: float = setting(
        72.0,
        "events older than this that are still refused go to the list of dead letters",
        unit="h",
        low=0.0,
        high=8760.0,
    )
