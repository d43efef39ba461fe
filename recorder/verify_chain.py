"""The store's chain as a bundle shows it: unbroken, signed at its end, and with all of the seats' numbers."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nacl.exceptions import CryptoError
from nacl.signing import VerifyKey

from recorder.canonical import canonical_json

Json = dict[str, Any]
LINK = ("seq", "kind", "seat_id", "number", "prev_hash", "seat_prev_hash")
_TYPES = (int, str, str, int, str, str)
NUMBERED = ("stored", "adopted", "voided")
"""Kinds of entries that account for a number."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not hold. ``about``: a recording, a seat or a file of the bundle."""

    code: str
    about: str
    detail: str


@dataclass
class Chain:
    """What was found good in ``chain.json``, and what was not."""

    by_seq: dict[int, Json] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def of_seat(self, seat_id: str) -> list[Json]:
        return [link for _, link in sorted(self.by_seq.items()) if link["seat_id"] == seat_id]


def is_signed(body: object, key: bytes) -> bool:
    """Whether the object's ``signature`` is over the canonical JSON of its other fields. Never raises."""
    if not isinstance(body, dict) or not isinstance(body.get("signature"), str):
        return False
    try:
        signature = base64.b64decode(body["signature"], validate=True)
        VerifyKey(key).verify(canonical_json(unsigned(body)), signature)
    except (CryptoError, ValueError, TypeError, RecursionError):
        return False
    return True


def unsigned(body: Json) -> Json:
    """All but the signature."""
    return {name: value for name, value in body.items() if name != "signature"}


def body_sha256(body: Json) -> str:
    """Of the canonical JSON; empty for what has none."""
    try:
        return hashlib.sha256(canonical_json(body)).hexdigest()
    except (ValueError, RecursionError):
        return ""


def read_chain(value: Json | None, key: bytes, ends: Mapping[str, object]) -> Chain:
    """Check every link, how they hang together, and the signatures that are shown. ``ends``: each seat's last hash."""
    found = Chain()
    links = value.get("links") if value is not None else None
    if not isinstance(links, list):
        found.findings.append(Finding("chain", "chain.json", "The chain cannot be read."))
        return found
    for link in links:
        if not _is_link(link) or link["seq"] in found.by_seq:
            found.findings.append(Finding("chain", "chain.json", "There is something that is no link of a chain."))
            continue
        found.by_seq[link["seq"]] = link
        if not _is_whole(link):
            found.findings.append(Finding("chain", f"entry {link['seq']}", "The link was changed."))
        else:
            found.findings += _shown_body(link, key)
    found.findings += _breaks(found)
    found.findings += _wrong_ends(found, ends)
    return found


def check_receipt_in_chain(chain: Chain, receipt: Json) -> list[Finding]:
    """A receipt whose signature is good is an entry of the chain. For adopted ones too."""
    link = chain.by_seq.get(receipt.get("seq", 0))
    if link is not None and link["body_sha256"] == body_sha256(unsigned(receipt)):
        return []
    about = str(receipt.get("recording_id", ""))
    return [Finding("chain", about, "The receipt is not in its place in the chain.")]


def check_numbers(chain: Chain, told: Json | None, wanted: dict[str, list[int]]) -> list[Finding]:
    """Each number between the lowest and the highest of a seat's recordings is accounted for."""
    seats = told.get("seats") if told is not None else None
    if not isinstance(seats, dict):
        return [Finding("number_gap", "numbers.json", "The list of numbers cannot be read.")]
    return [
        found for seat_id, numbers in wanted.items() for found in _gaps(chain, seats.get(seat_id), seat_id, numbers)
    ]


def _gaps(chain: Chain, told: object, seat_id: str, numbers: list[int]) -> list[Finding]:
    first, last = min(numbers), max(numbers)
    if last - first > len(chain.by_seq) + len(numbers) + 1_000_000:
        return [Finding("number_gap", seat_id, f"Most numbers from {first} to {last} are missing.")]
    shown = {link["number"] for link in chain.of_seat(seat_id) if link["kind"] in NUMBERED}
    lists = [told.get(name) for name in ("stored", "voided")] if isinstance(told, dict) else []
    listed = {number for one in lists if isinstance(one, list) for number in one if type(number) is int}
    missing = [number for number in range(first, last + 1) if number not in shown]
    left_out = [number for number in range(first, last + 1) if number in shown and number not in listed]
    invented = sorted(listed - shown)
    said = (
        (missing, "Nothing accounts for"),
        (left_out, "The list of numbers leaves out"),
        (invented, "The list of numbers names, and the chain does not,"),
    )
    return [Finding("number_gap", seat_id, f"{text} {_some(found)}.") for found, text in said if found]


def _some(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:5])
    return f"number {shown}" + (f" and {len(numbers) - 5} more" if len(numbers) > 5 else "")


def _is_link(link: object) -> bool:
    if not isinstance(link, dict) or any(type(link.get(n)) is not kind for n, kind in zip(LINK, _TYPES, strict=True)):
        return False
    return isinstance(link.get("hash"), str) and isinstance(link.get("body_sha256"), str)


def _is_whole(link: Json) -> bool:
    return bool(body_sha256({name: link[name] for name in (*LINK, "body_sha256")}) == link["hash"])


def _wrong_ends(chain: Chain, ends: Mapping[str, object]) -> Iterable[Finding]:
    for seat_id, last_hash in ends.items():
        links = chain.of_seat(seat_id)
        if not links or links[-1]["hash"] != last_hash:
            yield Finding("chain", seat_id, "The end of the seat's entries is missing.")


def _shown_body(link: Json, key: bytes) -> Iterable[Finding]:
    body = link.get("body")
    if body is None:
        return
    about = f"entry {link['seq']}"
    same = isinstance(body, dict) and all(body.get(name) == link[name] for name in LINK)
    if not same or body_sha256(body) != link["body_sha256"]:
        yield Finding("chain", about, "What the entry says is not what is chained.")
    elif not is_signed({**body, "signature": link.get("signature")}, key):
        yield Finding("server_signature", about, "The entry of the chain is not signed by the store.")


def _breaks(chain: Chain) -> Iterable[Finding]:
    ends: dict[str, Json] = {}
    previous: Json | None = None
    for seq, link in sorted(chain.by_seq.items()):
        before = ends.get(link["seat_id"])
        if before is not None and link["seat_prev_hash"] != before["hash"]:
            yield Finding("chain", f"entry {seq}", "It does not follow the seat's entry before it.")
        elif previous is not None and previous["seq"] == seq - 1 and link["prev_hash"] != previous["hash"]:
            yield Finding("chain", f"entry {seq}", "It does not follow the entry before it.")
        ends[link["seat_id"]] = previous = link
