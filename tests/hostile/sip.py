"""Raw SIP and SDP over UDP, right or wrong as wanted, from any loopback address."""

from __future__ import annotations

import re
import select
import socket
import time
import uuid
from collections.abc import Callable, Iterable

KNOWN = "127.0.0.1"
"""The host that the lines under test have as their peer."""
STRANGER = "127.0.0.2"
CRLF = b"\r\n"


def sdp(*lines: str, host: str = KNOWN, port: int = 40000, formats: str = "8") -> bytes:
    """One audio stream; ``lines`` stand after its m-line."""
    head = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", f"c=IN IP4 {host}", "t=0 0", f"m=audio {port} RTP/AVP {formats}"]
    return "".join(f"{line}\r\n" for line in (*head, *lines)).encode()


def request(
    method: str,
    sender: Endpoint,
    *headers: str,
    body: bytes = b"",
    call_id: str = "",
    cseq: int = 1,
    to_tag: str = "",
    branch: str = "",
    user: str = "agent",
    kind: str = "application/sdp",
    tag: str = "far",
) -> bytes:
    """A request as a well-behaved agent would send it, with ``headers`` added."""
    lines = [
        f"{method} sip:{user}@127.0.0.1 SIP/2.0",
        f"Via: SIP/2.0/UDP {sender.host}:{sender.port};rport;branch={branch or 'z9hG4bK' + uuid.uuid4().hex}",
        "Max-Forwards: 70",
        f"From: <sip:13911112222@{sender.host}>;tag={tag}",
        f"To: <sip:{user}@127.0.0.1>" + (f";tag={to_tag}" if to_tag else ""),
        f"Call-ID: {call_id or uuid.uuid4().hex}",
        f"CSeq: {cseq} {method}",
        f"Contact: <sip:far@{sender.host}:{sender.port}>",
        *headers,
    ]
    if body:
        lines.append(f"Content-Type: {kind}")
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + CRLF * 2 + body


def invite(
    sender: Endpoint,
    body: bytes | None = None,
    *headers: str,
    call_id: str = "",
    branch: str = "",
    tag: str = "far",
) -> bytes:
    offer = sdp() if body is None else body
    return request("INVITE", sender, *headers, body=offer, call_id=call_id, branch=branch, tag=tag)


def response(to: bytes, code: int, sender: Endpoint, *headers: str, body: bytes = b"", tag: str = "answer") -> bytes:
    """An answer to the request ``to``."""
    copied = [f"{name}: {value(to, name)}" for name in ("Via", "From", "Call-ID", "CSeq")]
    target = value(to, "To")
    copied.append(f"To: {target}" + ("" if ";tag=" in target or code == 100 else f";tag={tag}"))
    copied += [f"Contact: <sip:far@{sender.host}:{sender.port}>", *headers]
    if body:
        copied.append("Content-Type: application/sdp")
    lines = [f"SIP/2.0 {code} {'OK' if code == 200 else 'Reason'}", *copied, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + CRLF * 2 + body


def value(message: bytes, name: str) -> str:
    """The first value of a header; empty when there is none."""
    found = re.search(rb"^" + name.encode() + rb"[ \t]*:[ \t]*(.*?)\r$", message, re.IGNORECASE | re.MULTILINE)
    return found[1].decode("utf-8", "replace") if found else ""


def tag_of(message: bytes) -> str:
    """The tag in the To header."""
    return value(message, "To").rpartition("tag=")[2] if "tag=" in value(message, "To") else ""


def status(message: bytes) -> int:
    """The status code of a response; 0 for a request."""
    return int(message[8:11]) if message.startswith(b"SIP/2.0 ") else 0


def method(message: bytes) -> str:
    """The method of a request; empty for a response."""
    return "" if message.startswith(b"SIP/2.0 ") else message.split(b" ", 1)[0].decode("ascii", "replace")


class Endpoint:
    """A UDP socket that sends to one line process and hears its answers."""

    def __init__(self, target: int, host: str = KNOWN, port: int = 0) -> None:
        self.target = (KNOWN, target)
        self.host = host
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind((host, port))
        self._socket.setblocking(False)
        self.port = int(self._socket.getsockname()[1])
        self._unread: list[bytes] = []

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        self._socket.sendto(data, self.target)

    def send_to(self, data: bytes, address: tuple[str, int]) -> None:
        self._socket.sendto(data, address)

    def close(self) -> None:
        self._socket.close()

    def heard(self) -> list[bytes]:
        """Everything that has come meanwhile."""
        found, self._unread = self._unread, []
        while True:
            try:
                found.append(self._socket.recv(65536))
            except OSError:  # nothing more, or an ICMP error for what was sent
                return found

    def wait(self, good: Callable[[bytes], bool], timeout: float = 5.0) -> bytes:
        """The next message that is good; those before it are dropped, but for BYE, which is answered."""
        deadline = time.monotonic() + timeout
        told: list[bytes] = []
        while time.monotonic() < deadline:
            messages = self.heard()
            for number, message in enumerate(messages):
                told.append(message[:40])
                if good(message):
                    self._unread = messages[number + 1 :]
                    return message
                if method(message) == "BYE":
                    self.send(response(message, 200, self))
            select.select([self._socket], [], [], 0.05)
        raise AssertionError(f"the awaited message did not come; came: {told}")

    def final(self, call_id: str, timeout: float = 5.0) -> bytes:
        """The final response in a call or transaction."""
        return self.wait(lambda m: status(m) >= 200 and value(m, "Call-ID") == call_id, timeout)

    def acknowledge(self, answer: bytes) -> None:
        """ACK a final response to an INVITE: in its transaction when it refuses, else in one of its own."""
        branch = "" if status(answer) < 300 else value(answer, "Via").rpartition("branch=")[2].split(";")[0]
        number = int(value(answer, "CSeq").split()[0])
        self.send(
            request("ACK", self, call_id=value(answer, "Call-ID"), cseq=number, to_tag=tag_of(answer), branch=branch)
        )


def flood(sender: Endpoint, messages: Iterable[bytes], rate: int) -> tuple[int, list[bytes]]:
    """Send all of them at ``rate`` a second; how many were sent and what was heard meanwhile."""
    heard: list[bytes] = []
    begin = time.monotonic()
    sent = 0
    for message in messages:
        sender.send(message)
        sent += 1
        heard += sender.heard()
        if (ahead := begin + sent / rate - time.monotonic()) > 0:
            time.sleep(ahead)
    return sent, heard
