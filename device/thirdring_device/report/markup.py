"""Elements of HTML and SVG, escaped by construction."""

from html import escape
from typing import Final

__all__ = ["Markup", "element", "join", "number"]

VOID: Final = frozenset({"br", "meta", "link", "hr", "wbr"})
"""Elements without an end tag (HTML Living Standard, 13.1.2)."""


class Markup(str):
    """Text that is markup already; any other string is escaped when it goes into an element."""

    __slots__ = ()


def element(name: str, /, *content: str, **attributes: object) -> Markup:
    """Return ``<name attributes>content</name>``.

    ``class_`` stands for ``class``, other underscores for hyphens; None leaves an attribute out; floats
    are written to a tenth, which is enough for a picture.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_plain(value), quote=True)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(*content)}</{name}>")


def join(*content: str) -> Markup:
    """Return the pieces one after the other, plain strings escaped."""
    return Markup(
        "".join(piece if isinstance(piece, Markup) else escape(piece, quote=False) for piece in content)
    )


def number(value: float) -> str:
    """Return a coordinate to a tenth, as short as it goes."""
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text


def _plain(value: object) -> str:
    return number(value) if isinstance(value, float) else str(value)
