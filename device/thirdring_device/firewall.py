"""``thirdring-device firewall``: the ports that the settings name, as nftables commands."""

import argparse
from pathlib import Path

from thirdring_device.settings import Settings, load_settings
from thirdring_device.sip_settings import RTP_PORTS

__all__ = ["add_parser", "open_ports"]


def open_ports(settings: Settings) -> str:
    """Return commands that give the sets of the image's ``/etc/nftables.conf`` the ports of ``settings``."""
    sip, first = settings.sip, settings.sip.rtp_port
    tcp = {sip.port, settings.gateway.port} | ({sip.tls_port} if settings.trunk.transport == "tls" else set())
    wanted = {
        "phone_udp": f"{sip.port}, {first}-{first + RTP_PORTS - 1}",
        "served_tcp": ", ".join(map(str, sorted(tcp - {0}))),
    }
    lines = []
    for name, ports in wanted.items():
        lines += [f"flush set inet thirdring {name}", f"add element inet thirdring {name} {{ {ports} }}"]
    return "\n".join(lines) + "\n"


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the appliance's."""
    text = "print nftables commands that open the ports of the settings, and no others"
    command = commands.add_parser("firewall", help=text, description=text)
    command.add_argument("--state", type=Path, required=True, metavar="DIR", help="the state folder")
    command.add_argument("--settings", type=Path, metavar="FILE", help="settings file (TOML)")
    command.set_defaults(function=_run)


def _run(args: argparse.Namespace) -> int:
    print(open_ports(load_settings(args.settings, args.state)), end="")  # noqa: T201 - the command's answer
    return 0
