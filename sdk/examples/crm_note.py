"""Write every finished call with its notes into a CRM over HTTP.

    crm_note.py --crm https://crm.example/api/activities --position crm-position

The number of the last event that the CRM has is kept in a file: after a restart it goes on from there. The
call's id goes along as ``Idempotency-Key``, for the one call that may be sent twice.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from thirdring import Appliance, CallEnded, NotesTaken

RETRY_S = 5.0


def activity(desk: Appliance, call_id: str) -> dict[str, Any]:
    """Return what the CRM is told of a call."""
    call = desk.call(call_id).call
    notes = desk.notes(call_id)
    return {
        "call_id": call_id,
        "direction": call.direction,
        "number": call.number,
        "name": notes[0].name if notes else call.display_name,
        "started": call.started_utc,
        "talk_s": call.talk_s,
        "matter": notes[0].matter if notes else "",
        "promised": notes[0].promised if notes else "",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--url", default=os.environ.get("THIRDRING_URL", "http://127.0.0.1:8080"))
    parser.add_argument("--token-file", default=os.environ.get("THIRDRING_TOKEN_FILE"))
    parser.add_argument("--crm", required=True, help="address that activities are posted to")
    parser.add_argument("--position", type=Path, required=True, metavar="FILE")
    parser.add_argument("--count", type=int, default=0, help="end after so many posts")
    options = parser.parse_args(arguments)
    position = int(options.position.read_text()) if options.position.exists() else None
    posted = 0
    with (
        Appliance(options.url, token_file=options.token_file) as desk,
        httpx.Client(timeout=10.0) as crm,
    ):
        for record in desk.events(position):
            if isinstance(record.event, CallEnded | NotesTaken):
                call_id = record.event.call_id
                body, key = activity(desk, call_id), {"Idempotency-Key": f"{call_id}-{record.number}"}
                while not _taken(crm, options.crm, body, key):
                    time.sleep(RETRY_S)
                posted += 1
            new = options.position.with_suffix(".new")
            new.write_text(str(record.number))
            new.replace(options.position)
            if options.count and posted >= options.count:
                break
    return 0


def _taken(crm: httpx.Client, url: str, body: dict[str, Any], headers: dict[str, str]) -> bool:
    try:
        return crm.post(url, json=body, headers=headers).is_success
    except httpx.HTTPError:
        return False


if __name__ == "__main__":
    sys.exit(main())
