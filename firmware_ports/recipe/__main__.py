"""``scripts/build-image PORT``: the image of a board, from signed packages and this checkout."""

import argparse
import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from firmware_ports.recipe.base import base_system
from firmware_ports.recipe.bundle import Keys, development_keys, make_bundle, manifest
from firmware_ports.recipe.card import make_card
from firmware_ports.recipe.disk import ROOT_SLOT, copy_sparse, make_disk, written_bytes
from firmware_ports.recipe.foreign import runs_here
from firmware_ports.recipe.ports import ROOT, Port, find_port, port_names
from firmware_ports.recipe.shell import BuildFault, Log, say
from firmware_ports.recipe.spoiled import make_spoiled
from firmware_ports.recipe.tree import fill
from firmware_ports.recipe.wheels import wheels

from thirdring.protocol.errors import ThirdringError

TOOLS = Path(__file__).resolve().parents[2] / "scripts" / "apt-packages-image.txt"
FOREIGN_TOOLS = TOOLS.with_stem("apt-packages-image-arm64")

INSTALL = ("--no-install-recommends", "-o", "DPkg::Lock::Timeout=600")
"""Somebody else may be installing something."""


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(os.environ.get("THIRDRING_CACHE") or Path(home) / "thirdring") / "image"
    path.mkdir(parents=True, exist_ok=True)
    return path


def _install_tools(architecture: str, log: Log) -> None:
    """Install the Debian packages that the recipe itself needs."""
    lists = [TOOLS] if runs_here(architecture, log) else [TOOLS, FOREIGN_TOOLS]
    lines = [line for file in lists for line in file.read_text(encoding="ascii").splitlines()]
    wanted = [line for line in lines if line and line[0] != "#"]
    missing = [
        name
        for name in wanted
        if "ok installed"
        not in subprocess.run(
            ["dpkg-query", "-W", "-f=${Status}", name], capture_output=True, text=True, check=False
        ).stdout
    ]
    if missing:
        with log.step(f"tools: {' '.join(missing)}"):
            log.run(["apt-get", "update", "-qq"])
            quiet = {"DEBIAN_FRONTEND": "noninteractive"}
            log.run(["apt-get", "install", "-y", "-qq", *INSTALL, *missing], env=quiet)


def _version() -> tuple[str, int]:
    """Return what the image says it is, and the time of the newest commit, in s since 1970."""
    git = ["git", "-C", str(ROOT), "-c", f"safe.directory={ROOT}"]
    text = subprocess.run([*git, "log", "-1", "--format=%ct %h"], capture_output=True, text=True, check=True)
    epoch, commit = text.stdout.split()
    changed = subprocess.run(
        [*git, "status", "--porcelain"], capture_output=True, text=True, check=True
    ).stdout
    return f"0.1.0+{commit}{'.changed' if changed else ''}", int(os.environ.get("SOURCE_DATE_EPOCH", epoch))


@dataclass(frozen=True)
class Wanted:
    """What is made beside the image: the update, spoiled ones for the bench; no keys: the development's."""

    bundle: bool = False
    spoiled: bool = False
    keys: Keys | None = None


def build(name: str, out: Path, wanted: Wanted) -> Path:
    """Make the image of a port and return its file; raises ``BuildFault``."""
    port = find_port(name)
    if os.geteuid() != 0:
        raise BuildFault(
            "files of an image belong to many users: run it as root (sudo scripts/build-image ...)"
        )
    if port.board.storage.boot != "efi" and (wanted.bundle or wanted.spoiled):
        raise BuildFault(f"no update is made for {name}: its boot loader cannot change slots yet")
    cache = _cache()
    with _alone(cache):
        return _build(port, cache, out, wanted)


@contextlib.contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """Wait until no other build uses what is kept."""
    with (cache / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another build to end")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(port: Port, cache: Path, out: Path, wanted: Wanted) -> Path:
    began_s, name = time.monotonic(), port.name
    log = Log(out / f"{name}.log")
    _install_tools(port.board.image.architecture, log)
    keys = wanted.keys or development_keys(cache, log)
    keys.check()
    version, epoch = _version()
    work = cache / f"work-{name}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        files = wheels(port.board.image.architecture, cache, work, epoch, log)
        base = base_system(port, cache, log)
        root = work / "root"
        root.mkdir()
        with log.step("system"):
            log.run(["tar", "-xf", base, "-C", root, "--numeric-owner", "--xattrs", "--xattrs-include=*"])
            fill(root, port, files, keys.keyring, version, epoch, log)
        with log.step("disk"):
            if port.board.storage.boot == "pi":
                disk = make_card(port, root, work, cache, epoch, log)
            else:
                disk = make_disk(port, root, work, epoch, log)
            image = out / f"thirdring-{name}.img"
            new = image.with_suffix(".new")
            copy_sparse(disk, new, log)
            new.replace(image)
        slot = work / "in" / ROOT_SLOT
        if wanted.bundle or wanted.spoiled:
            with log.step("update"):
                bundle = out / f"thirdring-{name}.raucb"
                make_bundle(slot, manifest(name, version, epoch), keys, work, bundle, log)
                say(f"{bundle}: {bundle.stat().st_size / 1e6:.0f} MB")
        if wanted.spoiled:
            with log.step("spoiled updates"):
                strangers = development_keys(cache, log, "stranger")
                make_spoiled(slot, name, version, epoch, (keys, strangers), work, out, log)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    megabytes = written_bytes(image) / 1e6
    say(f"{image}: version {version}, {megabytes:.0f} MB written, {time.monotonic() - began_s:.0f} s in all")
    return image


def main() -> int:
    """Run the command line; 0: done, 1: it cannot be made."""
    text = "Make the image of a board. What was fetched and built is kept below ~/.cache/thirdring."
    parser = argparse.ArgumentParser(prog="scripts/build-image", description=text)
    parser.add_argument("port", metavar="PORT", help=", ".join(port_names()))
    default = ROOT / "out" / "images"
    parser.add_argument("--out", type=Path, default=default, metavar="DIR", help="default: out/images")
    for option, text in (
        ("--bundle", "also make the update for boxes with an older image"),
        ("--spoiled", "also make updates that a box must refuse or get over, for the bench"),
    ):
        parser.add_argument(option, action="store_true", help=text)
    for option, text in (
        ("--sign-with", "key of updates (default: one made once, for development)"),
        ("--certificate", "its certificate"),
        ("--keyring", "certificates that the image believes (default: --certificate)"),
    ):
        parser.add_argument(option, type=Path, metavar="PEM", help=text)
    args = parser.parse_args()
    if (args.sign_with is None) != (args.certificate is None):
        parser.error("--sign-with and --certificate go together")
    keys = None
    if args.sign_with:
        keys = Keys(args.sign_with, args.certificate, args.keyring or args.certificate)
    args.out.mkdir(parents=True, exist_ok=True)
    try:
        build(args.port, args.out.resolve(), Wanted(args.bundle, args.spoiled, keys))
    except (BuildFault, ThirdringError) as reason:
        say(str(reason))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
