"""Messages that are odd but right, and messages that are wrong: after RFC 4475, and by chance.

They are composed here after what each clause of RFC 4475 describes; the names are those of its clauses.
"""

import itertools
import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

from tests.adapters.desk_process import DeskProcess
from tests.peers import LOOPBACK, SippPeer

pytestmark = pytest.mark.sip

WAIT_S = 0.3
"""The stack answers within milliseconds; what it throws away is not answered."""
NUMBERS = itertools.count(1)
MUTATED = 1500
SPECIAL = b'";<>,:=@%\r\n\t \x00\xff0'
MOST_GROWTH_KB = 1024
OFFER = (
    "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
    "a=rtpmap:0 PCMU/8000\r\n"
)


@dataclass(frozen=True)
class Odd:
    """A request that has to be understood; ``answers``: what may come of it, ``rings``: it is a call."""

    name: str
    text: str
    answers: tuple[str, ...]
    rings: bool = False


def request(
    method: str = "INVITE",
    *,
    uri: str = "sip:desk@{target}",
    version: str = "SIP/2.0",
    via: str = "Via: SIP/2.0/UDP {me};branch=z9hG4bK{id}",
    max_forwards: str = "Max-Forwards: 70",
    to: str = "To: <sip:desk@{target}>",
    sender: str = "From: <sip:caller@{me}>;tag=a{id}",
    call_id: str = "Call-ID: {id}@{me}",
    cseq: str = "",
    contact: str = "Contact: <sip:caller@{me}>",
    more: str = "",
    body: str = "",
    length: str | None = None,
) -> str:
    """Return a request; a header that is given empty is not in it."""
    kind = "Content-Type: application/sdp" if body and "content-type" not in more.lower() else ""
    size = f"Content-Length: {len(body.format(host=LOOPBACK))}" if length is None else length
    headers = [via, max_forwards, to, sender, call_id, cseq or f"CSeq: 1 {method}", contact, more, kind, size]
    return "\r\n".join([f"{method} {uri} {version}", *filter(None, headers), "", body])


def answer(status: str, *, cseq: str, more: str = "Warning: 1812 overture") -> str:
    """Return an answer that nobody has asked for."""
    via = "Via: SIP/2.0/UDP {me};branch=z9hG4bK{id}"
    parties = "To: <sip:a@b>;tag=1\r\nFrom: <sip:c@d>;tag=2\r\nCall-ID: {id}"
    return "\r\n".join([f"SIP/2.0 {status}", via, parties, f"CSeq: {cseq}", more, "", ""])


ODD = (
    Odd(
        "3.1.1.1 a short tortuous INVITE",
        request(
            uri="sip:desk@{target};unknownparam",
            via='v:  SIP  / 2.0 /\tUDP\r\n {me}\r\n ; branch = z9hG4bK{id} ;\r\n   other="a;b, c"',
            max_forwards="MaX-fOrWaRdS: 0068",
            to="TO :\r\n sip:desk@{target} ;   unknown = 1",
            sender='from   : "J Rosenberg \\\\\\""       <sip:caller@{me}>\r\n  ;\r\n  tag = 98{id}',
            call_id="i  : {id}.odd",
            cseq="cseq: 0009\r\n  INVITE",
            contact='m:"Quoted string \\"\\"" <sip:caller@{me}> ; newparam =\r\n      newvalue ;\r\n  q=0.33',
            more="Subject  :\r\nNewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
            "UnknownHeaderWithUnusualValue: ;;,,;;,;\r\nc: application/sdp",
            body=OFFER,
            length="l: 0{size}",
        ),
        ("100", "180", "183"),
        rings=True,
    ),
    Odd(
        "3.1.1.3 escapes in a URI",
        request("OPTIONS", uri="sip:sips%3Auser%40example.com@{target}", to="To: sip:%75se%72@{target}"),
        ("200",),
    ),
    Odd(
        "3.1.1.4 escaped nulls",
        request("OPTIONS", uri="sip:null-%00-null@{target}", to="To: sip:null-%00-null@{target}"),
        ("200",),
    ),
    Odd(
        "3.1.1.6 no space between a name and its bracket",
        request("OPTIONS", sender="From: caller<sip:caller@{me}>;tag=b{id}"),
        ("200",),
    ),
    Odd(
        "3.1.1.7 long values",
        request(
            "OPTIONS",
            sender='From: "' + "a long name " * 20 + '"<sip:caller@{me}>;tag=c{id};p=' + "v" * 200,
            more="Unknown-" + "long" * 20 + ": " + "value " * 100,
        ),
        ("200",),
    ),
    Odd(
        "3.1.1.8 something behind the message",
        request("OPTIONS", length="Content-Length: 0") + "INVITE sip:other@{target} SIP/2.0\r\n\r\n",
        ("200",),
    ),
    Odd("3.1.1.9 a semicolon in the user", request("OPTIONS", uri="sip:user;par=u%40x@{target}"), ("200",)),
    Odd(
        "3.1.1.10 transports of many kinds",
        request(
            "OPTIONS",
            via="Via: SIP/2.0/UDP {me};branch=z9hG4bK{id}\r\n"
            "Via: SIP/2.0/TLS t2.example;branch=z9hG4bK2, SIP/2.0/UNKNOWN t3.example;branch=z9hG4bK3",
        ),
        ("200",),
    ),
    Odd(
        "3.3.6 an extension that is required",
        request("OPTIONS", more="Require: nothingSupportsThis, nothingSupportsThisEither"),
        ("200",),
    ),
    Odd(
        "3.3.7 a body of an unknown type",
        request(more="Content-Type: application/unknownformat", body="<audio><pcmu/></audio>"),
        ("415",),
    ),
    Odd("3.3.11 no hop is left", request("OPTIONS", max_forwards="Max-Forwards: 0"), ("200",)),
    Odd(
        "3.4.1 as in RFC 2543",
        request(via="Via: SIP/2.0/UDP {me}", sender="From: <sip:caller@{me}>", max_forwards="", body=OFFER),
        ("100", "180", "183"),
        rings=True,
    ),
)

