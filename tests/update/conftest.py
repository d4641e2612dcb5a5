"""A board with RAUC's real program for bundles, and a stand-in for what only the box's root can do."""

import random
from pathlib import Path

import pytest
from firmware_ports.recipe.bundle import Keys, development_keys, make_bundle, manifest
from firmware_ports.recipe.shell import Log

from thirdring_device.update.rauc import Rauc

BOARD, BUILD = "qemu-amd64", 1_700_000_000
INSTALLER = """\
#!/bin/sh
case "$*" in
install*) cat "$0.says"; exit "$(cat "$0.ends")" ;;
*" status mark-"*) echo "$3" >> "$0.marked" ;;
*) exec rauc "$@" ;;
esac
"""


class Board:
    """Where a unit of version 0.2.0 runs from slot A."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = Log(folder / "log")
        self.keys = development_keys(folder, self.log)
        self.strangers = development_keys(folder, self.log, "stranger")
        self.state_dir = folder / "state"
        self.state_dir.mkdir()
        self.installer = folder / "installer"
        self.installer.write_text(INSTALLER, encoding="ascii")
        self.installer.chmod(0o755)
        self.ends(0)
        config = folder / "system.conf"
        config.write_text(
            f"[system]\ncompatible={BOARD}\nbootloader=noop\nbundle-formats=-plain\nmountprefix={folder}/mnt\n"
            f"[keyring]\npath={self.keys.keyring}\nuse-bundle-signing-time=true\n",
            encoding="ascii",
        )
        (folder / "version").write_text("0.2.0+abc\n", encoding="ascii")
        (folder / "build").write_text(f"{BUILD}\n", encoding="ascii")
        self.rauc = Rauc(config, folder, folder / "cmdline", (str(self.installer),))
        self.started("A")

    def started(self, slot: str) -> None:
        """Have the boot loader say which slot it has started."""
        (self.folder / "cmdline").write_text(f"ro quiet rauc.slot={slot}\n", encoding="ascii")

    def ends(
        self, code: int, says: str = "installing\n  0% Installing\n 40% Copying image\n100% done\n"
    ) -> None:
        """Have an installation say and end so."""
        self.installer.with_name("installer.says").write_text(says, encoding="utf-8")
        self.installer.with_name("installer.ends").write_text(str(code), encoding="ascii")

    @property
    def marked(self) -> list[str]:
        """How the running slot was marked."""
        path = self.installer.with_name("installer.marked")
        return path.read_text(encoding="ascii").split() if path.exists() else []

    def bundle(
        self, board: str = BOARD, version: str = "0.2.1+def", build: int = BUILD, keys: Keys | None = None
    ) -> Path:
        """Return a signed bundle, with the real tools."""
        image, made = self.folder / "image", self.folder / "made.raucb"
        image.write_bytes(random.Random(0).randbytes(64 << 10))
        make_bundle(image, manifest(board, version, build), keys or self.keys, self.folder, made, self.log)
        return made


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)
