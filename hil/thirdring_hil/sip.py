"""SIP messages as text (RFC 3261 clause 7), for the bench's telephones and its registrar."""

import re
import secrets

__all__ = ["branch", "header", "headers", "message"]


def branch() -> str:
    """Return the branch of a new transaction (RFC 3261 clause 8.1.1.7)."""
    return f"z9hG4bK{secrets.token_hex(6)}"


def message(lines: list[str], body: str) -> str:
    """Return a message of a first line and headers; ``body`` is SDP, or empty."""
    kind = ["Content-Type: application/sdp"] if body else []
    return "\r\n".join([*lines, *kind, f"Content-Length: {len(body)}", "", body])


def headers(text: str, name: str) -> list[str]:
    """Return the values of all headers called ``name``."""
    return re.findall(rf"^{name}:\s*(.*?)\r?$", text, re.M | re.I)


def header(text: str, name: str) -> str:
    """Return the value of the first header called ``name``, empty when there is none."""
    found = headers(text, name)
    return found[0] if found else ""
