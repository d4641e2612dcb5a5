"""Answer one call on a bench, speak, hang up, and judge: exit code 0 when every norm asked for was met.

    bench_script.py --url serial:/dev/ttyUSB0 --speak agent.wav --norm answer.rings --norm voice.level

Somebody, or the bench's own SIP peer, has to call. ``--speak`` is a file on an appliance with the simulated
headset.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from thirdring import Appliance, Levels, Record, RingBurst, ThirdringError


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--url", default=os.environ.get("THIRDRING_URL", "http://127.0.0.1:8080"))
    parser.add_argument("--token-file", default=os.environ.get("THIRDRING_TOKEN_FILE"))
    parser.add_argument("--ring", type=int, default=1, help="answer at this ring (default %(default)s)")
    parser.add_argument("--speak", default="", metavar="FILE")
    parser.add_argument("--norm", action="append", default=[], help="must be met; may be given again")
    parser.add_argument("--within-s", type=float, default=60.0, help="for each step (default %(default)s)")
    options = parser.parse_args(arguments)

    def rings(record: Record) -> bool:
        return isinstance(record.event, RingBurst) and record.event.ring >= options.ring

    try:
        with Appliance(options.url, token_file=options.token_file) as desk:
            before = desk.state().last_event
            call_id = desk.wait_for(rings, options.within_s, before).event.call_id
            desk.answer(call_id)
            started = desk.wait_for("media_started", options.within_s, before).number
            if options.speak:
                duration_s = desk.speak(options.speak)
                desk.wait_for(
                    lambda r: isinstance(r.event, Levels) and r.event.end_s > duration_s,
                    duration_s + options.within_s,
                    started,
                )
            desk.hangup(call_id)
            desk.wait_for("call_ended", options.within_s, before)
            verdicts = {verdict.rule: verdict.verdict for verdict in desk.norms(call_id)}
    except ThirdringError as reason:
        print(f"FAIL {reason}")
        return 1
    failed = [norm for norm in options.norm if verdicts.get(norm) != "met"]
    for norm in options.norm:
        print(f"{'FAIL' if norm in failed else 'pass'} {norm}: {verdicts.get(norm, 'not judged')}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
