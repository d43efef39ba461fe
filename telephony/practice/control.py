"""What crosses the practice line's standard input and output: one JSON object a line.

In: the configuration first, then orders::

    {"local_port": 0, "sounds": "resources/sounds", "seat_peer": "127.0.0.1:5070"}
    {"call_in": {"number": "13800006021"}}
    {"call_in": {"number": "13800006021", "peer": "127.0.0.1:5080"}}
    {"hang_up": true}
    {"quit": true}

Out: ``{"ready": true, "port": 40000}`` once, or ``{"ready": false, "error": "…"}``; then events, told apart
by ``event``: ``ringing`` (the seat dialled a number), ``calling`` (the seat is called), ``answered``,
``spoke``, ``interrupted``, ``ended``, ``error``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any


class ControlError(ValueError):
    """A line that cannot be understood; the text says why, without quoting it."""


@dataclass(frozen=True, slots=True)
class PracticeConfig:
    """How the practice line is set up."""

    sounds: Path
    local_port: int = 0
    """SIP port on loopback; 0 for a free one."""
    seat_peer: str = ""
    """``host:port`` of the seat's line, for calls to it; may come with each ``call_in`` instead."""
    seat_number: str = "seat"
    """Dialled when calling the seat."""


@dataclass(frozen=True, slots=True)
class CallIn:
    """Call the seat, from this number."""

    number: str
    peer: str = ""


@dataclass(frozen=True, slots=True)
class HangUpNow:
    """End the call that is up."""


@dataclass(frozen=True, slots=True)
class Quit:
    """End the process."""


Order = CallIn | HangUpNow | Quit


def read_config(line: bytes | str) -> PracticeConfig:
    """The first line of standard input. Raises ``ControlError``."""
    body = _object(line)
    types = {"sounds": str, "local_port": int, "seat_peer": str, "seat_number": str}
    for name, value in body.items():
        if name not in types or not isinstance(value, types[name]) or isinstance(value, bool):
            raise ControlError(f"the configuration's field {name[:40]!r} is unknown or of the wrong type")
    if "sounds" not in body:
        raise ControlError("the configuration does not say where the sounds are")
    if not 0 <= body.get("local_port", 0) <= 65535:
        raise ControlError("the port is not between 0 and 65535")
    return PracticeConfig(**{**body, "sounds": Path(body["sounds"])})


def read_order(line: bytes | str) -> Order:
    """One later line. Raises ``ControlError``."""
    body = _object(line)
    if body == {"quit": True}:
        return Quit()
    if body == {"hang_up": True}:
        return HangUpNow()
    call = body.get("call_in")
    if len(body) != 1 or not isinstance(call, dict):
        raise ControlError("unknown order")
    known = {field.name for field in fields(CallIn)}
    if "number" not in call or not set(call) <= known or not all(isinstance(v, str) for v in call.values()):
        raise ControlError("call_in needs a number and takes a peer, both as text")
    return CallIn(**call)


def _object(line: bytes | str) -> dict[str, Any]:
    try:
        body = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ControlError("not JSON") from error
    if not isinstance(body, dict):
        raise ControlError("not a JSON object")
    return body
