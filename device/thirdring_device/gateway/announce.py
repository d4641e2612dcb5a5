"""Lets hosts on the local network find the appliance by mDNS and DNS-SD (RFC 6762, RFC 6763)."""

import asyncio
import contextlib
import ipaddress
import logging
import socket
from functools import partial
from typing import Final

from thirdring.discovery import SERVICE
from thirdring_device.gateway.names import is_loopback
from thirdring_device.settings import GatewaySettings

__all__ = ["announce", "is_announced"]

EVERY_ADDRESS: Final = ("0.0.0.0", "::")

logger = logging.getLogger(__name__)


def is_announced(settings: GatewaySettings) -> bool:
    """Return whether to tell the network: as set, or when others than this machine are listened to."""
    if settings.announce != "auto":
        return settings.announce == "on"
    return not is_loopback(settings)


async def announce(settings: GatewaySettings, version: str) -> None:
    """Announce the HTTP server until cancelled; without a network it is only logged."""
    from zeroconf import Error as ZeroconfError  # not loaded by a gateway that announces nothing
    from zeroconf import InterfaceChoice
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

    name = f"Thirdring {socket.gethostname().partition('.')[0]}"
    everywhere = _bare(settings.host) in EVERY_ADDRESS
    try:
        own = _own_addresses if everywhere else partial(_own_address, _bare(settings.host))
        addresses = await asyncio.to_thread(own)
        network = AsyncZeroconf(interfaces=InterfaceChoice.All if everywhere else addresses)
    except OSError as reason:
        logger.warning("not announced on the network: %s", reason)
        return
    try:
        info = AsyncServiceInfo(
            SERVICE,
            f"{name}.{SERVICE}",
            port=settings.port,
            parsed_addresses=addresses,
            properties={"version": version, "scheme": "http" if settings.tls == "off" else "https"},
            server=f"{name.replace(' ', '-').lower()}.local.",
        )
        await (await network.async_register_service(info, allow_name_change=True))
        try:
            await asyncio.Event().wait()
        finally:
            with contextlib.suppress(ZeroconfError, OSError):
                await (await network.async_unregister_service(info))
    except (ZeroconfError, OSError) as reason:
        logger.warning("not announced on the network: %s", reason)
    finally:
        await network.async_close()


def _own_addresses() -> list[str]:
    import ifaddr  # zeroconf's own way to know them

    found = [str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4]
    return [address for address in found if not ipaddress.ip_address(address).is_loopback]


def _own_address(host: str) -> list[str]:
    """Return the address of ``host``; raises ``OSError`` unless it is one of this machine."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.bind(address)
    return [str(address[0])]


def _bare(host: str) -> str:
    return host.removeprefix("[").removesuffix("]")
