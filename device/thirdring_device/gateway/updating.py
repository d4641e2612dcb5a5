"""How updates stand, as every way of asking tells it."""

from dataclasses import asdict

from thirdring.protocol.views import UpdateState
from thirdring_device.update.rauc import Rauc
from thirdring_device.update.state import UpdateFolder

__all__ = ["update_state"]


def update_state(rauc: Rauc, folder: UpdateFolder, version: str) -> UpdateState:
    """Return how updates stand; ``version`` is what runs where there is no image."""
    running = rauc.running.text if rauc.supported else version
    return UpdateState(supported=rauc.supported, running=running, slot=rauc.slot, **asdict(folder.progress()))
