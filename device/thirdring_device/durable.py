"""Small files that a power cut leaves either as they were or as they are to be."""

import os
from pathlib import Path

__all__ = ["replace_file"]


def replace_file(path: Path, text: str, owner: tuple[int, int] | None = None) -> None:
    """Write ``text`` (UTF-8) in a file's place, for its owner alone; once this returns, it stays.

    Raises ``OSError``; the old file is then still there. The new one is on the disk before it takes the
    old one's name, and the name is before this returns (``fsync(2)``: a folder is written by itself).
    ``owner``: user and group it belongs to from the first moment on that it has its name.
    """
    new = path.with_name(f"{path.name}.new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        if owner is not None:
            os.fchown(file.fileno(), *owner)
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
