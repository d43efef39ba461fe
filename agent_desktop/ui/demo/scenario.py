"""The day's main job, played on the real windows: dial, record, wrap up, inbound pop, listening in, replay."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QLabel, QWidget

from agent_desktop.domain.models import CaseDetail, Outcome
from agent_desktop.services.calls import CallView
from agent_desktop.services.desk import Desk
from agent_desktop.ui.demo.cast import Cast, DemoPerson
from agent_desktop.ui.demo.robot import NotSeenError, Robot, let_run, wait_for

TALK_S = 9.0
LISTEN_S = 3.0
LISTEN_AT_MOST_S = 12.0
SPEAKING_DBFS = -45.0
SETTLED_S = 0.5
NOTE_TEXT = "工资延迟到账,确认明天用手机银行还最低还款额。"


class Stage(Protocol):
    """What is around the seats."""

    def debtor_calls(self, number: str) -> None:
        """Let the simulated debtor call the collector's line."""

    def note_on_server(self, case_id: str, text: str) -> bool:
        """Whether the server holds that note, asked apart from the collector's own session."""

    def call_on_server(self, case_id: str, call_id: str) -> bool:
        """Whether the server holds the record of that call, asked likewise."""

    def receipt_verified(self, recording_id: str) -> bool:
        """Whether the store's signed receipt for the recording is on the seat and good."""


@dataclass
class Played:
    """What the steps found out, for the report."""

    calls: dict[str, CallView] = field(default_factory=dict)
    screen_pop_ms: float = -1.0
    notes_synced: int = 0
    case_id: str = ""
    listened: bool = False


Step = tuple[str, Callable[[], str]]


