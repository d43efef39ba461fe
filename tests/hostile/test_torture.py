"""The torture messages of RFC 4475 from the configured host: each is taken or refused, and none is the last one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from telephony.messages import CallIncoming, GetSnapshot, Reject
from tests.hostile.sip import Endpoint, status, value
from tests.hostile.target import is_ready, settle
from tests.hostile.torture import messages
from tests.line.parts import LineProcess, wait_until

TORTURER = "127.0.44.75"
"""Bound to port 5060, where answers go when a Via names no port."""
RINGING = {
    "esc01": ("I have spaces", "sips:user@example.com"),
    "longreq": ("amazinglylongcallername" * 5, "user"),
    "clerr": ("caller", "user"),
    "lwsstart": ("caller", ""),
    "escruri": ("caller", "user"),
    "baddate": ("caller", "user"),
    "multi01": ("caller", "user"),
    "sdp01": ("caller", "user"),
}
"""INVITEs that can be understood, with caller and dialled user; PJSIP is lenient with some (RFC 4475 allows both)."""
REFUSED = {
    "wsinv": 481,  # its To has a tag, of a dialog that does not exist
    "intmeth": 405,
    "escnull": 405,
    "esc02": 405,
    "dblreq": 405,  # and the INVITE behind it is not looked at
    "mpart01": 405,
    "mismatch01": 400,
    "mismatch02": 400,
    "unksm2": 405,
    "cparam01": 405,
    "regescrt": 405,
}
ANSWERED = ("lwsdisp", "transports", "trws", "badaspec", "zeromf")
"""OPTIONS that can be understood."""
SILENT = ("noreason", "badinv01", "ncl", "scalar02", "scalarlg", "quotbal", "ltgtruri", "lwsruri", "bigcode", "insuf")
"""Cannot be read, or answers nothing that was asked; PJSIP drops them."""


def test_the_file_has_all_of_them_to_the_byte() -> None:
    made = messages()
    assert len(made) == 49
    lengths = {name: _lengths(message) for name, message in made.items()}
    wrong = {name for name, (said, real) in lengths.items() if said is not None and said != real}
    assert wrong == {"clerr", "ncl", "mcl01", "dblreq"}  # as the RFC has them
    assert b"NUL:\\\x00 DEL:\\\x7f" in made["intmeth"]
    assert len(made["longreq"]) > 3000


def test_each_is_taken_or_refused_and_none_is_the_last(line_process: Callable[..., LineProcess]) -> None:
    heard: dict[str, list[int]] = {}
    rang: dict[str, tuple[str, str]] = {}
    for number, batch in enumerate(_batches()):
        line = line_process(f"line{number}")
        line.add_line(9, allowed_peers=(TORTURER,))
        with Endpoint(line.port, TORTURER, 5060) as torturer, Endpoint(line.port) as caller:
            for name, message in batch.items():
                torturer.send(message)
                heard[name] = _codes(torturer, line, name, message, rang)
            is_ready(caller)
            wait_until(lambda line=line: not line.client.request(GetSnapshot(""))["calls"])  # type: ignore[misc]
        assert line.process.poll() is None
    assert rang == RINGING
    assert {name: heard[name][-1:] for name in REFUSED} == {name: [code] for name, code in REFUSED.items()}
    assert {name: heard[name] for name in ANSWERED} == {name: [200] for name in ANSWERED}
    assert {name: heard[name] for name in SILENT} == {name: [] for name in SILENT}


def _lengths(message: bytes) -> tuple[int | None, int]:
    head, _, body = message.partition(b"\r\n\r\n")
    said = re.search(rb"\n(?:content-length|l)\s*:\s*(-?\d+)", head, re.IGNORECASE)
    return int(said[1]) if said else None, len(body)


def _batches() -> list[dict[str, bytes]]:
    """So that no two in a batch are of the same transaction: many of the RFC's share their branch."""
    batches: list[dict[str, bytes]] = []
    used: list[set[bytes]] = []
    for name, message in messages().items():
        key = b" ".join((message.split(b" ")[0], *re.findall(rb"branch\s*=\s*([^\s;,]+)", message)[:1]))
        free = next((i for i, keys in enumerate(used) if key not in keys), len(used))
        if free == len(used):
            batches.append({})
            used.append(set())
        batches[free][name] = message
        used[free].add(key)
    return batches


def _codes(
    torturer: Endpoint, line: LineProcess, name: str, sent: bytes, rang: dict[str, tuple[str, str]]
) -> list[int]:
    codes: list[int] = []
    end = time.monotonic() + 0.1
    while time.monotonic() < end:
        heard = [m for m in settle(torturer) if value(m, "Call-ID").encode() in sent]
        codes += [status(message) for message in heard]
        while not line.events.empty():
            event = line.events.get()
            if isinstance(event, CallIncoming):
                rang[name] = (event.number, event.dialled)
                line.client.request(Reject("", event.call_id, "decline"))
        time.sleep(0.01)
    return codes
