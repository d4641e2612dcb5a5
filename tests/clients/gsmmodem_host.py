"""A host program on python-gsmmodem, run in an interpreter of its own: one word of order, one line of result.

``python gsmmodem_host.py PORT`` connects, then obeys its standard input: ``dial NUMBER DIGITS``,
``answer``, ``refuse``. The library is used as its own documentation shows it.
"""

import json
import queue
import sys
from typing import Any

from gsmmodem.modem import GsmModem, IncomingCall

WAIT_S = 20.0
VOICE = 0  # as +CLCC counts


def tell(**result: Any) -> None:
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()


def dial(modem: GsmModem, number: str, digits: str) -> None:
    updates: queue.Queue[bool] = queue.Queue()
    call = modem.dial(number, callStatusUpdateCallbackFunc=lambda call: updates.put(bool(call.answered)))
    answered = updates.get(timeout=WAIT_S)
    call.sendDtmfTone(digits)
    call.hangup()
    tell(answered=answered, number=call.number, left=len(modem.activeCalls))


def take(ringing: "queue.Queue[IncomingCall]", *, answer: bool) -> None:
    call = ringing.get(timeout=WAIT_S)
    if answer:
        call.answer()
    answered = call.answered
    call.hangup()
    tell(number=call.number, voice=call.type == VOICE, answered=answered)


def main() -> None:
    ringing: queue.Queue[IncomingCall] = queue.Queue()

    def rings(call: IncomingCall) -> None:
        if call.ringCount == 1:
            ringing.put(call)

    modem = GsmModem(sys.argv[1], 115200, incomingCallCallbackFunc=rings)
    modem.connect()
    tell(manufacturer=modem.manufacturer, model=modem.model, serial=modem.imei, dtmf=modem.supportedCommands)
    for line in sys.stdin:
        order, *words = line.split()
        if order == "dial":
            dial(modem, *words)
        else:
            take(ringing, answer=order == "answer")
    modem.close()


main()
