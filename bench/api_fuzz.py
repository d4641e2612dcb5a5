"""Ask the running appliance what its OpenAPI document allows and forbids: ``nox -s schemathesis``.

schemathesis makes the requests and checks every answer against the document: no 5xx, no undocumented status,
content type or body, nothing served without a token.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.appliance import appliance


def command(url: str, token: str, seconds: float, others: Sequence[str]) -> list[str]:
    """Return how schemathesis is called."""
    return [
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"{url}/openapi.json",
        "--url",
        url,
        "--header",
        f"Authorization: Bearer {token}",
        "--checks",
        "all",
        "--exclude-checks",
        "positive_data_acceptance",
        # It does what it says: for a second the engine is not there, and every answer is 503 (7000).
        "--exclude-path",
        "/v1/restart",
        "--max-time",
        f"{seconds:g}",
        "--continue-on-failure",
        "--generation-database",
        "none",
        *others,
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    args, others = parser.parse_known_args()
    with appliance() as running:
        url = f"http://127.0.0.1:{running.http_port}"
        environment = {**os.environ, "SCHEMATHESIS_HOOKS": "bench.api_fuzz_checks"}
        return subprocess.run(command(url, running.token, args.seconds, others), env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
