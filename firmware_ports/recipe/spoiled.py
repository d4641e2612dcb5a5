"""Updates that a box must refuse or get over, for the bench: ``hil/suites/test_update.py``."""

import random
from pathlib import Path
from typing import Final

from firmware_ports.recipe.bundle import Keys, make_bundle, manifest
from firmware_ports.recipe.disk import copy_sparse
from firmware_ports.recipe.shell import Log

__all__ = ["make_spoiled"]

STUB_BYTES: Final = 64 << 10
"""What is refused before it is installed need not be a system; RAUC refuses an empty one."""
BROKEN: Final = {
    "dead-engine": ("/usr/lib/thirdring/site/thirdring_device/engine/main.py", "raise SystemExit(1)\n"),
    "dead-init": ("/usr/lib/thirdring/init", "#!/bin/sh\nwhile :; do sleep 1000; done\n"),
}
"""File of the system, what stands there instead: an engine that ends, a first process that hangs."""


def make_spoiled(
    slot: Path,
    board: str,
    version: str,
    build: int,
    signers: tuple[Keys, Keys],
    work: Path,
    out: Path,
    log: Log,
) -> None:
    """Write ``thirdring-BOARD.WHY.raucb`` for each why into the folder ``out``; signers: ours, strangers."""
    keys, strangers = signers
    right = manifest(board, version, build)
    stub = work / "stub.ext4"
    stub.write_bytes(random.Random(0).randbytes(STUB_BYTES))  # noqa: S311 - must not compress
    for why, text, signer in (
        ("stranger", right, strangers),
        ("other-board", manifest("another-board", version, build), keys),
        ("older", manifest(board, version, build - 1), keys),
    ):
        make_bundle(stub, text, signer, work, _file(out, board, why), log)
    for why, (place, instead) in BROKEN.items():
        image = work / "broken.ext4"
        copy_sparse(slot, image, log)
        content = work / "instead"
        content.write_text(instead, encoding="ascii")
        script = work / "spoil.debugfs"
        # The compiled module goes, too: it would be believed without a look at the source.
        folder, _, module = place.rpartition("/")
        compiled = f"{folder}/__pycache__/{module.removesuffix('.py')}.cpython-311.pyc"
        lines = [f"rm {place}", f"write {content} {place}", f"set_inode_field {place} mode 0100755"]
        lines += [f"rm {compiled}"] if place.endswith(".py") else []
        script.write_text("\n".join(lines) + "\n", encoding="ascii")
        log.run(["debugfs", "-w", "-f", script, image])
        make_bundle(image, right, keys, work, _file(out, board, why), log)
        image.unlink()
    good = _file(out, board, "")
    damaged = bytearray(good.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    _file(out, board, "damaged").write_bytes(damaged)


def _file(out: Path, board: str, why: str) -> Path:
    return out / f"thirdring-{board}{'.' if why else ''}{why}.raucb"
