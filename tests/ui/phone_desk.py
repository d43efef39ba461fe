"""A collector's desk of the real services and the real store; only the line process and the server are scripted."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent_desktop.domain.models import Case, CaseMatch, Contact, ContactState, Money, Relation
from agent_desktop.services.call_records import CallRecords
from agent_desktop.services.call_tracker import CallTracker
from agent_desktop.services.calls import CallService
from agent_desktop.services.cases import CaseService
from agent_desktop.services.context import DeskContext
from agent_desktop.services.desk import Desk
from agent_desktop.services.line_commands import LineCommands
from agent_desktop.services.line_roster import LineRoster, SeatLine
from agent_desktop.services.phone import PhoneService
from agent_desktop.services.recordings import RecordingService
from agent_desktop.services.status import StatusService
from agent_desktop.services.wallboard import WallboardService
from agent_desktop.services.wrap_up import WrapUpService
from agent_desktop.store.store import Store
from telephony import messages
from telephony.messages import Command, Event
from tests.support.desk_data import ME, make_case, make_contact, page, upsert
from tests.support.scripted_line import ScriptedLine

KEY = secrets.token_bytes(32)
_ns = itertools.count(1)
HEADSET = ("Jabra Evolve2 40", "Plantronics C3220", "内置音频")


class Server:
    """Knows no number; nothing else is asked of it here."""

    def lookup(self, number: str) -> list[CaseMatch]:
        return []


class PhoneLine(ScriptedLine):
    """Also answers with the devices that there are."""

    devices: dict[str, list[str]]

    def __init__(self) -> None:
        super().__init__()
        self.devices = {name: list(HEADSET) for name in ("microphones", "speakers", "ringers")}

    def request(self, command: Callable[[str], Command], timeout: float = 2.0) -> dict[str, Any]:
        result = super().request(command, timeout)
        return dict(self.devices) if isinstance(self.commands[-1], messages.ListDevices) else result

    def sent(self, kind: type[Command]) -> list[Any]:
        return [command for command in self.commands if type(command) is kind]


class PhoneDesk:
    """Two lines, three cases. ``emit`` is what the line process says."""

    def __init__(self, folder: Path, lines: int = 2) -> None:
        self.store = Store(folder / "desk.db", KEY)
        self.line = PhoneLine()
        configured = [_line(n) for n in range(1, lines + 1)]
        self.roster = LineRoster([SeatLine(line) for line in configured])
        context = DeskContext(user=ME, store=self.store, api=Server(), lines=self.roster)  # type: ignore[arg-type]
        context.places.warm_up()
        commands = LineCommands()
        cases = CaseService(context)
        self.tracker = CallTracker(context, cases, CallRecords(context), unseen_end_s=0.1)
        calls = CallService(context, self.tracker, commands)
        phone = PhoneService(self.roster, commands)
        status = StatusService()
        self.contacts = self._fill()
        self.desk = Desk(
            user=ME,
            cases=cases,
            calls=calls,
            wrap_up=WrapUpService(context),
            status=status,
            recordings=RecordingService(context),
            wallboard=WallboardService(context),
            phone=phone,
        )
        self.roster.changed.join(status.on_lines)
        status.on_lines(self.roster.views)
        calls.use_line(self.line)
        for take in (self.roster.on_event, phone.on_event, status.on_line_event):
            self.line.events.join(take)
        for line in configured:
            self.emit(messages.LineState(line.line_id, "registered", 200, "OK", registrar="primary"))
        self.emit(messages.AudioState("device", HEADSET[0], microphone=HEADSET[0], speaker=HEADSET[0]))

    def _fill(self) -> list[Contact]:
        found = []
        changes = []
        people = (
            ("张建国", "+8613801016021", "M3"),
            ("王秀兰", "+8618601011189", "M2"),
            ("陈志强", "+8613501017745", "M5"),
        )
        for place, (name, number, stage) in enumerate(people):
            case: Case = make_case(debtor_name=name, stage=stage, number=f"HX-11820{place + 4}")
            case = replace(case, total=Money(1_846_237 - 300_000 * place))
            contact = make_contact(case, number, name=name)
            spouse = make_contact(case, f"+861393122220{place}", name="林慧", relation=Relation.SPOUSE)
            colleague = make_contact(
                case, f"+861860102993{place}", name="何平", relation=Relation.COLLEAGUE, state=ContactState.DO_NOT_CALL
            )
            changes += [upsert(item) for item in (case, contact, spouse, colleague)]
            found.append(contact)
        self.store.changes.apply(page(*changes))
        return found

    def emit(self, *events: Event) -> None:
        for event in events:
            self.line.events.emit(event)

    def close(self) -> None:
        self.tracker.close()
        self.store.close()

    # --- what the line process says of calls

    def incoming(self, call_id: str, number: str, **values: Any) -> None:
        self.emit(messages.CallIncoming(call_id, "line-1", number, "", "1001", _at(), next(_ns), **values))

    def state(self, call_id: str, state: str, number: str, *, talk_s: float = 0.0, **values: Any) -> None:
        """``talk_s``: how long the call has been talked on."""
        fields: dict[str, Any] = {"line_id": "line-1", "direction": "outbound", "at": _at(), "started_at": _at(talk_s)}
        if state == "active":
            fields |= {"answered_at": _at(talk_s), "codec": "G722/8000"}
        fields |= values
        self.emit(messages.CallState(call_id=call_id, state=state, number=number, at_ns=next(_ns), **fields))

    def recording(self, call_id: str, state: str = "recording", **values: Any) -> None:
        fields: dict[str, Any] = {"sealed_ms": 207_000, "lost_frames": 0, "free_bytes": 10**10, **values}
        self.emit(messages.RecordingState(f"r-{call_id}", call_id, state, **fields))

    def ended(self, call_id: str, number: str, cause: str = "far_hung_up", **values: Any) -> None:
        fields: dict[str, Any] = {
            "line_id": "line-1",
            "direction": "outbound",
            "sip_code": 200,
            "reason": "",
            "started_at": _at(68),
            "answered_at": _at(60),
            "ended_at": _at(),
            "talk_ms": 60_000,
            **values,
        }
        self.emit(messages.CallEnded(call_id=call_id, number=number, cause=cause, **fields))

    def quality(self, call_id: str, mos: float, **values: float) -> None:
        fields = {
            "rx_loss_pct": 0.0,
            "rx_jitter_ms": 3.0,
            "tx_loss_pct": 0.0,
            "tx_jitter_ms": 4.0,
            "rtt_ms": 24.0,
            "r_factor": 88.0,
            **values,
        }
        self.emit(messages.CallQuality(call_id=call_id, codec="G722", mos=mos, **fields))


def _at(seconds_ago: float = 0.0) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds_ago)).isoformat()


def _line(n: int) -> messages.LineConfig:
    return messages.LineConfig(f"line-{n}", f"100{n}", f"100{n}", "pbx.example:5060", register=True)
