"""Receive the appliance's web hooks, check who sent them, print each event once.

    hook_receiver.py --port 9000 --secret-file hook-secret

Set ``hooks.urls`` to ``http://THIS-HOST:9000/`` and allow its network in ``hooks.networks``.
"""

import argparse
import sys
from collections import deque
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from thirdring import ThirdringError
from thirdring.protocol.hooks import HEADER_ID, verify

LARGEST_BYTES = 64 * 1024
SEEN = 10_000


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--secret-file", type=Path, required=True)
    parser.add_argument("--count", type=int, default=0, help="end after so many events")
    options = parser.parse_args(arguments)
    secret = options.secret_file.read_text()
    seen: deque[str] = deque(maxlen=SEEN)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(min(length, LARGEST_BYTES))
            try:
                record = verify(secret, dict(self.headers), body)
            except ThirdringError as reason:
                self.send_error(401, str(reason))
                return
            message = self.headers[HEADER_ID]
            if message not in seen:  # sent again because our answer got lost
                seen.append(message)
                print(record.number, record.event.kind, record.event.call_id, flush=True)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer((options.host, options.port), Handler) as server:
        while not options.count or len(seen) < options.count:
            server.handle_request()
    return 0


if __name__ == "__main__":
    sys.exit(main())
