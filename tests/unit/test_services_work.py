"""Today's work, wrap-up and recordings, over the real store."""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile

from agent_desktop.domain.models import (
    ContactState,
    Draft,
    Money,
    Note,
    Outcome,
    PromiseState,
    Relation,
    Role,
)
from agent_desktop.services.cases import CaseService
from agent_desktop.services.context import DeskContext, Policy
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.services.recordings import decode_audio
from agent_desktop.services.wrap_up import WrapUpInvalid, WrapUpService
from agent_desktop.store.store import Store
from tests.support.desk_data import (
    ME,
    NOON,
    SHANGHAI,
    TODAY,
    Clock,
    make_case,
    make_contact,
    make_note,
    make_promise_note,
    new_id,
    page,
    upsert,
)

KEY = secrets.token_bytes(32)


class Room:
    """A collector's case and wrap-up services."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "desk.db", KEY)
        self.clock = Clock()
        self.woken = 0
        self.context = DeskContext(
            user=ME,
            store=self.store,
            api=None,  # type: ignore[arg-type]
            wake=self._wake,
            clock=self.clock,
            zone=SHANGHAI,
            policy=Policy.from_json({"cases_target": 70, "promise_max_days": 30, "talk_target_seconds": "x"}),
        )
        self.cases = CaseService(self.context)
        self.saved: list[Note] = []
        self.wrap_up = WrapUpService(self.context, self.saved.append)

    def _wake(self) -> None:
        self.woken += 1


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.store.close()


def _draft(case_id: str, **changes: object) -> Draft:
    draft = Draft(case_id, new_id(), "", Outcome.PROMISE, "明天还", "3,000", TODAY + timedelta(days=2), None)
    return replace(draft, **changes)  # type: ignore[arg-type]


def test_a_draft_becomes_a_note_with_its_promise(room: Room) -> None:
    case = make_case()
    room.store.changes.apply(page(upsert(case)))
    draft = _draft(case.id, text="  明天还\x00\ud800 ", next_follow_up_at=NOON + timedelta(days=2))
    room.wrap_up.keep_draft(replace(draft, text="明天还"))
    note = room.wrap_up.save(draft)
    assert (note.author_id, note.author_name, note.created_at, note.text) == (ME.id, ME.name, NOON, "明天还")
    assert note.promise is not None
    assert (note.promise.amount, note.promise.due) == (Money(300_000), TODAY + timedelta(days=2))
    assert (note.promise.state, note.promise.note_id) == (PromiseState.OPEN, note.id)
    assert room.wrap_up.draft(case.id) is None
    assert (room.saved, room.woken) == ([note], 1)
    operation = room.store.outbox.waiting(9)[0]
    assert (operation.id, operation.kind, operation.data["created_at"]) == (note.id, "note.add", "2026-11-23T04:00:00Z")
    assert "author_name" not in operation.data
    assert room.cases.detail(case.id).case.next_follow_up_at == draft.next_follow_up_at


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"outcome": None}, "outcome", "missing"),
        ({"amount_text": ""}, "amount", "missing"),
        ({"amount_text": "三千"}, "amount", "not_a_number"),
        ({"amount_text": "0"}, "amount", "not_positive"),
        ({"amount_text": "18462.38"}, "amount", "more_than_owed"),
        ({"due": None}, "due", "missing"),
        ({"due": TODAY - timedelta(days=1)}, "due", "in_the_past"),
        ({"due": TODAY + timedelta(days=31)}, "due", "too_far"),
        ({"text": "长" * 2001}, "text", "too_long"),
        ({"next_follow_up_at": NOON}, "next_follow_up_at", "in_the_past"),
        ({"next_follow_up_at": NOON + timedelta(days=400)}, "next_follow_up_at", "too_far"),
    ],
)
def test_what_is_missing_or_wrong_is_named_and_nothing_is_kept(
    room: Room, changes: dict[str, object], field: str, code: str
) -> None:
    case = make_case()
    room.store.changes.apply(page(upsert(case)))
    room.wrap_up.keep_draft(draft := _draft(case.id, text="还在写"))
    with pytest.raises(WrapUpInvalid) as caught:
        room.wrap_up.save(_draft(case.id, **changes))
    assert (caught.value.field, caught.value.code) == (field, code)
    assert room.wrap_up.draft(case.id) == draft
    assert room.store.outbox.waiting(9) == []
    assert room.saved == []


@pytest.mark.parametrize("changes", [{"amount_text": "18,462.37"}, {"due": TODAY}, {"due": TODAY + timedelta(days=30)}])
def test_the_last_good_values_are_good(room: Room, changes: dict[str, object]) -> None:
    case = make_case()
    room.store.changes.apply(page(upsert(case)))
    assert room.wrap_up.save(_draft(case.id, **changes)).promise is not None


def test_the_promises_day_is_the_agencys(room: Room) -> None:
    case = make_case()
    room.store.changes.apply(page(upsert(case)))
    room.clock.tick(hours=12.5)  # 00:30 on the 24th in Shanghai, still the 23rd in UTC
    with pytest.raises(WrapUpInvalid):
        room.wrap_up.save(_draft(case.id, due=TODAY))


def test_without_a_promise_amount_and_day_do_not_matter(room: Room) -> None:
    case = make_case()
    room.store.changes.apply(page(upsert(case)))
    note = room.wrap_up.save(_draft(case.id, outcome=Outcome.REFUSED, amount_text="x", due=date(2000, 1, 1)))
    assert note.promise is None


def test_a_note_on_a_case_of_somebody_else_leaves_nothing_of_it_here(room: Room) -> None:
    note = room.wrap_up.save(_draft(new_id()))
    assert [o.id for o in room.store.outbox.waiting(9)] == [note.id]
    assert room.store.database.read(lambda c: c.exec_driver_sql("SELECT count(*) FROM notes").scalar()) == 0
    assert room.cases.figures().promises == 1


def test_a_draft_survives_the_window(tmp_path: Path) -> None:
    first = Room(tmp_path)
    draft = _draft(new_id(), outcome=None, due=None)
    first.wrap_up.keep_draft(draft)
    first.store.close()
    second = Room(tmp_path)
    assert second.wrap_up.draft(draft.case_id) == draft
    second.store.close()


def test_queues_and_their_counts(room: Room) -> None:
    due = make_case(number="HX-a0b3c4", debtor_name="张建国")
    later = make_case(number="HX-a0b3c5", debtor_name="王秀兰", next_follow_up_at=NOON)
    another_day = make_case(number="HX-a0b3c6", debtor_name="陈志强", next_follow_up_at=NOON + timedelta(days=3))
    number = "+8613900001234"
    room.store.changes.apply(
        page(
            *(upsert(c) for c in (due, later, another_day)),
            upsert(make_promise_note(due, TODAY, created_at=NOON - timedelta(days=1))),
            upsert(make_contact(due, number, relation=Relation.SPOUSE)),
            upsert(make_contact(due, "+8613900005555", state=ContactState.INVALID)),
            upsert(make_contact(due, "+8613900006666", state=ContactState.UNREACHED)),
        )
    )
    assert room.cases.counts() == {"today": 3, "promise_due": 1, "call_back": 1}
    assert [i.case.id for i in room.cases.queue("promise_due")] == [due.id]
    assert [i.case.id for i in room.cases.queue("call_back")] == [later.id]
    assert room.cases.queue()[0].number == "+8613900006666"  # the debtor's own that may be called
    for text in ("张建", "1234", due.number.lower(), f" {number[-6:]} "):
        assert [i.case.id for i in room.cases.queue(text=text)] == [due.id], text
    assert room.cases.queue(text="12") == []
    assert room.cases.queue(text="nobody") == []
    with pytest.raises(ValueError, match="unknown kind"):
        room.cases.queue("everything")


def test_a_case_that_is_not_here(room: Room) -> None:
    with pytest.raises(DeskError) as caught:
        room.cases.detail(new_id())
    assert caught.value.problem is Problem.NOT_FOUND


def test_marking_a_contact(room: Room) -> None:
    case = make_case()
    contact = make_contact(case)
    room.store.changes.apply(page(upsert(case), upsert(contact)))
    told: list[frozenset[str]] = []
    room.cases.changed.join(told.append)
    room.cases.set_contact_state(contact.id, ContactState.VALID)  # as it was: nothing to say
    room.cases.set_contact_state(contact.id, ContactState.DO_NOT_CALL)
    assert told == [frozenset({case.id})]
    assert [o.data for o in room.store.outbox.waiting(9)] == [{"contact_id": contact.id, "state": "do_not_call"}]
    with pytest.raises(DeskError) as caught:
        room.cases.set_contact_state(contact.id, ContactState.VALID)
    assert caught.value.problem is Problem.FORBIDDEN
    lead = CaseService(replace(room.context, user=replace(ME, role=Role.LEAD)))
    lead.set_contact_state(contact.id, ContactState.VALID)
    with pytest.raises(DeskError) as caught:
        room.cases.set_contact_state(new_id(), ContactState.VALID)
    assert caught.value.problem is Problem.NOT_FOUND


def test_figures_have_the_policys_targets(room: Room) -> None:
    case = make_case()
    room.store.changes.apply(page(upsert(case), upsert(make_note(case))))
    figures = room.cases.figures()
    assert (figures.cases_handled, figures.cases_target, figures.talk_target_seconds) == (1, 70, 12_000)


def _ogg(channels: int, seconds: float = 1.0, rate: int = 16_000) -> bytes:
    t = np.arange(int(seconds * rate)) / rate
    sides = [np.sin(2 * np.pi * f * t) * a for f, a in ((440, 0.5), (880, 0.25))][:channels]
    made = io.BytesIO()
    soundfile.write(made, np.stack(sides, axis=1), rate, format="OGG", subtype="OPUS")
    return made.getvalue()


def test_audio_keeps_its_sides_apart() -> None:
    audio = decode_audio(_ogg(2))
    assert len(audio.agent) == len(audio.far)
    assert abs(len(audio.agent) / audio.rate - 1.0) < 0.05
    for side, tone in ((audio.agent, 440), (audio.far, 880)):
        spectrum = np.abs(np.fft.rfft(side.astype(float)))
        assert abs(np.argmax(spectrum) * audio.rate / len(side) - tone) < 5
    assert np.abs(audio.agent).max() > 1.5 * np.abs(audio.far).max()


@pytest.mark.parametrize(
    "data", [b"", b"OggS" + bytes(200), _ogg(2)[:60], _ogg(1)], ids=["empty", "no Ogg", "torn", "one channel"]
)
def test_audio_that_cannot_be_heard_is_said_to_be_damaged(data: bytes) -> None:
    with pytest.raises(DeskError) as caught:
        decode_audio(data)
    assert caught.value.problem is Problem.RECORDING_DAMAGED
