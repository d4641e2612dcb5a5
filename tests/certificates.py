"""A certificate authority of a test's own, made by openssl."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True)
class Certificate:
    """PEM files."""

    file: Path
    key: Path


def _openssl(*arguments: str | Path) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


class Authority:
    """Signs certificates; ``file`` is what a client must trust."""

    def __init__(self, directory: Path, name: str = "ca") -> None:
        self._directory = directory
        self.file, self._key = directory / f"{name}.pem", directory / f"{name}.key"
        _openssl(
            *("req", "-x509", *CURVE, "-days", "2", "-subj", f"/CN=Test {name}"),
            *("-keyout", self._key, "-out", self.file),
        )

    def sign(self, name: str, alternatives: str, *, days: int = 2) -> Certificate:
        """Return a certificate for ``alternatives``, such as ``IP:127.0.0.1,DNS:localhost``.

        It ends ``days`` from now; negative: it has expired.
        """
        made = Certificate(self._directory / f"{name}.pem", self._directory / f"{name}.key")
        request, extensions = self._directory / f"{name}.csr", self._directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={alternatives}\n", encoding="ascii")
        _openssl("req", *CURVE, "-subj", f"/CN={name}", "-keyout", made.key, "-out", request)
        _openssl(
            *("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self._key, "-CAcreateserial"),
            *("-days", str(days), "-extfile", extensions, "-out", made.file),
        )
        return made
