"""A journal writer to be killed: appends for ever, tells each acknowledged number on standard output."""

import sys
from pathlib import Path

from thirdring.protocol.events import CallAlerting, CallIncoming, TalkSpurtStarted
from thirdring_device.adapters.store.journal import Journal


def main() -> None:
    journal = Journal(Path(sys.argv[1]))
    call_id = f"call-{journal.last_number}"
    journal.append(
        [CallIncoming(at_s=0.0, call_id=call_id, number="1"), CallAlerting(at_s=0.1, call_id=call_id)]
    )
    while True:
        records = journal.append(
            TalkSpurtStarted(at_s=1.0, call_id=call_id, side="agent", start_s=float(i)) for i in range(3)
        )
        sys.stdout.write(f"{records[-1].number}\n")
        sys.stdout.flush()


main()