TAKEN = ("3.1.2.2", "3.1.2.9", "3.1.2.10", "3.1.2.11", "3.3.9", "3.3.10")
"""Calls that the stack takes all the same, as RFC 4475 allows where the meaning is plain."""

WRONG = {
    "3.1.1.2 a method of all characters": request("!interesting-Method0123456789_*+`.%indeed'~"),
    "3.3.2 an unknown scheme": request("OPTIONS", uri="nobodyKnowsThisScheme:total_opaque"),
    "3.1.2.1 separators too many": request(
        via="Via: SIP/2.0/UDP {me};;,;,,", contact='Contact: "Joe" <sip:x>;;'
    ),
    "3.1.2.2 a length beyond the end": request(body=OFFER, length="Content-Length: 9999"),
    "3.1.2.3 a negative length": request(body=OFFER, length="Content-Length: -999"),
    "3.1.2.4 numbers too large": request(
        "REGISTER", cseq="CSeq: 36893488147419103232 REGISTER", max_forwards="Max-Forwards: 300"
    ),
    "3.1.2.5 numbers too large in an answer": answer(
        "503 Service Unavailable",
        cseq="9292394834772304023312 OPTIONS",
        more="Retry-After: 949302838503028349304",
    ),
    "3.1.2.6 a quote without its end": request(to='To: "Mr. J. User <sip:desk@{target}>'),
    "3.1.2.7 brackets around the URI": request(uri="<sip:desk@{target}>"),
    "3.1.2.8 spaces in the URI": request(uri="sip:desk@{target}; lr"),
    "3.1.2.9 many spaces in the first line": request(uri=" sip:desk@{target} "),
    "3.1.2.10 something behind the version": request(version="SIP/2.0  "),
    "3.1.2.11 escaped headers in the URI": request(uri="sip:desk@{target}?Route=%3Csip:example.com%3E"),
    "3.1.2.13 a contact without brackets": request(
        "REGISTER", contact="Contact: sip:c@{me}?Route=%3Csip:x%3E"
    ),
    "3.1.2.14 an address that is none": request(
        to='To: "Watson, Thomas" < sip:t.watson@{target} >', sender="From: <>"
    ),
    "3.1.2.16 version seven": request(version="SIP/7.0"),
    "3.1.2.17 methods that differ": request("OPTIONS", cseq="CSeq: 8 INVITE"),
    "3.1.2.18 an unknown method that differs": request("NEWMETHOD", cseq="CSeq: 8 INVITE"),
    "3.1.2.19 a status beyond all": answer("4294967301 better not break the receiver", cseq="1 INVITE"),
    "3.2.1 a branch that is only the cookie": request(via="Via: SIP/2.0/UDP {me};branch=z9hG4bK", to=""),
    "3.3.1 headers are missing": request(to="", sender="", call_id="", max_forwards=""),
    "3.3.8 an unknown scheme of credentials": request("REGISTER", more="Authorization: NoOneKnows a=b"),
    "3.3.9 what may be there once is there twice": request(
        more="CSeq: 59 INVITE\r\nCall-ID: other\r\nFrom: <sip:z@{me}>;tag=3\r\nTo: <sip:y@x>"
    ),
    "3.3.10 two lengths": request(body=OFFER, length="Content-Length: 5\r\nContent-Length: 40"),
    "nothing at all": "",
    "only ends of lines": "\r\n\r\n\r\n",
    "bytes of no text": "\x00\x01\xff\xfe" * 64,
    "a line that never ends": "INVITE sip:" + "a" * 1300,
}


