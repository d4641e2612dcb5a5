"""The simulator board: lamp and ringer are a file in the state folder that anybody may watch."""

import json
import logging
from pathlib import Path
from typing import Final, Literal

from thirdring_device.core.rings import Urgency

__all__ = ["SimulatorBoard"]

log = logging.getLogger(__name__)

LAMPS: Final = {"normal": "slow", "warn": "fast", "urgent": "fast", "breach": "steady", "waiting": "slow"}
GAINS_DB: Final = {"normal": 0, "warn": 6, "urgent": 6, "breach": 6, "waiting": -20}
"""The ringer grows 6 dB louder at the warning (norms.md, answer.rings); a waiting call only knocks."""


class SimulatorBoard:
    """Shows lamp and ringer as ``DIR/board.json``."""

    name = "simulator"

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "board.json"
        self.set_ringer(None)

    def set_ringer(self, urgency: Urgency | Literal["waiting"] | None) -> None:
        """Write the new state; a full disk costs the picture, not the call."""
        state = {
            "ringer": urgency or "off",
            "ringer_gain_db": GAINS_DB[urgency] if urgency else None,
            "lamp": LAMPS[urgency] if urgency else "off",
        }
        try:
            new = self._path.with_suffix(".new")
            new.write_text(json.dumps(state) + "\n", encoding="utf-8")
            new.replace(self._path)
        except OSError as reason:
            log.warning("board state not written: %s", reason)
