"""The prompt catalogues: ours, and what a team put into the state folder's ``prompts``."""

from importlib.resources import files
from pathlib import Path
from typing import Final

from thirdring.protocol.errors import error
from thirdring_device.core.catalogue import Catalogue, read_catalogue

__all__ = ["FOLDER", "load_catalogue"]

FOLDER: Final = "prompts"
"""In the state folder: ``zh.json`` and ``en.json`` of the team, either or both."""


def load_catalogue(language: str, state_dir: Path | None = None) -> Catalogue:
    """Return the prompts of ``language``, the team's in place of ours; raises ``StorageError`` 5009."""
    ours = files("thirdring_device.prompts").joinpath(f"{language}.json").read_text(encoding="utf-8")
    catalogue = read_catalogue(ours, f"{language}.json")
    path = state_dir / FOLDER / f"{language}.json" if state_dir else None
    if path is None or not path.exists():
        return catalogue
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as reason:
        raise error(5009, f"{path}: {reason}") from reason
    return catalogue.replaced_by(read_catalogue(text, str(path)))
