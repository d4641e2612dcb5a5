"""A flood of INVITEs from many addresses of the loopback network, and what is answered to it."""

import re
import selectors
import socket
import time
from collections import Counter

from tests.peers import LOOPBACK

SDP = (
    "v=0\r\no=flood 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
    "m=audio 9 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
)


def invite(host: str, port: int, target_port: int, number: int) -> bytes:
    us, sdp = f"{host}:{port}", SDP.format(host=host)
    lines = [
        f"INVITE sip:desk@{LOOPBACK}:{target_port} SIP/2.0",
        f"Via: SIP/2.0/UDP {us};branch=z9hG4bK{port}-{number}",
        f"From: <sip:flood@{us}>;tag={port}x{number}",
        f"To: <sip:desk@{LOOPBACK}:{target_port}>",
        f"Call-ID: {port}x{number}@{host}",
        "CSeq: 1 INVITE",
        f"Contact: <sip:flood@{us}>",
        "Max-Forwards: 70",
        "Content-Type: application/sdp",
        f"Content-Length: {len(sdp)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + sdp).encode()


def flood(target_port: int, *, sources: int, each: int, rate: float) -> Counter[str]:
    """Send ``each`` INVITEs from each of ``sources`` addresses, ``rate`` a second together.

    Return how many were answered with each final status, ``503 Retry-After`` apart from ``503``, and with
    ``100`` and the like how many were let in. No answer is acknowledged.
    """
    answers: dict[str, str] = {}
    with selectors.DefaultSelector() as selector:
        sockets = []
        for source in range(sources):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind((f"127.0.{1 + source // 250}.{1 + source % 250}", 0))
            selector.register(sock, selectors.EVENT_READ)
            sockets.append(sock)
        begin_s = time.monotonic()
        for number in range(sources * each):
            sock = sockets[number % sources]
            host, port = sock.getsockname()
            sock.sendto(invite(host, port, target_port, number), (LOOPBACK, target_port))
            due_s = begin_s + (number + 1) / rate
            while (left_s := due_s - time.monotonic()) > 0:
                read(selector, left_s, answers)
        deadline_s = time.monotonic() + 5.0
        while len(answers) < sources * each and time.monotonic() < deadline_s:
            read(selector, 0.1, answers)
        for sock in sockets:
            sock.close()
    return Counter(answers.values())


def read(selector: selectors.BaseSelector, timeout_s: float, answers: dict[str, str]) -> None:
    for key, _ in selector.select(timeout_s):
        assert isinstance(key.fileobj, socket.socket)
        text = key.fileobj.recv(65536).decode(errors="replace")
        call_id = re.search(r"^Call-ID:\s*(\S+)", text, re.MULTILINE | re.IGNORECASE)
        if text.startswith("SIP/2.0 ") and call_id is not None:
            has_pause = re.search(r"^Retry-After:\s*\d", text, re.MULTILINE | re.IGNORECASE)
            answers[call_id[1]] = text[8:11] + (" Retry-After" if has_pause else "")
