"""What the store keeps of a collector's work, and what it does with the server's changes."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agent_desktop.domain.days import day_start
from agent_desktop.domain.models import (
    ContactState,
    Direction,
    Draft,
    Money,
    Outcome,
    PromiseState,
    Relation,
    TimelineKind,
)
from agent_desktop.domain.sync import OpenCall, Operation, OperationResult, OutboxCounts
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.store import schema
from agent_desktop.store.keys import KeptKeys, KeyringAway, SeatKeys, WrongPassphrase
from agent_desktop.store.store import Store
from agent_desktop.sync.shapes import call_json
from tests.support.desk_data import (
    ME,
    NOON,
    SHANGHAI,
    TODAY,
    delete_case,
    make_call,
    make_case,
    make_contact,
    make_note,
    make_promise_note,
    new_id,
    note_operation,
    page,
    upsert,
)

DAY_START = day_start(NOON, SHANGHAI)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "desk.db", secrets.token_bytes(32))
    yield made
    made.close()


def _add_call(store: Store, call: object) -> bool:
    operation = Operation(call.id, "call.add", call.ended_at, call.case_id, call_json(call))  # type: ignore[attr-defined,arg-type]
    return store.work.add_call(call, operation)  # type: ignore[arg-type]


def test_everything_of_a_case_comes_back_as_it_went_in(store: Store) -> None:
    case = make_case(last_contact_at=NOON, next_follow_up_at=NOON + timedelta(days=1), debtor_age=None)
    contact = make_contact(case)
    note = make_promise_note(case, TODAY, contact_id=contact.id)
    call = make_call(case, contact_id=contact.id)
    store.changes.apply(page(upsert(case), upsert(contact), upsert(note), upsert(call)))
    detail = store.cases.detail(case.id, DAY_START)
    assert detail is not None
    assert (detail.case, detail.open_promise) == (case, note.promise)
    assert [row.contact for row in detail.contacts] == [contact]
    row = detail.contacts[0]
    assert (row.attempts_today, row.last_outcome, row.last_at) == (1, Outcome.PROMISE, NOON)
    assert {e.kind for e in detail.timeline} == {TimelineKind.NOTE, TimelineKind.CALL, TimelineKind.PROMISE}
    assert next(e.note for e in detail.timeline if e.note) == note
    assert next(e.call for e in detail.timeline if e.call) == call


def test_numbers_match_in_full_first_then_by_their_tail(store: Store) -> None:
    case, other = make_case(number="B"), make_case(number="A")
    store.changes.apply(
        page(
            upsert(case),
            upsert(other),
            upsert(make_contact(case, relation=Relation.SPOUSE)),
            upsert(self_ := make_contact(case)),
            upsert(make_contact(other, "+861088887777")),
        )
    )
    matches, detail = store.cases.pop("+8613800006021", DAY_START)
    assert [(m.case.id, m.contact.id) for m in matches] == [(case.id, self_.id)]
    assert detail is not None
    assert [m.case.id for m in store.cases.match("9913800006021")] == [case.id]
    assert store.cases.match("6021") == []
    store.changes.apply(page(upsert(make_contact(other))))
    matches, detail = store.cases.pop("+8613800006021", DAY_START)
    assert [m.case.number for m in matches] == ["A", "B"]
    assert detail is None


def test_a_note_changes_the_case_and_drops_the_draft_at_once(store: Store) -> None:
    case = make_case()
    store.changes.apply(page(upsert(case)))
    follow_up = NOON + timedelta(days=2)
    draft = Draft(case.id, "", "", Outcome.PROMISE, "明天还", "3,000", TODAY, follow_up)
    store.work.keep_draft(replace(draft, text="明"))
    store.work.keep_draft(draft)
    assert store.work.draft(case.id) == draft
    note = make_promise_note(case, TODAY, next_follow_up_at=follow_up)
    store.work.add_note(note, note_operation(note))
    assert store.work.draft(case.id) is None
    facts = store.cases.facts()[0]
    assert (facts.case.next_follow_up_at, facts.case.last_contact_at) == (follow_up, NOON)
    assert (facts.promise, facts.last_outcome) == (note.promise, Outcome.PROMISE)
    assert [o.data for o in store.outbox.waiting(9)] == [note_operation(note).data]


def test_nobody_reached_is_no_contact(store: Store) -> None:
    case = make_case()
    store.changes.apply(page(upsert(case)))
    note = make_note(case, Outcome.NO_ANSWER)
    store.work.add_note(note, note_operation(note))
    assert store.cases.facts()[0].case.last_contact_at is None


def test_a_call_is_recorded_once_however_often_its_end_is_told(store: Store) -> None:
    call = make_call()
    opened = OpenCall(call.id, "", "", call.number, "line-1", Direction.OUTBOUND, NOON, NOON, "rec")
    store.work.keep_open_call(opened)
    assert store.work.open_calls() == {call.id: opened}
    assert _add_call(store, call)
    assert not _add_call(store, replace(call, cause="line_lost"))
    store.work.keep_open_call(opened)
    assert store.work.open_calls() == {}
    assert [o.data["cause"] for o in store.outbox.waiting(9)] == ["hung_up"]


def test_figures_are_todays_own_and_outlive_the_case(store: Store) -> None:
    case, other = make_case(), make_case()
    yesterday = DAY_START - timedelta(microseconds=1)
    store.changes.apply(
        page(
            upsert(case),
            upsert(other),
            upsert(make_note(case)),
            upsert(make_promise_note(case, TODAY)),
            upsert(make_note(other, created_at=DAY_START)),
            upsert(make_note(case, created_at=yesterday)),
            upsert(make_note(case, author_id=new_id())),
            upsert(make_call(case)),
            upsert(make_call(other, talk_ms=1_500)),
            upsert(make_call(case, started_at=yesterday)),
        )
    )
    figures = store.work.figures(ME.id, DAY_START)
    assert (figures.cases_handled, figures.talk_seconds) == (2, 61)
    assert (figures.promises, figures.promised) == (1, Money(300_000))
    store.changes.apply(page(delete_case(case.id)))
    assert store.work.figures(ME.id, DAY_START) == figures


def test_a_case_taken_away_is_gone_from_every_table(store: Store) -> None:
    case, stays = make_case(), make_case()
    kept = make_contact(stays)
    note = make_promise_note(case, TODAY)
    store.changes.apply(
        page(upsert(case), upsert(make_contact(case)), upsert(make_call(case)), upsert(stays), upsert(kept))
    )
    store.work.add_note(note, note_operation(note))
    store.work.keep_draft(Draft(case.id, "", "", None, "x", "", None, None))
    assert store.changes.apply(page(delete_case(case.id))) == {case.id}
    for table in (schema.contacts, schema.notes, schema.promises, schema.calls, schema.drafts):
        rows = store.database.read(lambda c, t=table: c.execute(t.select()).mappings().all())  # type: ignore[misc]
        assert all(row["case_id"] == stays.id for row in rows), table.name
    assert [f.case.id for f in store.cases.facts()] == [stays.id]
    assert store.cases.contact(kept.id) == kept
    assert store.outbox.counts().waiting == 1  # the note is still the server's to have


def test_what_is_overtaken_within_a_page_leaves_no_orphan(store: Store) -> None:
    case = make_case()
    contact = make_contact(case)
    store.changes.apply(page(upsert(case), upsert(contact), delete_case(case.id)))
    assert store.cases.contact(contact.id) is None
    store.changes.apply(page(upsert(case), delete_case(case.id), upsert(case), upsert(contact)))
    assert store.cases.contact(contact.id) == contact


def test_the_cursor_goes_with_the_data(store: Store) -> None:
    assert store.changes.cursor() == 0
    first = page(upsert(make_case()))
    store.changes.apply(first)
    assert store.changes.cursor() == first.next
    broken = replace(upsert(make_case()), item=make_case(days_overdue=object()))
    with pytest.raises(Exception, match=r".*"):
        store.changes.apply(page(upsert(make_case()), broken))
    assert store.changes.cursor() == first.next
    assert len(store.cases.facts()) == 1


def test_our_own_change_stands_until_the_server_has_it(store: Store) -> None:
    case = make_case()
    contact = make_contact(case)
    store.changes.apply(page(upsert(case), upsert(contact)))
    operation = Operation(new_id(), "contact.state", NOON, contact.id, {})
    assert store.work.set_contact_state(contact.id, ContactState.INVALID, operation) == case.id
    note = make_note(case, next_follow_up_at=NOON + timedelta(days=1))
    store.work.add_note(note, note_operation(note))
    old = page(upsert(case), upsert(contact))
    store.changes.apply(old)
    assert store.cases.contact(contact.id) == replace(contact, state=ContactState.INVALID)
    assert store.cases.facts()[0].case.next_follow_up_at == note.next_follow_up_at
    store.outbox.settle([OperationResult(operation.id, "done"), OperationResult(note.id, "done")])
    store.changes.apply(old)
    assert store.cases.contact(contact.id) == contact
    assert store.cases.facts()[0].case.next_follow_up_at is None


def test_do_not_call_from_the_server_wins_over_our_own_change(store: Store) -> None:
    case = make_case()
    contact = make_contact(case)
    store.changes.apply(page(upsert(case), upsert(contact)))
    operation = Operation(new_id(), "contact.state", NOON, contact.id, {})
    store.work.set_contact_state(contact.id, ContactState.VALID, operation)
    store.changes.apply(page(upsert(replace(contact, state=ContactState.DO_NOT_CALL))))
    assert store.cases.refuses_calls(contact.number)


def test_the_outbox_keeps_its_order_and_what_was_refused(store: Store) -> None:
    notes = [make_note(make_case()) for _ in range(4)]
    for note in notes:
        store.work.add_note(note, note_operation(note))
    assert [o.id for o in store.outbox.waiting(3)] == [n.id for n in notes[:3]]
    store.outbox.settle(
        [
            OperationResult(notes[0].id, "done"),
            OperationResult(notes[1].id, "refused", "forbidden"),
            OperationResult(notes[2].id, "repeated"),
        ]
    )
    assert [o.id for o in store.outbox.waiting(9)] == [notes[3].id]
    assert store.outbox.counts() == OutboxCounts(waiting=1, refused=1)


def test_a_promise_kept_is_no_longer_open(store: Store) -> None:
    case = make_case()
    note = make_promise_note(case, TODAY)
    store.changes.apply(page(upsert(case), upsert(note)))
    assert note.promise is not None
    kept = replace(note, promise=replace(note.promise, state=PromiseState.KEPT))
    store.changes.apply(page(upsert(kept)))
    detail = store.cases.detail(case.id, DAY_START)
    assert detail is not None
    assert (detail.open_promise, store.cases.facts()[0].promise) == (None, None)


def test_keys_under_a_passphrase(tmp_path: Path) -> None:
    keys = KeptKeys(tmp_path)
    with pytest.raises(KeyringAway) as away:
        keys.load()
    assert away.value.first_time
    with pytest.raises(WrongPassphrase) as short:
        keys.load("short")
    assert short.value.too_short
    made = keys.load("correct horse battery")
    again = KeptKeys(tmp_path)
    assert again.load("correct horse battery") == made
    with pytest.raises(KeyringAway) as away:
        again.load()
    assert not away.value.first_time
    with pytest.raises(WrongPassphrase):
        again.load("incorrect horse battery")
    file = tmp_path / "seat.keys"
    assert file.stat().st_mode & 0o777 == 0o600
    assert made.store_key.hex() not in file.read_text()
    file.write_text("{}")
    with pytest.raises(DeskError) as damaged:
        again.load("correct horse battery")
    assert damaged.value.problem is Problem.STORE_DAMAGED


def test_keys_in_a_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring
    from keyring.backend import KeyringBackend

    class Memory(KeyringBackend):
        priority = 1  # type: ignore[assignment]

        def __init__(self) -> None:
            super().__init__()
            self.kept: dict[tuple[str, str], str] = {}

        def get_password(self, service: str, username: str) -> str | None:
            return self.kept.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            self.kept[service, username] = password

    memory = Memory()
    before = keyring.get_keyring()
    keyring.set_keyring(memory)
    try:
        made = KeptKeys(tmp_path / "a").load()
        assert KeptKeys(tmp_path / "a").load() == made
        assert KeptKeys(tmp_path / "b").load() != made
        assert {service for service, _ in memory.kept} == {"agent-desktop"}
        entry = next(iter(memory.kept))
        memory.kept[entry] = "spoilt"
        with pytest.raises(DeskError) as caught:
            KeptKeys(tmp_path / "a").load()
        assert caught.value.problem is Problem.STORE_LOCKED
        monkeypatch.setattr(memory, "set_password", lambda *_: None)
        with pytest.raises(KeyringAway):
            KeptKeys(tmp_path / "c").load()
    finally:
        keyring.set_keyring(before)


def test_keys_do_not_show_themselves() -> None:
    keys = SeatKeys.fresh()
    assert keys.store_key.hex() not in repr(keys)
    assert repr(keys.store_key) not in repr(keys)
    assert SeatKeys.from_json(keys.to_json()) == keys
    assert len(keys.public_key) == 32
    with pytest.raises(ValueError, match="not the keys"):
        SeatKeys.from_json("{}")
