"""Whether the built page that is committed was made from the sources beside it.

``python -m tests.page.built`` writes the sources' hash into the build; ``nox -s page`` does so.
"""

import hashlib
from pathlib import Path

WEB = Path(__file__).parents[2] / "device/thirdring_device/gateway/web"
BUILT = WEB / "built"
HASH_FILE = BUILT / "sources.sha256"
MADE_FROM = ("index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts", "src/**/*")


def source_hash() -> str:
    """Return the SHA-256 over names and contents of everything that the build is made from."""
    total = hashlib.sha256()
    found = {path for pattern in MADE_FROM for path in WEB.glob(pattern) if path.is_file()}
    for path in sorted(found):
        total.update(f"{path.relative_to(WEB).as_posix()}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


if __name__ == "__main__":
    HASH_FILE.write_text(source_hash() + "\n", encoding="ascii")
