"""Appliances on the local network, found by mDNS and DNS-SD (RFC 6762, RFC 6763)."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from zeroconf import ServiceInfo

__all__ = ["LOOK_S", "SERVICE", "FoundAppliance", "discover"]

SERVICE: Final = "_thirdring._tcp.local."
LOOK_S: Final = 3.0
"""The first answer may go astray where several programs share the port (one of them gets it); the second
question, after a second, is answered to all (RFC 6762 clause 5.4)."""
ASK_S: Final = 1.0
LISTEN_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundAppliance:
    """One appliance: ``url`` is what ``Appliance`` takes. What it says of itself is not verified."""

    name: str
    url: str
    version: str


def discover(timeout_s: float = LOOK_S, *, interfaces: Sequence[str] | None = None) -> list[FoundAppliance]:
    """Look for ``timeout_s`` and return the appliances that answered, by name.

    ``interfaces`` are local addresses to look from, all of them by default. Must not run on an event loop.
    """
    from zeroconf import InterfaceChoice, ServiceBrowser, ServiceStateChange, Zeroconf

    names: list[str] = []
    found: dict[str, FoundAppliance] = {}

    def seen(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        names.append(name)

    deadline_s = time.monotonic() + timeout_s
    with Zeroconf(interfaces=list(interfaces) if interfaces else InterfaceChoice.All) as network:
        browser = ServiceBrowser(network, SERVICE, handlers=[seen])
        while (left_s := deadline_s - time.monotonic()) > 0:
            for name in set(names) - found.keys():
                info = network.get_service_info(SERVICE, name, timeout=int(1000 * min(ASK_S, left_s)))
                if info is not None and (appliance := _appliance(info)) is not None:
                    found[name] = appliance
            time.sleep(min(LISTEN_S, left_s))
        browser.cancel()
    return sorted(found.values(), key=lambda appliance: appliance.name)


def _appliance(info: "ServiceInfo") -> FoundAppliance | None:
    addresses = info.parsed_scoped_addresses()
    if not addresses or not info.port:
        return None
    host = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
    scheme = "https" if info.decoded_properties.get("scheme") == "https" else "http"
    return FoundAppliance(
        name=info.name.removesuffix(f".{SERVICE}"),
        url=f"{scheme}://{host}:{info.port}",
        version=info.decoded_properties.get("version") or "",
    )
