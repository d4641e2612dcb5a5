"""Factory reset asked for on the page, over the API or on the serial console."""

import asyncio
from pathlib import Path
from typing import Final

from thirdring.protocol.codec import from_fields
from thirdring.protocol.commands import GetState
from thirdring.protocol.errors import ThirdringError, error
from thirdring.protocol.views import DeskState
from thirdring_device.factory_reset import ask_for_reset
from thirdring_device.gateway.machine import serial_number
from thirdring_device.gateway.selftest import Client

__all__ = ["reset_unit"]

SOURCE: Final = "factory reset"
ENGINE_IS_GONE: Final = (7000, 7001)


async def reset_unit(client: Client, state_dir: Path, confirmed: str) -> None:
    """Have the unit wiped and started anew, within seconds; ``confirmed`` is its serial number.

    An engine that does not answer is no hindrance: a reset may be what mends it. Raises ``RequestError``
    1010, ``CallError`` 2003 while a call is there, ``StorageError`` 5006.
    """
    if confirmed.strip() != serial_number():
        raise error(1010, f"it is {serial_number()}")
    try:
        state = from_fields(DeskState, await client.command(GetState(source=SOURCE)))
    except ThirdringError as reason:
        if reason.code not in ENGINE_IS_GONE:
            raise
    else:
        if state.calls:
            raise error(2003, "a reset would cut it off")
    await asyncio.to_thread(ask_for_reset, state_dir)