class Stranger:
    """A socket that sends what it likes and keeps what is answered."""

    def __init__(self, desk: DeskProcess) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((LOOPBACK, 0))
        self._socket.settimeout(WAIT_S)
        self._desk = desk

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def filled(self, text: str) -> bytes:
        """Return a message with addresses and identifiers of its own."""
        size = str(len(OFFER.format(host=LOOPBACK)))
        holes = {"host": LOOPBACK, "target": self._desk.target, "me": self.me, "id": f"t{next(NUMBERS)}"}
        for hole, value in {**holes, "size": size}.items():
            text = text.replace("{" + hole + "}", value)
        return text.encode("latin-1")

    @property
    def me(self) -> str:
        return f"{LOOPBACK}:{self._socket.getsockname()[1]}"

    def send(self, message: bytes) -> None:
        """Send one datagram."""
        self._socket.sendto(message, (LOOPBACK, self._desk.port))

    def answers(self) -> Iterator[str]:
        """Yield the status of every answer, until there is silence."""
        while True:
            try:
                first = self._socket.recv(65535).split(b"\r\n", 1)[0].decode("latin-1")
            except TimeoutError:
                return
            if first.startswith("SIP/2.0 "):
                yield first.split()[1]


def refuse_all(desk: DeskProcess) -> int:
    """Refuse every call that has come in since; return how many."""
    desk.ask("status")
    ended = {line["call_id"] for line in desk.all("call_ended")}
    rung = [line["call_id"] for line in desk.all("call_incoming") if line["call_id"] not in ended]
    for call_id in rung:
        desk.do("RefuseCall", call_id=call_id, sip_code=486, by="appliance", cause="busy")
        desk.expect("call_ended", call_id=call_id)
    return len(rung)


def a_call_works(desk: DeskProcess, folder: Path) -> None:
    """Let a telephone that speaks as it should ring the desk and be refused."""
    with SippPeer("call_refused", folder, target=desk.target, keys={"caller": "100"}) as sipp:
        call_id = desk.expect("call_incoming", number="100")["call_id"]
        desk.do("RefuseCall", call_id=call_id, sip_code=486, by="appliance", cause="busy")
        sipp.wait()


@pytest.mark.interop("odd but right messages (RFC 4475) are understood", peer="SIP sockets")
def test_odd_messages_are_understood(tmp_path: Path) -> None:
    with DeskProcess(tmp_path) as desk:
        for odd in ODD:
            with Stranger(desk) as stranger:
                stranger.send(stranger.filled(odd.text))
                if odd.rings:
                    call_id = desk.incoming(ring=True)
                found = set(stranger.answers())
                assert found, odd.name
                assert found <= set(odd.answers), odd.name
                if odd.rings:
                    desk.do("RefuseCall", call_id=call_id, sip_code=486, by="appliance", cause="busy")
                    desk.expect("call_ended", call_id=call_id)
        a_call_works(desk, tmp_path)


@pytest.mark.interop("wrong messages (RFC 4475) break nothing", peer="SIP sockets")
def test_wrong_messages_break_nothing(tmp_path: Path) -> None:
    with DeskProcess(tmp_path) as desk:
        for name, text in WRONG.items():
            with Stranger(desk) as stranger:
                stranger.send(stranger.filled(text))
                found = list(stranger.answers())
            rung = refuse_all(desk)
            if name.split()[0] in TAKEN:
                assert (found[:1], rung) == (["100"], 1), name
            else:
                assert rung == 0, name
        a_call_works(desk, tmp_path)


@pytest.mark.interop("messages changed by chance break nothing, memory stays flat", peer="SIP sockets")
def test_messages_changed_by_chance_break_nothing(tmp_path: Path) -> None:
    chance = random.Random(4475)
    texts = [odd.text for odd in ODD if not odd.rings] + list(WRONG.values())

    def mutated(message: bytes) -> bytes:
        changed = bytearray(message or b"x")
        for _ in range(chance.randint(1, 12)):
            at = chance.randrange(len(changed))
            match chance.randrange(4):
                case 0:
                    changed[at] = chance.randrange(256)
                case 1:
                    del changed[at : at + chance.randint(1, 40)]
                    changed = changed or bytearray(b"x")
                case 2:
                    changed[at:at] = bytes(chance.choices(SPECIAL, k=chance.randint(1, 20)))
                case _:
                    changed[at:at] = changed[at : at + chance.randint(1, 200)]
        return bytes(changed[:1400])

    def resident_kb(desk: DeskProcess) -> int:
        status = Path(f"/proc/{desk.process.pid}/status").read_text(encoding="ascii")
        return int(status.split("VmRSS:")[1].split()[0])

    grown_kb = []
    with DeskProcess(tmp_path) as desk, Stranger(desk) as stranger:
        for _ in range(3):
            before_kb = resident_kb(desk)
            for number in range(MUTATED):
                stranger.send(mutated(stranger.filled(chance.choice(texts))))
                if number % 50 == 49:
                    refuse_all(desk)
            list(stranger.answers())
            refuse_all(desk)
            grown_kb.append(resident_kb(desk) - before_kb)
        assert grown_kb[-1] <= MOST_GROWTH_KB, grown_kb
        a_call_works(desk, tmp_path)
