"""What the SIP stack that Python finds is and can; for the self-test. Not while the engine's stack runs."""

from dataclasses import dataclass
from pathlib import Path

import pjsua2 as pj

from thirdring_device.adapters.sip.endpoint import silenced_stdout

__all__ = ["StackFacts", "stack_facts"]


@dataclass(frozen=True, slots=True)
class StackFacts:
    """``codecs`` by their SDP names."""

    name: str
    version: tuple[int, int]
    path: str
    codecs: tuple[str, ...]


def stack_facts() -> StackFacts:
    """Start the stack, look, shut it down; raises ``pjsua2.Error`` when it does not start."""
    endpoint = pj.Endpoint()
    with silenced_stdout():
        endpoint.libCreate()
    try:
        config = pj.EpConfig()
        config.logConfig.level = config.logConfig.consoleLevel = 1
        endpoint.libInit(config)
        names = [codec.codecId.partition("/")[0] for codec in endpoint.codecEnum2()]
        found = endpoint.libVersion()
    finally:
        endpoint.libDestroy()
    return StackFacts(
        name=f"pjsua2 {found.full}",
        version=(found.major, found.minor),
        path=str(Path(pj.__file__).parent),
        codecs=tuple(dict.fromkeys(names)),
    )