class Scenario:
    """Steps by name; each returns a short detail or raises. Qt main thread only."""

    def __init__(self, stage: Stage, cast: Cast, pictures: Path) -> None:
        self._stage = stage
        self._cast = cast
        self._pictures = pictures
        self.played = Played()
        self._sides_spoke: set[str] = set()
        self._painted: dict[str, int] = {}
        self._first_recording = ""

    def steps(self) -> list[Step]:
        """In the order to play them."""
        return [
            ("sign in", self._sign_in),
            ("open a case", self._open_case),
            ("click-to-dial", self._dial),
            (f"talk {TALK_S:.0f} s", self._talk),
            ("hang up", self._hang_up),
            ("wrap up with a promise", self._wrap_up),
            ("note and call synced", self._synced),
            ("recording uploaded, receipt verified", self._uploaded),
            ("the debtor calls in", self._debtor_calls_in),
            ("screen pop of the right case", self._screen_pop),
            ("answer", self._answer),
            ("the lead listens in", self._lead_listens),
            ("hang up the inbound call", self._hang_up_inbound),
            ("QA finds and replays the first recording", self._replay),
        ]

    # --- collector ---

    def _collector(self) -> Robot:
        return Robot(self._cast.collector.window)

    def _desk(self) -> Desk:
        desk = self._cast.collector.desk
        assert desk is not None
        return desk

    def _sign_in(self) -> str:
        person = self._cast.collector
        _sign_in(person)
        desk = self._desk()
        desk.calls.changed.join(lambda view: self.played.calls.__setitem__(view.id, view))
        queue = self._collector().await_control("queue.list", QAbstractItemView)
        rows = _settled(lambda: queue.model().rowCount())
        wait_for(lambda: desk.status.now.line_state in ("ready", "registered"), "the line ready", 20)
        return f"{desk.user.name}, {rows} cases"

    def _open_case(self) -> str:
        robot = self._collector()
        robot.click_row("queue.list", 0)
        shown = wait_for(lambda: self._shown() or None, "the case on screen")
        self.played.case_id = shown.case.id
        return shown.case.number

    def _shown(self) -> CaseDetail | None:
        from agent_desktop.ui.collector.case_view import CaseView

        detail: CaseDetail | None = self._collector().find("case", CaseView).detail
        return detail

    def _dial(self) -> str:
        robot = self._collector()
        shown = self._shown()
        assert shown is not None
        robot.click_row("contacts.table", 0)
        robot.press(Qt.Key.Key_F2)
        wait_for(lambda: self._call("active"), "the debtor answering", 10)
        return f"{len(shown.contacts)} contacts"

    def _call(self, state: str) -> CallView | None:
        current = self._desk().calls.current
        return current if current is not None and current.state == state else None

    def _talk(self) -> str:
        self._sides_spoke.clear()
        leave = self._desk().calls.levels.join(lambda levels: self._note_levels(levels.agent_dbfs, levels.far_dbfs))
        until = time.monotonic() + TALK_S
        while time.monotonic() < until or (len(self._sides_spoke) < 2 and time.monotonic() < until + 6):
            let_run(100)
        leave()
        self._collector().screenshot(self._pictures / "collector.png")
        if self._sides_spoke != {"agent", "far"}:
            raise NotSeenError(f"heard only {sorted(self._sides_spoke) or 'silence'}")
        view = self._call("active")
        if view is None or view.recording_state != "recording":
            raise NotSeenError("the call is not being recorded")
        return f"{view.codec}, both sides heard, sealed to {view.sealed_ms / 1000:.1f} s"

    def _note_levels(self, agent: float, far: float) -> None:
        if agent > SPEAKING_DBFS:
            self._sides_spoke.add("agent")
        if far > SPEAKING_DBFS:
            self._sides_spoke.add("far")

    def _hang_up(self) -> str:
        current = self._desk().calls.current
        assert current is not None
        self._collector().click("call.hangUp")
        ended = wait_for(lambda: self._ended(current.id), "the call ended")
        self._first_recording = ended.recording_id
        return f"{_talk_seconds(ended):.1f} s, {ended.cause}"

    def _ended(self, call_id: str) -> CallView | None:
        view = self.played.calls.get(call_id)
        return view if view is not None and view.state == "ended" else None

    def _wrap_up(self) -> str:
        robot = self._collector()
        shown = self._shown()
        assert shown is not None
        amount = f"{shown.case.minimum_due.minor / 100:.2f}"
        robot.click("wrapUp.outcome.promise")
        robot.type("wrapUp.amount", amount)
        robot.press_in("wrapUp.due", Qt.Key.Key_Up)  # an empty date becomes tomorrow
        robot.type("wrapUp.text", NOTE_TEXT)
        robot.screenshot(self._pictures / "wrap-up.png")
        robot.press(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        cases, case_id = self._desk().cases, self.played.case_id
        wait_for(lambda: _has_promise(cases.detail(case_id)), "the note with its promise in the case")
        return f"¥{amount} tomorrow"

    def _synced(self) -> str:
        status = self._desk().status
        wait_for(lambda: status.now.online and status.now.outbox == 0, "nothing waiting for the server", 10)
        if status.now.refused:
            raise NotSeenError(f"the server refused {status.now.refused} operations")
        wait_for(lambda: self._stage.note_on_server(self.played.case_id, NOTE_TEXT), "the note on the server", 10)
        call_id = next(iter(self.played.calls))
        wait_for(lambda: self._stage.call_on_server(self.played.case_id, call_id), "the call on the server", 10)
        self.played.notes_synced += 1
        return "asked at the server itself"

    def _uploaded(self) -> str:
        wait_for(lambda: self._stage.receipt_verified(self._first_recording), "the store's receipt", 20)
        return self._first_recording

    def _debtor_calls_in(self) -> str:
        """The first case's debtor, while the collector is looking at another case."""
        robot = self._collector()
        robot.click_row("queue.list", 2)
        wait_for(lambda: (shown := self._shown()) and shown.case.id != self.played.case_id, "another case open")
        number = self._desk().cases.detail(self.played.case_id).contacts[0].contact.number
        from agent_desktop.ui.collector.case_view import CaseView

        robot.find("case", CaseView).painted.connect(self._painted.__setitem__)
        self._stage.debtor_calls(number.removeprefix("+86"))
        view = wait_for(lambda: self._call("ringing"), "the call ringing", 10)
        return f"{len(view.matches)} case matches"

    def _screen_pop(self) -> str:
        view = self._call("ringing")
        assert view is not None
        painted = wait_for(lambda: self._painted.get(view.id), "the case painted")
        shown = self._shown()
        if shown is None or shown.case.id != self.played.case_id:
            raise NotSeenError("another case was shown")
        self.played.screen_pop_ms = round((painted - view.invited_ns) / 1e6, 1)
        self._collector().screenshot(self._pictures / "screen-pop.png")
        return f"{self.played.screen_pop_ms} ms after the INVITE"

    def _answer(self) -> str:
        self._collector().click("call.answer")
        wait_for(lambda: self._call("active"), "the call up")
        return ""

    # --- lead and QA ---

    def _lead_listens(self) -> str:
        """Three seconds at least, and until both sides have spoken."""
        _sign_in(self._cast.lead)
        robot = Robot(self._cast.lead.window)
        lead = self._cast.lead.desk
        assert lead is not None
        agent = self._desk().user.name
        wait_for(lambda: lead.status.now.line_state in ("ready", "registered"), "the lead's line ready", 20)
        row = wait_for(lambda: _row_with(robot, "lead.table", agent), "the collector on the wallboard", 10) - 1
        robot.click_row("lead.table", row)
        robot.click("lead.listen")
        wait_for(lambda: self._heard(robot), "the lead hearing something", 10)
        self._sides_spoke.clear()
        leave = self._desk().calls.levels.join(lambda levels: self._note_levels(levels.agent_dbfs, levels.far_dbfs))
        started = time.monotonic()
        while (spent := time.monotonic() - started) < LISTEN_S or (
            len(self._sides_spoke) < 2 and spent < LISTEN_AT_MOST_S
        ):
            let_run(100)
        leave()
        robot.screenshot(self._pictures / "lead.png")
        robot.click("lead.stop")
        self.played.listened = True
        return f"{spent:.1f} s"

    def _heard(self, robot: Robot) -> bool:
        return bool(robot.find("lead.stop", QWidget).isEnabled())

    def _hang_up_inbound(self) -> str:
        current = self._desk().calls.current
        assert current is not None
        self._collector().press(Qt.Key.Key_F4)
        ended = wait_for(lambda: self._ended(current.id), "the call ended")
        wait_for(lambda: self._stage.receipt_verified(ended.recording_id), "the store's receipt", 20)
        return f"{_talk_seconds(ended):.1f} s, uploaded"

    def _replay(self) -> str:
        _sign_in(self._cast.qa)
        robot = Robot(self._cast.qa.window)
        case = self._desk().cases.detail(self.played.case_id).case
        robot.type("qa.search", case.number)
        view = robot.await_control("qa.list", QAbstractItemView)
        wait_for(lambda: view.model().rowCount() == 2, "the case's two recordings", 10)
        robot.click_row("qa.list", 1)
        robot.click("qa.play", timeout=10)
        position = robot.find("qa.position", QLabel)
        at_start = position.text()
        wait_for(lambda: position.text() != at_start and position.text() > "00:02", "the replay going on", 10)
        robot.screenshot(self._pictures / "qa.png")
        robot.click("qa.play")
        return position.text()


def _sign_in(person: DemoPerson) -> None:
    robot = Robot(person.window)
    robot.type("signIn.login", person.login)
    robot.type("signIn.password", person.password)
    robot.click("signIn.submit")
    wait_for(lambda: person.desk, f"{person.login} signed in", 20)
    wait_for(person.window.isVisible, "the window shown", 10)


def _settled(count: Callable[[], int]) -> int:
    """The count once it has not changed for half a second: the first synchronisation comes in pages."""
    seen, since = 0, time.monotonic()

    def look() -> int:
        nonlocal seen, since
        if count() != seen:
            seen, since = count(), time.monotonic()
        return seen if time.monotonic() - since > SETTLED_S else 0

    return wait_for(look, "cases in the queue", 20)


def _row_with(robot: Robot, name: str, text: str) -> int:
    """One more than the row that holds ``text`` in any column; 0 when there is none."""
    model = robot.find(name, QAbstractItemView).model()
    for row in range(model.rowCount()):
        cells = (str(model.index(row, column).data() or "") for column in range(model.columnCount()))
        if any(text in cell for cell in cells):
            return row + 1
    return 0


def _has_promise(detail: CaseDetail) -> bool:
    notes = [entry.note for entry in detail.timeline if entry.note is not None]
    return any(note.text == NOTE_TEXT and note.outcome is Outcome.PROMISE and note.promise for note in notes)


def _talk_seconds(view: CallView) -> float:
    if view.answered_at is None or view.ended_at is None:
        return 0.0
    return (view.ended_at - view.answered_at).total_seconds()
