"""Show who calls: run a command, or print, for every call that comes in.

    screen_pop.py --run "xdg-open https://crm.example/search?q={number}"

``{number}``, ``{name}``, ``{firm}`` and ``{call_id}`` are filled in. A caller's number and name are what the
network says; the command is run without a shell.
"""

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence

from thirdring import Appliance, CallIncoming


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--url", default=os.environ.get("THIRDRING_URL", "http://127.0.0.1:8080"))
    parser.add_argument("--token-file", default=os.environ.get("THIRDRING_TOKEN_FILE"))
    parser.add_argument("--run", default="", metavar="COMMAND")
    parser.add_argument("--after", type=int, help="begin behind this event's number")
    parser.add_argument("--count", type=int, default=0, help="end after so many calls")
    options = parser.parse_args(arguments)
    shown = 0
    with Appliance(options.url, token_file=options.token_file) as desk:
        for record in desk.events(options.after):
            event = record.event
            if not isinstance(event, CallIncoming):
                continue
            contacts = desk.contacts(event.number) if event.number else []
            about = {
                "number": event.number or "withheld",
                "name": contacts[0].name if contacts else event.display_name,
                "firm": contacts[0].firm if contacts else "",
                "call_id": event.call_id,
            }
            if options.run:
                subprocess.run([word.format(**about) for word in shlex.split(options.run)], check=False)
            else:
                print("{number}  {name}  {firm}".format(**about).rstrip(), flush=True)
            shown += 1
            if shown == options.count:
                break
    return 0


if __name__ == "__main__":
    sys.exit(main())
