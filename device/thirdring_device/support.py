"""``thirdring-device support``: one file that tells a helper how the unit is, without its secrets."""

import argparse
import io
import json
import platform
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from thirdring.protocol.errors import error
from thirdring_device.logs import mask, read_logs
from thirdring_device.settings import Settings, load_settings, secret_names, setting_views

__all__ = ["add_parser", "support_bundle"]

IMAGE: Final = Path("/usr/share/thirdring")
"""What the image says of itself: version, packages."""
ASKED: Final = {
    "systemd.txt": ("systemctl", "--no-pager", "status", "thirdring-*"),
    "disk.txt": ("df", "-h"),
    "memory.txt": ("free", "-m"),
    "addresses.txt": ("ip", "-br", "address"),
    "sound.txt": ("cat", "/proc/asound/cards"),
}
ASK_S: Final = 10.0


def support_bundle(settings: Settings, state_dir: Path, image: Path = IMAGE) -> bytes:
    """Return the content of the file (tar, gzip). No recording, call, contact, key or password is in it."""
    secrets = _secrets(settings)
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as bundle:
        for name, text in _parts(settings, state_dir, image, secrets):
            part = mask(text, secrets).encode()
            entry = tarfile.TarInfo(f"thirdring-support/{name}")
            entry.size, entry.mtime = len(part), int(time.time())
            bundle.addfile(entry, io.BytesIO(part))
    return content.getvalue()


def _secrets(settings: Settings) -> list[str]:
    values = []
    for dotted in secret_names():
        section, _, name = dotted.rpartition(".")
        value = getattr(getattr(settings, section), name)
        values += [value] if isinstance(value, str) else list(value)
    return [value for value in values if value]


def _parts(settings: Settings, state_dir: Path, image: Path, secrets: list[str]) -> Iterator[tuple[str, str]]:
    changed = {view.name: view.value for view in setting_views(settings) if view.value != view.default}
    yield "settings.json", json.dumps(changed, indent=1, ensure_ascii=False)
    lines = [f"{line.utc} {line.process} {line.level} {line.text}" for line in read_logs(state_dir, secrets)]
    yield "log.txt", "\n".join(lines)
    files = sorted(path for path in state_dir.rglob("*") if path.is_file())
    yield "state.txt", "\n".join(f"{path.stat().st_size:12d} {path.relative_to(state_dir)}" for path in files)
    yield "machine.txt", f"{platform.platform()}\n{platform.machine()}\nPython {platform.python_version()}\n"
    for path in sorted(image.glob("*")):
        yield path.name, path.read_text(encoding="utf-8", errors="replace")
    for name, command in ASKED.items():
        yield name, _answer(command)


def _answer(command: tuple[str, ...]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ASK_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as reason:
        return f"{reason}\n"
    return done.stdout + done.stderr


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the appliance's."""
    text = (
        "write one file for whoever helps: versions, settings, log, state of the system; no secret, no call"
    )
    command = commands.add_parser("support", help=text, description=text)
    command.add_argument("--state", type=Path, required=True, metavar="DIR", help="the state folder")
    command.add_argument("--settings", type=Path, metavar="FILE", help="settings file (TOML)")
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="such as support.tar.gz")
    command.set_defaults(function=_run)


def _run(args: argparse.Namespace) -> int:
    content = support_bundle(load_settings(args.settings, args.state), args.state)
    try:
        args.out.write_bytes(content)
    except OSError as reason:
        raise error(5008, f"{args.out}: {reason}") from reason
    return 0
