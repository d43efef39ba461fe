"""The seat's SIP lines in its configuration: one ``[line]`` table, or several written ``[[line]]``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from agent_desktop.config_table import WrongSetting, build
from agent_desktop.domain.dial_plan import CLASSES, FORMATS, DialPlan

CHOICES = {
    "line.transport": ("udp", "tcp", "tls"),
    "line.srtp": ("off", "optional", "mandatory"),
    "line.dtmf": ("rfc4733", "info"),
    "line.reliable_provisional": ("supported", "required", "off"),
    "line.dial_plan.number_format": FORMATS,
    "line.dial_plan.allowed": CLASSES,
}
SEAT_KEYS = ("local_host", "local_port")
SHORTEST_SESSION_S = 90
"""RFC 4028: no session may expire sooner."""
LONGEST_NUMBER = 8
"""Digits of an extension or a prefix; more is a mistake."""
_PEER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(:(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class LineSettings:
    """One SIP line. Its password is kept in the OS keyring, never here. As ``telephony.messages.LineConfig``."""

    user: str = ""
    """Extension or number; also the name it registers under."""
    peer: str = ""
    """``host:port`` of the PBX, or of a direct peer."""
    id: str = ""
    """What the line is called in records and on the command line; empty for ``user``."""
    name: str = ""
    """What it is called in the window; empty for ``user``. The far side is not shown it."""
    backup_peer: str = ""
    register: bool = True
    auth_user: str = ""
    transport: str = "udp"
    srtp: str = "off"
    ca_file: str = ""
    """PEM file of the authority behind the PBX's certificate, for ``tls``; empty for this machine's authorities."""
    tls_name: str = ""
    dtmf: str = "rfc4733"
    allowed_peers: tuple[str, ...] = ()
    accept_any: bool = False
    presented_number: str = ""
    session_timer_s: int = 1800
    reliable_provisional: str = "supported"
    dial_plan: DialPlan = field(default_factory=DialPlan)

    @property
    def line_id(self) -> str:
        """What the line is called in records; no two lines of a seat have the same."""
        return self.id or self.user


def with_seat_keys_above(table: dict[str, Any]) -> dict[str, Any]:
    """The file's table with ``local_host`` and ``local_port`` where they belong: they are the whole seat's, but a
    ``[line]`` may have them too. Raises ``WrongSetting`` when they are there twice and differ."""
    found = {key: table[key] for key in SEAT_KEYS if key in table}
    lines = table.get("line", [])
    for line in lines if isinstance(lines, list) else [lines]:
        own = {key: line[key] for key in SEAT_KEYS if key in line} if isinstance(line, dict) else {}
        for key, value in own.items():
            if found.setdefault(key, value) != value:
                raise WrongSetting(f"“{key}” is the whole seat's: write it once, above the lines.")
    return {**table, **found}


def read_lines(value: Any) -> tuple[LineSettings, ...]:
    """The lines in the order of the file. A single table without user and peer is a seat without a line.

    Raises ``WrongSetting``.
    """
    several = isinstance(value, list)
    tables = value if several else [value]
    if not all(isinstance(table, dict) for table in tables):
        raise WrongSetting("“line” must be a table, written [line], or [[line]] for each of several.")
    lines: list[LineSettings] = []
    for number, table in enumerate(tables, 1):
        shown = f"line {number}, " if len(tables) > 1 else "line."
        line = _read(table, shown)
        if line.user or line.peer or several:
            _check(line, shown)
            lines.append(line)
    _check_different(lines)
    return tuple(lines)


def _read(table: dict[str, Any], shown: str) -> LineSettings:
    if "password" in table:
        raise WrongSetting(
            f"“{shown}password” does not belong in a file: take it out, and keep it in the keyring with"
            " “agent-desktop line-password”."
        )
    line = build(LineSettings, {k: v for k, v in table.items() if k not in SEAT_KEYS}, "line.", CHOICES, shown)
    assert isinstance(line, LineSettings)
    return line


def _check(line: LineSettings, shown: str) -> None:
    for key in ("user", "peer"):
        if not getattr(line, key):
            raise WrongSetting(f"“{shown}{key}” is missing.")
    for key in ("peer", "backup_peer"):
        _check_peer(getattr(line, key), shown + key)
    if line.backup_peer and not line.register:
        raise WrongSetting(f"“{shown}backup_peer” is a registrar's: it needs register = true.")
    if line.session_timer_s and line.session_timer_s < SHORTEST_SESSION_S:
        raise WrongSetting(f"“{shown}session_timer_s” must be 0 or at least {SHORTEST_SESSION_S}.")
    if line.presented_number and not re.fullmatch(r"\+?[0-9]{2,20}", line.presented_number):
        raise WrongSetting(f"“{shown}presented_number” must be a number, digits only or with a + before them.")
    _check_plan(line.dial_plan, f"{shown}dial_plan.")


def _check_peer(peer: str, where: str) -> None:
    if not peer:
        return
    found = _PEER.fullmatch(peer)
    if found is None or not 0 < int(found["port"] or 1) < 65536:
        raise WrongSetting(f"“{where}” must be a host, or host:port such as “pbx.example:5060”.")


def _check_plan(plan: DialPlan, where: str) -> None:
    for key in ("outside_prefix", "mobile_prefix", "national_prefix", "international_prefix"):
        if not re.fullmatch(rf"[0-9*#]{{0,{LONGEST_NUMBER}}}", getattr(plan, key)):
            raise WrongSetting(f"“{where}{key}” must be the digits that are dialled, in quotes.")
    if plan.area_code and not re.fullmatch(r"0?[1-9][0-9]{1,2}", plan.area_code):
        raise WrongSetting(f"“{where}area_code” must be an area code such as “021”.")
    for key, wanted in (("mobile_prefix", bool(plan.mobile_prefix)), ("own_area_code", not plan.own_area_code)):
        if wanted and not plan.area_code:
            raise WrongSetting(f"“{where}{key}” needs area_code: without it nobody knows what is local.")
    if not all(0 < length <= LONGEST_NUMBER for length in plan.extension_lengths):
        raise WrongSetting(f"“{where}extension_lengths” must be numbers of digits, 1 to {LONGEST_NUMBER}.")


def _check_different(lines: Iterable[LineSettings]) -> None:
    numbers: set[tuple[str, str]] = set()
    names: set[str] = set()
    for line in lines:
        if (line.user, line.peer) in numbers:
            raise WrongSetting(f"line “{line.user}” is there twice.")
        if line.line_id in names:
            raise WrongSetting(f"two lines are called “{line.line_id}”: give one of them an “id” of its own.")
        numbers.add((line.user, line.peer))
        names.add(line.line_id)
