"""Passwords: how they are kept, and the first one that a unit makes for itself."""

import hashlib
import hmac
import secrets
import unicodedata
from base64 import b64decode, b64encode
from typing import Final

__all__ = ["LONGEST", "SHORTEST", "first_password", "hash_password", "password_matches"]

SHORTEST: Final = 10
LONGEST: Final = 128

COST: Final = (14, 8, 5)
"""scrypt (RFC 7914): log2 N, r, p. 16 MiB; from OWASP's Password Storage Cheat Sheet."""

SALT_BYTES: Final = 16
HASH_BYTES: Final = 32

LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"
"""Without those that are read for one another; 32, so each character is worth 5 bits."""
FIRST_GROUPS: Final = (4, 4, 4)
"""60 bits, to be typed once from a console."""


def first_password() -> str:
    """Return a new random password such as ``k7mq-x2wp-9dfa``."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(size)) for size in FIRST_GROUPS)


def hash_password(password: str) -> str:
    """Return what is kept of ``password``; takes a good part of a second on purpose."""
    salt = secrets.token_bytes(SALT_BYTES)
    made = _scrypt(password, salt, COST)
    cost = "$".join(str(number) for number in COST)
    return f"scrypt${cost}${b64encode(salt).decode()}${b64encode(made).decode()}"


def password_matches(password: str, kept: str) -> bool:
    """Return whether ``kept`` was made from ``password``; as slow as ``hash_password``."""
    _, log2_n, r, p, salt, made = kept.split("$")
    again = _scrypt(password, b64decode(salt), (int(log2_n), int(r), int(p)))
    return hmac.compare_digest(again, b64decode(made))


def _scrypt(password: str, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    log2_n, r, p = cost
    n = 1 << log2_n
    return hashlib.scrypt(
        unicodedata.normalize("NFC", password).encode(),  # RFC 8265, 4.2
        salt=salt,
        n=n,
        r=r,
        p=p,
        maxmem=128 * r * (n + p + 2) + 1024 * 1024,
        dklen=HASH_BYTES,
    )
