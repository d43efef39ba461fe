"""A desk in memory for the QA and lead pages: real services' contracts, invented people."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from agent_desktop.domain.models import Direction, Money, Outcome, RecordingRow, Role, SeatState, User
from agent_desktop.services.calls import CallService
from agent_desktop.services.cases import CaseService
from agent_desktop.services.desk import Desk
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.services.listeners import Listeners
from agent_desktop.services.recordings import Access, RecordingQuery, RecordingService, ReplayAudio
from agent_desktop.services.status import StatusService
from agent_desktop.services.wallboard import MonitorView, WallboardService
from agent_desktop.services.wrap_up import WrapUpService

RATE = 8000
_DEBTORS = ("张建国", "王秀兰", "陈志强", "刘芳", "赵海洋", "周美玲", "孙立军", "吴晓东", "马琳")
_AGENTS = ("李婷", "郭伟", "何敏", "唐波")
_OUTCOMES = (
    Outcome.PROMISE,
    Outcome.NO_ANSWER,
    Outcome.COMPLAINT,
    Outcome.WILLING,
    Outcome.THIRD_PARTY,
    Outcome.REFUSED,
    Outcome.PROMISE,
    None,
    Outcome.DEAD_NUMBER,
)


def recording(number: int, *, now: datetime | None = None, **changes: object) -> RecordingRow:
    """An invented recording; the higher its number, the older."""
    i = number % len(_DEBTORS)
    outcome = _OUTCOMES[i]
    row = RecordingRow(
        id=f"rec-{number}",
        call_id=f"call-{number}",
        number=20418 - number,
        case_id=f"case-{number}",
        case_number=f"HX-2026-{1182 + number}",
        debtor_name=_DEBTORS[i],
        number_masked=f"138****{6021 + number}",
        agent_id=f"agent-{i % 4}",
        agent_name=_AGENTS[i % 4],
        direction=Direction.INBOUND if i == 3 else Direction.OUTBOUND,
        started_at=(now or datetime.now(UTC)) - timedelta(minutes=3 * number),
        seconds=(312, 82, 468, 129, 47, 216, 255, 361, 31)[i],
        outcome=outcome,
        promised=Money(300000) if outcome is Outcome.PROMISE else None,
        state="recovered" if i == 3 else "failed" if i == 6 else "verified",
    )
    return replace(row, **changes)  # type: ignore[arg-type]


def speech(seconds: float, seed: int) -> np.ndarray:
    """Bursts of noise with pauses, as two people take turns."""
    rng = np.random.default_rng(seed)
    pcm = rng.standard_normal(round(seconds * RATE)) * 3500
    envelope = np.zeros(len(pcm))
    at = int(rng.integers(0, 3 * RATE))
    while at < len(pcm):
        length = int(rng.integers(RATE // 2, 4 * RATE))
        n = min(length, len(pcm) - at)
        envelope[at : at + n] = np.hanning(length)[:n] * rng.uniform(0.4, 1.0)
        at += length + int(rng.integers(RATE // 2, 5 * RATE))
    wobble = 0.65 + 0.35 * np.sin(np.arange(len(pcm)) / RATE * 2 * np.pi * 3.1)
    return np.clip(pcm * envelope * wobble, -32768, 32767).astype(np.int16)


class MemoryRecordings(RecordingService):
    """Recordings that are there; ``failure`` is raised by everything while it is set; ``gate`` holds audio back."""

    def __init__(self, rows: list[RecordingRow]) -> None:
        self.rows = rows
        self.failure: DeskError | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.queries: list[RecordingQuery] = []
        self.fetched: list[str] = []
        self.log: dict[str, list[Access]] = {}
        self.make_audio: Callable[[RecordingRow], ReplayAudio] = lambda row: ReplayAudio(
            RATE, speech(row.seconds, row.number), speech(row.seconds, row.number + 1)
        )

    def search(self, query: RecordingQuery) -> list[RecordingRow]:
        self.queries.append(query)
        if self.failure:
            raise self.failure
        return [row for row in self.rows if _meets(row, query)][: query.limit]

    def audio(self, recording_id: str) -> ReplayAudio:
        self.gate.wait(10)
        if self.failure:
            raise self.failure
        row = next((r for r in self.rows if r.id == recording_id), None)
        if row is None:
            raise DeskError(Problem.NOT_FOUND)
        self.fetched.append(recording_id)
        self.log.setdefault(recording_id, []).insert(0, Access("陈宇", "replayed", datetime.now(UTC)))
        return self.make_audio(row)

    def accesses(self, recording_id: str) -> list[Access]:
        if self.failure:
            raise self.failure
        return list(self.log.get(recording_id, []))


def _meets(row: RecordingRow, query: RecordingQuery) -> bool:
    said = (row.agent_name, row.case_number, row.debtor_name, row.number_masked)
    return (
        (not query.text or any(query.text in text for text in said))
        and (query.since is None or row.started_at >= query.since)
        and (query.outcome is None or row.outcome is query.outcome)
        and row.seconds >= query.min_seconds
    )


# fmt: off
_TEAM = (
    "李婷", "郭伟", "何敏", "唐波", "徐静怡", "马琳", "高峰", "谢娟", "韩雪", "曹磊",
    "邓超", "许诺", "彭飞", "苏晴", "蒋欣", "田甜", "董洁", "袁野", "潘越", "余洋",
)
# fmt: on
_STATES = ("on_call", "on_call", "ready", "wrap_up", "on_call", "break", "on_call", "ready", "ringing", "offline")


def seat(i: int, *, now: datetime | None = None, **changes: object) -> SeatState:
    """An invented seat of the team."""
    state = _STATES[i % len(_STATES)]
    busy = state in ("on_call", "ringing", "wrap_up")
    made = SeatState(
        seat_id=f"seat-{i}",
        agent_id=f"agent-{i}",
        agent_name=_TEAM[i % len(_TEAM)],
        team="一组",
        state=state,
        since=(now or datetime.now(UTC)) - timedelta(seconds=(37 * i * i + 5) % 1200),
        call_id=f"call-{i}" if state in ("on_call", "ringing") else "",
        case_number=f"HX-2026-{1182 + i}" if busy else "",
        debtor_name=_DEBTORS[i % len(_DEBTORS)] if busy else "",
        client="华信" if busy else "",
        stage=f"M{1 + i % 5}" if busy else "",
        line_state="registered" if state != "offline" else "removed",
        recording=state == "on_call",
        recording_problem="far_silent" if i == 4 else "",
        cases_handled=28 + (i * 13) % 41,
        talk_seconds=60 * (73 + (i * 29) % 100),
        promises=1 + (i * 7) % 12,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


class MemoryWallboard(WallboardService):
    """Seats that a test sets; ``listen`` records what was asked and lets the test say what happens."""

    def __init__(self, seats: list[SeatState]) -> None:
        self.changed = Listeners()
        self.monitor_changed = Listeners()
        self.rows = seats
        self.failure: DeskError | None = None
        self.refusal: DeskError | None = None
        self.asked: list[str] = []

    def seats(self) -> list[SeatState]:
        if self.failure:
            raise self.failure
        return sorted(self.rows, key=lambda s: (s.state != "on_call", s.agent_name))

    def put(self, *seats: SeatState) -> None:
        """Change or add seats and tell the listeners."""
        known = {s.seat_id: s for s in self.rows} | {s.seat_id: s for s in seats}
        self.rows = list(known.values())
        self.changed.emit(self.seats())

    def listen(self, seat_id: str) -> None:
        self.asked.append(f"listen {seat_id}")
        self.monitor_changed.emit(MonitorView(seat_id, "listen", "asking"))
        if self.refusal:
            self.monitor_changed.emit(MonitorView(seat_id, "listen", "failed", problem=self.refusal.problem.value))
            raise self.refusal

    def stop_listening(self) -> None:
        self.asked.append("stop")


def make_desk(role: Role, recordings: list[RecordingRow] | None = None, seats: list[SeatState] | None = None) -> Desk:
    """A desk whose recordings and wallboard work, in memory."""
    return Desk(
        user=User("user-1", "someone", "陈宇", role, "一组"),
        cases=CaseService.__new__(CaseService),
        calls=CallService.__new__(CallService),
        wrap_up=WrapUpService.__new__(WrapUpService),
        status=StatusService.__new__(StatusService),
        recordings=MemoryRecordings(recordings if recordings is not None else [recording(i) for i in range(9)]),
        wallboard=MemoryWallboard(seats if seats is not None else [seat(i) for i in range(20)]),
    )
