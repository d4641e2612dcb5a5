"""``thirdring-device selftest``: which SIP stack this machine has, whether trunk and headset can be used."""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from thirdring.protocol.errors import ThirdringError, error
from thirdring_device.settings import Settings, load_settings

if TYPE_CHECKING:
    from thirdring_device.measurements import Measurement

__all__ = ["SelfTest", "add_parser", "examine"]

WANTED_CODECS = ("opus", "G722", "PCMA", "PCMU")
OLDEST_STACK = (2, 17)
"""2.16 and 2.17 closed holes that a stranger's packet can reach (CVE-2026-25994 and others)."""


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What was found. ``warnings`` do not keep the appliance from running, ``refusals`` do."""

    stack: str
    stack_path: str
    tls: str
    codecs: tuple[str, ...]
    alsa: str
    headset: str
    warnings: tuple[str, ...]
    refusals: tuple[ThirdringError, ...]


def examine(settings: Settings, *, headset: bool = True) -> SelfTest:
    """Load the SIP stack and look at it; open the headset, if asked to, and close it again.

    The stack fits once into a process and is gone afterwards.
    """
    from thirdring_device.adapters.headset.choose import check_opens, devices
    from thirdring_device.adapters.sip.facts import stack_facts
    from thirdring_device.adapters.sip.tls import check_tls, tls_library

    facts = stack_facts()
    library = tls_library()
    warnings, refusals = [], []
    if facts.version < OLDEST_STACK:
        warnings.append(
            f"{facts.name} lacks the security fixes of {OLDEST_STACK[0]}.{OLDEST_STACK[1]}: "
            "for development only; run scripts/build-pjsua2"
        )
    lacking = [name for name in WANTED_CODECS if name not in facts.codecs]
    if lacking:
        warnings.append(f"codecs that it lacks: {', '.join(lacking)}")
    if library is not None and not library.maintained:
        warnings.append(f"{library.name} gets no security fixes")
    if settings.trunk.transport == "tls":
        try:
            check_tls(settings.trunk)
        except ThirdringError as refusal:
            refusals.append(refusal)
    alsa = _alsa_version()
    if not alsa:
        warnings.append("libasound is not installed: the simulated headset only")
    for device in devices(settings.headset) if headset else ():
        try:
            check_opens(device)
        except ThirdringError as refusal:
            refusals.append(refusal)
    return SelfTest(
        stack=facts.name,
        stack_path=facts.path,
        tls=library.name if library else "none",
        codecs=facts.codecs,
        alsa=alsa,
        headset=settings.headset.device,
        warnings=tuple(warnings),
        refusals=tuple(refusals),
    )


def _alsa_version() -> str:
    """Return libasound's version, empty without it."""
    from thirdring_device.adapters.headset.alsa import AlsaError, alsa_version

    try:
        return alsa_version()
    except AlsaError:
        return ""


def _measured(settings: Settings, state_dir: Path | None) -> "list[Measurement]":
    """Return the figures; raises ``StorageError`` 5006 when the state folder cannot be written."""
    from thirdring_device.measurements import measure  # numpy: not for every command

    try:
        return list(measure(settings, state_dir))
    except OSError as reason:
        raise error(5006, f"{state_dir}: {reason}") from reason


def _first_password(state_dir: Path) -> str:
    from thirdring_device.gateway.first_password import password_line

    return password_line(state_dir)


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the appliance's."""
    text = (
        "say which SIP stack and TLS library are in use, whether the trunk may use them and the headset opens"
    )
    command = commands.add_parser("selftest", help=text, description=text)
    command.add_argument("--settings", type=Path, metavar="FILE", help="settings file (TOML)")
    command.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="the state folder: settings changed since, and the first password while it counts",
    )
    command.add_argument(
        "--leave-headset", action="store_true", help="do not open the headset: a running engine has it"
    )
    command.add_argument(
        "--measure", action="store_true", help="measure processor, meters, disk and memory; two seconds"
    )
    command.add_argument("--json", action="store_true", help="one JSON object instead of text")
    command.set_defaults(function=_run)


def _run(args: argparse.Namespace) -> int:
    settings = load_settings(args.settings, args.state)
    found = examine(settings, headset=not args.leave_headset)
    measured = _measured(settings, args.state) if args.measure else []
    if args.json:
        refusals = [str(refusal) for refusal in found.refusals]
        measurements = [asdict(one) for one in measured]
        print(json.dumps({**asdict(found), "refusals": refusals, "measurements": measurements}))
    else:
        print(f"SIP stack      {found.stack}, {found.stack_path}")
        print(f"TLS            {found.tls}")
        print(f"codecs         {', '.join(found.codecs)}")
        print(f"ALSA           {found.alsa or 'no'}")
        print(f"headset        {found.headset}")
        if args.state is not None:
            print(_first_password(args.state))
        for one in measured:
            limits = [f"from {one.low:g}"] * (one.low is not None) + [f"to {one.high:g}"] * (
                one.high is not None
            )
            result = "ok" if one.kept else "FAILED"
            print(f"{one.name:<22} {one.value:g} {one.unit} ({' '.join(limits)}): {result}")
        for warning in found.warnings:
            print(f"warning: {warning}")
    for refusal in found.refusals:
        raise refusal
    if not args.json:
        print("ok")
    return 0
