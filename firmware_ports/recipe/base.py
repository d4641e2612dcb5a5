"""Debian's part of the system: signed packages, unpacked by mmdebstrap, kept by what went into it."""

import hashlib
import shlex
import tempfile
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final

from firmware_ports.recipe.foreign import register_emulation, runs_here
from firmware_ports.recipe.ports import PORTS_DIR, Port
from firmware_ports.recipe.shell import BuildFault, Log

__all__ = ["KEYRING", "SUITE", "base_system", "machine_sources"]

SUITE: Final = "bookworm"
NEEDED_ANYWAY: Final = ("/usr/share/doc/*/copyright", "/lib/modules/*/kernel/drivers/media/mc/*")
"""Licences go with what they are for; USB sound (snd-usb-audio) needs the media controller."""
KEYRING: Final = "/usr/share/keyrings/debian-archive-keyring.gpg"
LISTS: Final = Path("/var/lib/apt/lists")
FORMAT: Final = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
PASSED_ON: Final = ("Acquire::Check-", "Acquire::http", "Acquire::https", "Acquire::Retries")
"""What this machine's apt is told of proxies and of the dates of its archive holds in the build, too."""


def base_system(port: Port, cache: Path, log: Log) -> Path:
    """Return the tar archive of the port's Debian packages, made if it is not kept from an earlier build."""
    sources = machine_sources(log)
    packages = sorted({*_listed("debian-packages"), port.board.image.kernel, *port.board.image.packages})
    left_out = _listed("not-unpacked")
    watchdog = port.board.watchdog.module if port.board.storage.boot == "efi" else ""
    hook = _initramfs_hook(port.board.image.modules, watchdog)
    releases = sorted(path.read_bytes() for path in LISTS.glob(f"*_dists_{SUITE}*_InRelease"))
    inputs = [*sources, *packages, *left_out, *NEEDED_ANYWAY, hook, port.board.image.architecture, "1"]
    digest = hashlib.sha256("\n".join(inputs).encode())
    for release in releases:
        digest.update(release)
    base = cache / f"base-{port.board.image.architecture}-{digest.hexdigest()[:16]}.tar"
    if base.exists():
        return base
    if not runs_here(port.board.image.architecture, log):
        register_emulation(port.board.image.architecture, log)
    with log.step("Debian's packages"), tempfile.TemporaryDirectory(prefix="thirdring-base-") as folder:
        options = Path(folder) / "apt.conf"
        options.write_text(_apt_options(log), encoding="utf-8")
        initramfs = Path(folder) / "initramfs"
        initramfs.write_text(hook, encoding="utf-8")
        unpack = [f"--dpkgopt=path-exclude={pattern}" for pattern in left_out]
        unpack += [f"--dpkgopt=path-include={pattern}" for pattern in NEEDED_ANYWAY]
        new = base.with_suffix(".new.tar")
        log.run(
            [
                *("mmdebstrap", "--variant=minbase", f"--architectures={port.board.image.architecture}"),
                f"--aptopt={options}",
                *unpack,
                f"--include={','.join(packages)}",
                f'--essential-hook=sh {shlex.quote(str(initramfs))} "$1"',
                *(SUITE, str(new)),
                *sources,
            ],
            env={"SOURCE_DATE_EPOCH": str(_newest(releases)), "TMPDIR": str(cache)},
        )
        new.rename(base)
    return base


def _listed(name: str) -> list[str]:
    """Return the lines of a list of ``firmware_ports/common`` without its comments."""
    lines = (PORTS_DIR / "common" / f"{name}.txt").read_text(encoding="ascii").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def machine_sources(log: Log) -> list[str]:
    """Return Debian's sources as this machine's own apt configuration names them."""
    command = ["apt-get", "indextargets", "--format", FORMAT, "Created-By: Packages", "Origin: Debian"]
    lines = sorted({line for line in log.output(command).splitlines() if line.split()[1].startswith(SUITE)})
    if not lines:
        raise BuildFault(
            f"this machine's apt knows no Debian {SUITE}: run apt-get update, or see its sources"
        )
    return [f"deb [signed-by={KEYRING}] {line}" for line in lines]


def _newest(releases: list[bytes]) -> int:
    """Return when the newest of Debian's releases was made, in s since 1970."""
    dates = [
        line[6:].decode()
        for release in releases
        for line in release.splitlines()
        if line.startswith(b"Date: ")
    ]
    if not dates:
        raise BuildFault(f"no signed release of Debian {SUITE} below {LISTS}: run apt-get update")
    return max(int(parsedate_to_datetime(date).timestamp()) for date in dates)


def _apt_options(log: Log) -> str:
    dump = log.output(["apt-config", "dump"]).splitlines()
    return "\n".join(
        [line for line in dump if line.startswith(PASSED_ON)] + ['Acquire::Languages "none";', ""]
    )


def _initramfs_hook(modules: Sequence[str], watchdog: str) -> str:
    """Return the script that has the initramfs hold what reaches the disk, the watchdog, and nothing else.

    With a watchdog, that is armed before the system is there: one whose first process hangs is reset, too.
    Without the script the kernel's package would pack every driver: in emulation a quarter of an hour.
    """
    listed = "\n".join([*modules, watchdog] if watchdog else modules)
    return f"""set -eu
mkdir -p "$1/etc/initramfs-tools/conf.d"
cat > "$1/etc/initramfs-tools/conf.d/thirdring" <<'CONF'
MODULES=list
COMPRESS=zstd
COMPRESSLEVEL=6
RESUME=none
FSTYPE=ext4
CONF
cat > "$1/etc/initramfs-tools/modules" <<'MODULES'
{listed}
MODULES
{_arming(watchdog) if watchdog else ""}"""


def _arming(watchdog: str) -> str:
    return f"""mkdir -p "$1/etc/initramfs-tools/scripts/init-premount"
cat > "$1/etc/initramfs-tools/scripts/init-premount/watchdog" <<'SCRIPT'
#!/bin/sh
[ "$1" = prereqs ] && exit 0
modprobe {watchdog} && echo > /dev/watchdog
SCRIPT
chmod 755 "$1/etc/initramfs-tools/scripts/init-premount/watchdog"
"""
