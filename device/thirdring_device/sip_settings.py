"""The sections ``[sip]`` and ``[trunk]``."""

from dataclasses import dataclass
from typing import Final

from thirdring_device.core.settings import setting

__all__ = ["RTP_PORTS", "SipSettings", "TrunkSettings"]

RTP_PORTS: Final = 100
"""From ``sip.rtp_port`` on."""


@dataclass(frozen=True, slots=True)
class SipSettings:
    """Our end of SIP and RTP."""

    port: int = setting(5060, "UDP and TCP port for SIP", low=1, high=65535)
    tls_port: int = setting(
        5061, "TCP port for SIP over TLS, open when the trunk's transport is tls; 0: any", low=0, high=65535
    )
    bind: str = setting("0.0.0.0", "address to listen on")
    rtp_port: int = setting(
        4000, "first UDP port for RTP; 100 ports from here are used", low=1024, high=65400
    )
    max_calls: int = setting(4, "calls at the same time, refused ones included", low=1, high=32)
    invites_per_s: float = setting(8.0, "INVITEs accepted from one source", unit="1/s", low=1.0, high=1000.0)
    invites_in_all_per_s: float = setting(
        12.0,
        "INVITEs accepted from all sources together; the others get 503",
        unit="1/s",
        low=1.0,
        high=1000.0,
    )
    no_rtp_warn_s: float = setting(5.0, "silence of the wire until a warning", unit="s", low=1.0, high=60.0)
    no_rtp_end_s: float = setting(
        30.0, "silence of the wire until the call is ended", unit="s", low=2.0, high=600.0
    )
    codecs: tuple[str, ...] = setting(
        ("PCMA", "PCMU", "G722", "opus"),
        "codecs offered, in this order; as the answering side the caller's order counts. One that the SIP "
        "stack lacks is left out",
    )
    plc: bool = setting(True, "fill the gaps of lost packets (packet loss concealment)")
    jitter_min_ms: int = setting(
        20, "smallest delay of the adaptive jitter buffer", unit="ms", low=0, high=500
    )
    jitter_start_ms: int = setting(
        0, "delay of the jitter buffer at the start of a stream", unit="ms", low=0, high=500
    )
    jitter_max_ms: int = setting(
        400, "largest delay of the jitter buffer, and its size", unit="ms", low=60, high=1000
    )
    session_timers: str = setting(
        "optional",
        "session timers (RFC 4028), which find calls whose other end has died",
        choices=("off", "optional", "required"),
    )
    session_expires_s: int = setting(1800, "session interval asked for", unit="s", low=90, high=86400)
    prack: str = setting(
        "optional",
        "reliable provisional responses (100rel, RFC 3262)",
        choices=("off", "optional", "required"),
    )
    stun_server: str = setting(
        "", "STUN server, host or host:port, to learn our public address from; empty: none"
    )
    ice: bool = setting(False, "ICE (RFC 8445) for the media's way through NAT")
    keep_alive_s: int = setting(
        15, "UDP: pause between packets that keep NAT's way open; 0: none", unit="s", low=0, high=3600
    )
    contact_rewrite: bool = setting(
        True, "give the address that the registrar sees us at as our Contact, for NAT"
    )


@dataclass(frozen=True, slots=True)
class TrunkSettings:
    """The SIP trunk."""

    mode: str = setting(
        "static",
        "static: calls to and from fixed peers; registered: we register",
        choices=("static", "registered"),
    )
    server: str = setting(
        "", "host or host:port of the trunk's registrar or proxy; empty: incoming calls only"
    )
    server2: str = setting(
        "", "second registrar, host or host:port, used while the first does not answer; empty: none"
    )
    transport: str = setting(
        "udp",
        "how the trunk is spoken to; tls: with its certificate checked always",
        choices=("udp", "tcp", "tls"),
    )
    srv: bool = setting(True, "look up SRV records (RFC 3263) where the server is a name without a port")
    nameservers: tuple[str, ...] = setting(
        (), "address or address:port of the DNS servers asked for SRV records; empty: the system's"
    )
    outbound_proxy: str = setting("", "host or host:port that every request is sent through; empty: none")
    tls_ca_file: str = setting(
        "", "PEM file of the certificate authorities trusted for the trunk; empty: the system's"
    )
    tls_certificate_file: str = setting("", "PEM file of our own certificate, where the trunk asks for one")
    tls_key_file: str = setting("", "PEM file of our certificate's private key")
    allow_old_tls: bool = setting(
        False, "use TLS even when the SIP stack has an OpenSSL that gets no security fixes any more"
    )
    srtp: str = setting(
        "auto",
        "encryption of the sound (SRTP, RFC 4568); auto: mandatory over TLS, otherwise off",
        choices=("auto", "off", "optional", "mandatory"),
    )
    domain: str = setting("", "SIP domain of our address; empty: the server's host")
    user: str = setting("desk", "our user name on the trunk")
    auth_user: str = setting("", "user name for digest authentication; empty: the user name")
    password: str = setting("", "password for digest authentication", secret=True)
    realm: str = setting("", "digest realm to answer to; empty: the domain")
    peers: tuple[str, ...] = setting(
        ("127.0.0.0/8",), "addresses or networks INVITEs are accepted from, besides the server's"
    )
    country: str = setting("CN", "country of the trunk, for its tones (ISO 3166-1 alpha-2)")
    register_expires_s: int = setting(300, "registration interval", unit="s", low=30, high=86400)
    retry_s: int = setting(
        30, "pause after a registration that failed for want of an answer", unit="s", low=1, high=1800
    )
    failover_s: float = setting(
        8.0,
        "with a second server: silence until the next one is tried, for registrations and for calls",
        unit="s",
        low=1.0,
        high=30.0,
    )
    check_s: float = setting(
        20.0,
        "with a second registrar: pause between checks that the one in use still answers",
        unit="s",
        low=1.0,
        high=3600.0,
    )
