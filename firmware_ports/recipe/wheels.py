"""Our own part of the system: the wheels of SDK and device with what they need, and pjsua2."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from firmware_ports.recipe.ports import ROOT
from firmware_ports.recipe.shell import BuildFault, Log

__all__ = ["install", "wheels"]

PYTHON: Final = (3, 11)
"""Debian 12's; the extensions are built for it, by an environment of the same version."""
ELSEWHERE: Final = {
    "arm64": [
        *("--only-binary=:all:", "--implementation=cp", "--python-version=3.11", "--abi=cp311", "--abi=abi3"),
        *("--abi=none", "--platform=linux_aarch64", "--platform=any"),
        *(
            f"--platform=manylinux{tag}_aarch64"
            for tag in ("2014", "_2_17", "_2_24", "_2_26", "_2_27", "_2_28")
        ),
        *(f"--platform=manylinux_2_{minor}_aarch64" for minor in (31, 34, 35, 36)),
    ]
}
"""What pip is told of a machine that is not this one; Debian 12 has glibc 2.36."""
PIP: Final = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")


def _here(architecture: str) -> bool:
    return {"amd64": "linux-x86_64", "arm64": "linux-aarch64"}[architecture] == sysconfig.get_platform()


def wheels(architecture: str, cache: Path, work: Path, epoch: int, log: Log) -> list[Path]:
    """Return every wheel that goes into the image; ours are built anew, the others fetched once."""
    if sys.version_info[:2] != PYTHON:
        raise BuildFault("the image has Python 3.11: make .venv with it (PYTHON=python3.11 scripts/setup)")
    elsewhere = [] if _here(architecture) else ELSEWHERE[architecture]
    with log.step("SIP stack"):
        arch = [] if _here(architecture) else ["--arch", architecture]
        script: list[str | Path] = [ROOT / "scripts" / "build-pjsua2", "--venv", sys.prefix, *arch]
        log.run([*script, "--no-install"])
        site = Path(log.output([*script, "--print-path"]).strip())
    with log.step("our wheels"):
        own = work / "own"
        own.mkdir(parents=True)
        environment = {"SOURCE_DATE_EPOCH": str(epoch)}
        if not _here(architecture):
            environment |= _cross_environment(log)
        command = [*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(own)]
        log.run([*command, str(ROOT / "sdk"), str(ROOT)], env=environment)
        ours = sorted(own.glob("*.whl"))
    inputs = [ROOT / "constraints.txt", ROOT / "pyproject.toml", ROOT / "sdk" / "pyproject.toml"]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in inputs) + architecture.encode())
    kept = cache / f"wheels-{architecture}-{digest.hexdigest()[:16]}"
    if not kept.exists():
        with log.step("Python packages"):
            new = work / "packages"
            command = [
                *PIP,
                "download",
                "--only-binary=:all:",
                "-c",
                str(ROOT / "constraints.txt"),
                "-d",
                str(new),
            ]
            log.run([*command, *elsewhere, *map(str, ours)])
            for path in ours:
                (new / path.name).unlink(missing_ok=True)
            shutil.move(new, kept)
    return [*ours, *sorted(kept.glob("*.whl")), *site.parent.glob("pjsua2-*.whl")]


def _cross_environment(log: Log) -> Mapping[str, str]:
    """Return what has setuptools build for arm64: the variables of ``scripts/arm64-root --shell``."""
    text = log.output([ROOT / "scripts" / "arm64-root", "--shell"])
    shell = f"{text}\nenv -0"
    before = dict(os.environ)
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True)
    after = dict(entry.split("=", 1) for entry in done.stdout.split("\0") if "=" in entry)
    return {name: value for name, value in after.items() if before.get(name) != value}


def install(files: list[Path], site: Path, architecture: str, log: Log) -> list[str]:
    """Unpack the wheels into the folder ``site``; return ``name==version`` of each."""
    elsewhere = [] if _here(architecture) else ELSEWHERE[architecture]
    command = [*PIP, "install", "--no-index", "--no-deps", "--no-compile", "--target", str(site), *elsewhere]
    log.run([*command, *map(str, files)])
    shutil.rmtree(site / "bin", ignore_errors=True)
    for path in site.glob("*.dist-info/direct_url.json"):  # says where on this machine the wheel was
        path.unlink()
    for package in ("numpy", "scipy"):
        for tests in sorted((site / package).rglob("tests")):
            shutil.rmtree(tests, ignore_errors=True)
    names = [re.match(r"([^-]+)-([^-]+)", path.name) for path in files]
    return [f"{name[1]}=={name[2]}" for name in names if name]
