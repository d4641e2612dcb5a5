"""One question to the engine from a process that asks nothing else."""

import json
import socket
from pathlib import Path
from typing import Any, Final

from thirdring.protocol.codec import from_fields
from thirdring.protocol.commands import Command, GetState, command_to_json
from thirdring.protocol.errors import error
from thirdring.protocol.views import DeskState

__all__ = ["ask", "desk_state"]

SOCKET: Final = "engine.sock"
ANSWER_S: Final = 10.0
SOURCE: Final = "update"


def ask(state_dir: Path, command: Command) -> dict[str, Any]:
    """Return the engine's answer; raises ``ApplianceError`` 7000 (not there) or what the engine answers."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(ANSWER_S)
            line.connect(str(state_dir / SOCKET))
            line.sendall(json.dumps(command_to_json(command, 1)).encode() + b"\n")
            answer = json.loads(line.makefile("rb").readline())
    except (OSError, ValueError) as reason:
        raise error(7000, str(reason)) from reason
    if "error" in answer:
        raise error(int(answer["error"]["code"]), str(answer["error"]["detail"]))
    found = answer["result"]
    assert isinstance(found, dict)  # noqa: S101 - the engine's protocol
    return found


def desk_state(state_dir: Path) -> DeskState:
    """Return how things stand at the desk."""
    return from_fields(DeskState, ask(state_dir, GetState(source=SOURCE)))
