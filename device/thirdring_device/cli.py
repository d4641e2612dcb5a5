"""The appliance's command: ``thirdring-device``."""

import sys

__all__ = ["main"]


def main() -> int:
    """Run the command line."""
    print("thirdring-device", file=sys.stderr)
    return 2
