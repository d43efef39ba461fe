"""A seeded stream of broken SIP, SDP and RTP messages, the same for the same seed."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.hostile.sip import Endpoint, request, response, sdp

METHODS = (
    *("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "MESSAGE", "SUBSCRIBE", "NOTIFY", "REFER"),
    *("PUBLISH", "PRACK", "UPDATE", "INFO", "FROB"),
)
KEY = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
CRYPTO = (
    f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4",
    f"a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:{KEY} KDR=25 UNENCRYPTED_SRTP",
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:",
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 900,
    "a=crypto:99999999999999999999 F8_128_HMAC_SHA1_80 inline:AAAA|2^99999999999|999999999999:99",
    "a=crypto:",
    "a=crypto:1",
    f"a=crypto:-1 NULL_NULL inline:{KEY};inline:{KEY}",
)
ATTRIBUTES = (
    "a=rtpmap:8 PCMA/8000",
    "a=rtpmap:9 G722/8000/1",
    "a=rtpmap:101 telephone-event/8000",
    "a=fmtp:101 0-15",
    "a=rtpmap:8 /",
    "a=rtpmap:",
    "a=rtpmap:999999999999 X/99999999999999999999",
    "a=fmtp:8",
    "a=ptime:0",
    "a=ptime:4294967295",
    "a=maxptime:-1",
    "a=rtcp:0",
    "a=rtcp:99999 IN IP4 999.1.1.1",
    "a=sendonly",
    "a=inactive",
    "a=ssrc:4294967296 cname:x",
    "a=rtcp-mux",
    "a=candidate:1 1 UDP 2130706431 127.0.0.1 9 typ host",
    "a=ice-ufrag:x",
    "a=fingerprint:sha-256 00",
    "a=setup:actpass",
    "a=mid:\x00",
    "b=AS:99999999999999999999",
    "m=audio 0 RTP/AVP 8",
    "m=video 5000 RTP/AVP 31",
    "m=audio 99999999 RTP/SAVP 0 8 9",
    "m=",
    "c=IN IP6 ::1",
    "c=IN IP4",
)
HEADERS = (
    "Require: 100rel",
    "Require: timer, frobnicate",
    "Supported: 100rel, timer, replaces",
    "Session-Expires: 90;refresher=uas",
    "Session-Expires: 99999999999999999999",
    "Min-SE: 0",
    "RSeq: 4294967296",
    "RAck: 1 1 INVITE",
    "Event: presence",
    "Event: refer",
    "Event: message-summary",
    "Refer-To: <sip:x@127.0.0.2?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>",
    "Replaces: a;to-tag=b;from-tag=c",
    "Referred-By: <sip:x@y>;cid=\x01",
    "Authorization: Digest username=",
    'WWW-Authenticate: Digest realm="' + "r" * 300 + '",nonce=x',
    "Route: <sip:127.0.0.2;lr>",
    "Record-Route: <sip:127.0.0.2;lr>,<sip:>",
    "Via: SIP/2.0/UDP 127.0.0.2:99999;branch=",
    "Contact: *",
    "Expires: -1",
    "Content-Encoding: gzip",
    "Subscription-State: terminated;reason=x",
    "X-Monitor-Grant: good-",
    'P-Asserted-Identity: "\xe4\xb8" <tel:>',
    "Accept: /",
    "Date: Mon, 99 Foo 99999 99:99:99 GMT",
    "Content-Disposition: ;;;",
)
ODD_BYTES = (b"\x00", b"\xff", b"\r\n", b"\n\n", b"%00", b"%", b'"', b"<", b">", b";", b":", b"@", b"\\", b"2147483648")


@dataclass(frozen=True, slots=True)
class Broken:
    """One message. ``kind``: ``sip`` or ``rtp``."""

    number: int
    kind: str
    known: bool
    """To be sent from the configured host."""
    data: bytes


def stream(seed: int, count: int, known: Endpoint, stranger: Endpoint) -> Iterator[Broken]:
    """``count`` broken messages. Where they come from stands in their Via, so the two ends are needed."""
    for number in range(count):
        chance = random.Random(f"{seed}/{number}")  # so that one of them can be made again alone
        if chance.random() < 0.25:
            yield Broken(number, "rtp", False, _rtp(chance))
            continue
        is_known = chance.random() < 0.7
        sender = known if is_known else stranger
        make: Callable[[random.Random, Endpoint], bytes] = _sip if chance.random() < 0.9 else _answer
        data = make(chance, sender)
        for _ in range(chance.choice((0, 0, 0, 0, 1, 1, 2, 5, 20))):
            data = _damage(chance, data)
        yield Broken(number, "sip", is_known, data[:60_000])


def _sip(chance: random.Random, sender: Endpoint) -> bytes:
    method = chance.choices(METHODS, weights=[12] + [1] * (len(METHODS) - 1))[0]
    headers = chance.sample(HEADERS, chance.choice((0, 0, 1, 2, 4)))
    named = chance.choice(METHODS) if chance.random() < 0.1 else method
    body = _sdp(chance) if method in ("INVITE", "ACK", "UPDATE", "PRACK") else b"x" * chance.choice((0, 0, 10, 1000))
    made = request(
        method,
        sender,
        *headers,
        body=body,
        call_id=f"c{chance.randrange(50)}" if chance.random() < 0.2 else f"c{chance.getrandbits(64):x}",
        cseq=chance.choice((0, *[1] * 9, 2, 2**31 - 1, 2**32, 10**20)),
        to_tag=chance.choice((*[""] * 8, "x", "%00")),
        branch=chance.choice(("", "", "", "z9hG4bK", "z9hG4bKsame", "old")),
        user=chance.choice(("agent", "agent", "agent", "%00", "a" * 500, "", "1;x=y", "\u5f20")),
        kind=chance.choice(
            ("application/sdp", "application/sdp", "application/sdp", "multipart/mixed;boundary=b", "/")
        ),
    )
    return made if named == method else made.replace(f" {method}\r\n".encode(), f" {named}\r\n".encode(), 1)


def _answer(chance: random.Random, sender: Endpoint) -> bytes:
    asked = _sip(chance, sender)
    code = chance.choice((100, 180, 183, 200, 200, 302, 401, 407, 422, 486, 503, 600, 699))
    return response(asked, code, sender, *chance.sample(HEADERS, 2), body=_sdp(chance))


def _sdp(chance: random.Random) -> bytes:
    lines = [chance.choice(ATTRIBUTES) for _ in range(chance.choice((0, 1, 2, 4, 8)))]
    lines += [chance.choice(CRYPTO) for _ in range(chance.choice((0, 0, 1, 3)))]
    chance.shuffle(lines)
    if chance.random() < 0.02:
        lines += ["m=audio 5000 RTP/AVP 8"] * 300
    if chance.random() < 0.6:  # else hardly one would get far
        return sdp(*lines, formats=chance.choice(("8", "9 8 0 101", "0")))
    made = sdp(
        *lines,
        host=chance.choice(("127.0.0.1", "127.0.0.1", "0.0.0.0", "999.9.9.9", "::1", "nowhere.invalid", "")),  # noqa: S104
        port=chance.choice((40000, 40000, 0, 1, 65535, 65536, -1, 2**32)),
        formats=chance.choice(("8", "9 8 0 101", "0", "96", "255", "-1", "", "8 " * 200, "x")),
    )
    return made.replace(b"RTP/AVP", chance.choice((b"RTP/AVP", b"RTP/AVP", b"RTP/SAVP", b"UDP/TLS/RTP/SAVPF", b"X")), 1)


def _rtp(chance: random.Random) -> bytes:
    if chance.random() < 0.3:
        return chance.randbytes(chance.choice((0, 1, 3, 11, 12, 13, 160, 1400)))
    first = chance.choice((0x80, 0x80, 0x90, 0xB0, 0x8F, 0xA0, 0x00, 0xFF))
    payload = chance.choice((8, 9, 0, 101, 13, 72, 127, 200, 201, 203, 205, 206))
    head = struct.pack(
        "!BBHII",
        first,
        payload,
        chance.getrandbits(16),
        chance.getrandbits(32),
        chance.choice((1, chance.getrandbits(32))),
    )
    return head + chance.randbytes(chance.choice((0, 1, 4, 160, 161, 1000, 1400)))


def _damage(chance: random.Random, data: bytes) -> bytes:
    """Flip, cut, double, swap or insert something."""
    if not data:
        return data
    at = chance.randrange(len(data))
    what = chance.randrange(7)
    if what == 0:
        return data[:at] + bytes((chance.randrange(256),)) + data[at + 1 :]
    if what == 1:
        return data[:at] + data[at + chance.choice((1, 2, 10, 100)) :]
    if what == 2:
        return data[:at]
    if what == 3:
        return data[:at] + chance.choice(ODD_BYTES) * chance.choice((1, 1, 2, 50)) + data[at:]
    lines = data.split(b"\r\n")
    here = chance.randrange(len(lines))
    if what == 4:
        lines.insert(here, lines[chance.randrange(len(lines))])
    elif what == 5:
        del lines[here]
    else:
        other = chance.randrange(len(lines))
        lines[here], lines[other] = lines[other], lines[here]
    return b"\r\n".join(lines)
