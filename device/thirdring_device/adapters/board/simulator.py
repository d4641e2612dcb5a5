"""The simulator board: lamp and ringer are a file in the state folder that anybody may watch."""

import json
import logging
from pathlib import Path
from typing import Any, Final, Literal

from thirdring_device.core.rings import RING_GAINS_DB, Urgency

__all__ = ["SimulatorBoard"]

log = logging.getLogger(__name__)

LAMPS: Final = {"normal": "slow", "warn": "fast", "urgent": "fast", "breach": "steady", "waiting": "slow"}


class SimulatorBoard:
    """Shows lamp and ringer as ``DIR/board.json``."""

    name = "simulator"

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "board.json"
        self._state: dict[str, Any] = {"headset": "ok"}
        self.set_ringer(None)

    def set_ringer(self, urgency: Urgency | Literal["waiting"] | None) -> None:
        """See ``Board``."""
        self._show(
            ringer=urgency or "off",
            ringer_gain_db=RING_GAINS_DB[urgency] if urgency else None,
            lamp=LAMPS[urgency] if urgency else "off",
        )

    def set_headset_lamp(self, *, lost: bool) -> None:
        """See ``Board``."""
        self._show(headset="lost" if lost else "ok")

    def _show(self, **changes: Any) -> None:
        """Write the new state; a full disk costs the picture, not the call."""
        self._state.update(changes)
        try:
            new = self._path.with_suffix(".new")
            new.write_text(json.dumps(self._state) + "\n", encoding="utf-8")
            new.replace(self._path)
        except OSError as reason:
            log.warning("board state not written: %s", reason)
