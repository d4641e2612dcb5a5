"""Tell a chat of every norm that was breached, by the chat's own incoming web hook.

    norm_alarm.py --chat https://hooks.chat.example/services/T0/B0/XX

Posts ``{"text": ...}``, which Slack, Mattermost, Rocket.Chat and Google Chat take.
"""

import argparse
import os
import sys
from collections.abc import Sequence

import httpx

from thirdring import Appliance, Verdict


def words(verdict: Verdict, number: str) -> str:
    """Return one line about a breached norm."""
    value = "" if verdict.value is None else f" {verdict.value:g} {verdict.unit}".rstrip()
    limit = "" if verdict.threshold is None else f", limit {verdict.threshold:g}"
    return f"{verdict.rule} breached:{value}{limit} (call {verdict.call_id}, {number or 'number withheld'})"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--url", default=os.environ.get("THIRDRING_URL", "http://127.0.0.1:8080"))
    parser.add_argument("--token-file", default=os.environ.get("THIRDRING_TOKEN_FILE"))
    parser.add_argument("--chat", required=True, help="the chat's address")
    parser.add_argument("--after", type=int, help="begin behind this event's number")
    parser.add_argument("--count", type=int, default=0, help="end after so many alarms")
    options = parser.parse_args(arguments)
    told = 0
    with Appliance(options.url, token_file=options.token_file) as desk:
        for record in desk.events(options.after):
            event = record.event
            if not isinstance(event, Verdict) or event.verdict != "breached":
                continue
            text = words(event, desk.call(event.call_id).call.number)
            try:
                httpx.post(options.chat, json={"text": text}, timeout=10.0).raise_for_status()
            except httpx.HTTPError as reason:
                print(f"{text}: the chat does not take it: {reason}", file=sys.stderr)
            told += 1
            if told == options.count:
                break
    return 0


if __name__ == "__main__":
    sys.exit(main())
