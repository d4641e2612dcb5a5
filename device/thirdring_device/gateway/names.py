"""The names and addresses that clients may call the HTTP server by."""

import ipaddress
import socket
from typing import Final

from thirdring_device.settings import GatewaySettings

__all__ = ["is_loopback", "served_names"]

EVERY_ADDRESS: Final = {"0.0.0.0", "::"}
"""Listened on, never a name that a client may call us by: browsers let any site reach 0.0.0.0."""


def served_names(settings: GatewaySettings) -> set[str]:
    """Return them in lower case, without ports and brackets.

    The unit's own names are among them when it is open to the network.
    """
    names = {*settings.allowed_hosts, settings.host}
    if settings.host in EVERY_ADDRESS:
        own = socket.gethostname().partition(".")[0]
        names |= {own, f"{own}.local", f"thirdring-{own}.local"}
    return {name.lower().removeprefix("[").removesuffix("]") for name in names} - EVERY_ADDRESS


def is_loopback(settings: GatewaySettings) -> bool:
    """Return whether nobody but this machine is listened to."""
    try:
        return ipaddress.ip_address(settings.host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return settings.host == "localhost"
