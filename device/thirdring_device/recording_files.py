"""``thirdring-device recording``: list the recordings of a unit, open a sealed one."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from thirdring.protocol.errors import error

__all__ = ["add_parser"]


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command ``recording``."""
    parser = subparsers.add_parser("recording", help="list recordings, open a sealed one")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = commands.add_parser("list", help="the recordings of a unit, newest first")
    listing.add_argument("--state", type=Path, required=True, metavar="DIR", help="the state folder")
    listing.set_defaults(function=_list)
    export = commands.add_parser("export", help="write a recording as a plain WAV or Ogg file")
    export.add_argument("file", type=Path, metavar="FILE", help="a recording")
    export.add_argument("--out", type=Path, required=True, metavar="OUT", help="the plain file")
    export.add_argument(
        "--key",
        type=Path,
        metavar="KEYFILE",
        help="the unit's key (default: recording.key beside the folder that FILE lies in)",
    )
    export.set_defaults(function=_export)


def _list(args: argparse.Namespace) -> int:
    from thirdring_device.adapters.recording.retention import look
    from thirdring_device.adapters.recording.sinks import recordings_in

    found = [kept for path in recordings_in(args.state / "recordings") if (kept := look(path))]
    for kept in sorted(found, reverse=True):
        finished = datetime.fromtimestamp(kept.finished_s, UTC).isoformat(timespec="seconds")
        sys.stdout.write(f"{kept.path.name}  {finished}  {kept.size_bytes}\n")
    return 0


def _export(args: argparse.Namespace) -> int:
    """Write the plain file, complete or not at all."""
    from thirdring_device.adapters.recording.reading import RecordingFile

    file = RecordingFile(args.file, args.key)
    unfinished = args.out.with_name(args.out.name + ".part")
    try:
        with unfinished.open("wb") as out:
            for piece in file.plain():
                out.write(piece)
        unfinished.replace(args.out)
    except OSError as reason:
        unfinished.unlink(missing_ok=True)
        raise error(5008, f"{args.out}: {reason}") from reason
    finally:
        file.close()
    sys.stdout.write(f"{args.out}\n")
    return 0
