"""The root file system: Debian's packages, our own part, the overlays, what the board's file says."""

import os
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

from firmware_ports.recipe.bundle import system_config
from firmware_ports.recipe.ports import Port
from firmware_ports.recipe.shell import Log
from firmware_ports.recipe.wheels import install

__all__ = ["fill", "merged_settings", "packages_of"]

OURS: Final = Path("usr/lib/thirdring")
SITE: Final = OURS / "site"
LAUNCHER: Final = """\
#!/usr/bin/python3 -Es
import sys

sys.path.insert(0, "/usr/lib/thirdring/site")
from thirdring_device.cli import main

sys.exit(main())
"""
EMPTY: Final = ("var", "etc/apt/sources.list.d", "usr/share/man", "usr/share/info", "tmp", "run", "root")
REMOVED: Final = (
    *("etc/hostname", "etc/apt/sources.list", "etc/resolv.conf", "usr/lib/python3.11/test"),
    *(
        "usr/lib/python3.11/idlelib",
        "usr/lib/python3.11/lib2to3",
        "etc/initramfs-tools",
        "initrd.img",
        "vmlinuz",
    ),
    *("initrd.img.old", "vmlinuz.old"),
)


def fill(
    root: Path, port: Port, wheels: list[Path], keyring: Path, version: str, epoch: int, log: Log
) -> None:
    """Make the unpacked base below ``root`` the port's system; no file is younger than ``epoch``.

    ``keyring``: certificates whose owners may sign updates for it.
    """
    about = root / "usr/share/thirdring"
    about.mkdir(parents=True)
    (about / "debian-packages.tsv").write_text(packages_of(root, log), encoding="utf-8")
    names = install(wheels, root / SITE, port.board.image.architecture, log)
    (about / "python-packages.txt").write_text("\n".join(sorted(names)) + "\n", encoding="utf-8")
    (about / "version").write_text(version + "\n", encoding="utf-8")
    (about / "build").write_text(f"{epoch}\n", encoding="ascii")
    _launcher(root)
    for folder in port.overlays:
        if (folder / "overlay").is_dir():
            shutil.copytree(folder / "overlay", root, symlinks=True, dirs_exist_ok=True)
    _configure(root, port)
    if port.board.storage.boot == "efi":
        (root / "etc/rauc").mkdir(exist_ok=True)
        (root / "etc/rauc/system.conf").write_text(system_config(port), encoding="ascii")
        shutil.copyfile(keyring, root / "etc/rauc/keyring.pem")
    for kernel in ("vmlinuz", "initrd.img"):  # one name whatever the version
        (newest,) = sorted((root / "boot").glob(f"{kernel}-*"))
        newest.rename(root / "boot" / kernel)
    for name in EMPTY:
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir()
    (root / "tmp").chmod(0o1777)
    (root / "root").chmod(0o700)
    for name in REMOVED:
        path = root / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    (root / "etc/machine-id").write_text(
        "", encoding="ascii"
    )  # what is mounted over it: see the first process
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n", encoding="ascii")
    (root / "etc/resolv.conf").symlink_to("../run/systemd/resolve/stub-resolv.conf")
    (root / "boot/efi").mkdir(exist_ok=True)
    log.run(["systemd-sysusers", f"--root={root}"])
    log.run(["systemctl", f"--root={root}", "preset-all"])
    log.run(
        [
            *(sys.executable, "-m", "compileall", "-q", "-j", "2", "-s", root, "-p", "/"),
            *("--invalidation-mode", "unchecked-hash", root / SITE, root / "usr/lib/python3.11"),
        ]
    )
    _settle(root, epoch)


def packages_of(root: Path, log: Log) -> str:
    """Return the Debian packages below ``root``: name, version, architecture, a line each."""
    form = "-f=${Package}\t${Version}\t${Architecture}\n"
    return log.output(["dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", form])


def merged_settings(port: Port) -> dict[str, dict[str, Any]]:
    """Return the settings that the unit is delivered with: those of the overlays, then the board's."""
    merged: dict[str, dict[str, Any]] = {}
    for folder in port.overlays:
        path = folder / "settings.toml"
        if path.exists():
            for section, values in tomllib.loads(path.read_text(encoding="utf-8")).items():
                merged.setdefault(section, {}).update(values)
    board = port.board
    merged.setdefault("serial", {}).update(devices=list(board.console.at), baud=board.console.baud)
    merged.setdefault("headset", {}).update(device=board.headset.device)
    return merged


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _launcher(root: Path) -> None:
    path = root / "usr/bin/thirdring-device"
    path.write_text(LAUNCHER, encoding="ascii")
    path.chmod(0o755)
    # Programs of ours start others as ``python3 -m thirdring_device...``.
    path = root / "usr/lib/python3/dist-packages/thirdring.pth"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"/{SITE}\n", encoding="ascii")


def _configure(root: Path, port: Port) -> None:
    """Write what follows from ``board.toml``."""
    board = port.board
    (root / OURS / "board.toml").write_bytes(port.file.read_bytes())
    (root / OURS / "watchdog").write_text(board.watchdog.module + "\n", encoding="ascii")
    lines = []
    for section, values in merged_settings(port).items():
        lines += [f"[{section}]", *(f"{name} = {_toml(value)}" for name, value in values.items())]
    (root / "etc/thirdring").mkdir(exist_ok=True)
    (root / "etc/thirdring/settings.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    manager = root / "usr/lib/systemd/system.conf.d/board.conf"
    manager.parent.mkdir(exist_ok=True)
    watchdog = board.watchdog.timeout_s
    manager.write_text(f"[Manager]\nRuntimeWatchdogSec={watchdog}\nRebootWatchdogSec=60\n", encoding="ascii")
    network = root / "usr/lib/systemd/network/10-board.network"
    interfaces = " ".join(board.network.interfaces)
    network.write_text(
        f"[Match]\nName={interfaces}\n[Network]\nDHCP=yes\nIPv6AcceptRA=yes\n", encoding="ascii"
    )


def _settle(root: Path, epoch: int) -> None:
    """Nothing is younger than the sources: two builds differ in no time stamp."""
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder) / name
            if path.lstat().st_mtime > epoch:
                os.utime(path, (epoch, epoch), follow_symlinks=False)
    os.utime(root, (epoch, epoch))
