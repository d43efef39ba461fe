"""The outbox and the real server: each operation exactly once, whatever is cut, killed, refused or expired."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent_desktop.domain.days import utc_now
from agent_desktop.domain.models import ContactState, Money, Outcome, Promise, PromiseState
from agent_desktop.domain.sync import Operation, OutboxCounts
from tests.support.cutting_proxy import CuttingProxy
from tests.support.desk_data import make_case, make_note, new_id, note_operation
from tests.support.seat import Seat, open_seat, sign_in, wait_for
from tests.support.server import RunningServer, start_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    running = start_server(tmp_path_factory.mktemp("server"))
    yield running
    running.stop()


@pytest.fixture
def seat(server: RunningServer, tmp_path: Path) -> Iterator[Seat]:
    made = open_seat(tmp_path, server.url)
    made.pull()
    yield made
    made.close()


def _add_notes(seat: Seat, count: int) -> set[str]:
    case, contact = seat.first_case()
    ids = set()
    for n in range(count):
        note = make_note(
            case, contact_id=contact.id, author_id=seat.session.user.id, created_at=utc_now(), text=f"第 {n} 条"
        )
        seat.store.work.add_note(note, note_operation(note))
        ids.add(note.id)
    return ids


def test_what_was_done_here_is_on_the_server_as_it_was(seat: Seat, server: RunningServer, tmp_path: Path) -> None:
    case, contact = seat.first_case()
    now = utc_now()
    note = make_note(
        case,
        Outcome.PROMISE,
        contact_id=contact.id,
        author_id=seat.session.user.id,
        author_name=seat.session.user.name,
        created_at=now,
        text="称 25 日还 “3,000”\n第二行 😀",
        next_follow_up_at=now + timedelta(days=2),
    )
    promise = Promise(new_id(), case.id, note.id, Money(300_000), now.date() + timedelta(days=2), PromiseState.OPEN)
    object.__setattr__(note, "promise", promise)
    seat.store.work.add_note(note, note_operation(note))
    state = Operation(new_id(), "contact.state", now, contact.id, {"contact_id": contact.id, "state": "unreached"})
    seat.store.work.set_contact_state(contact.id, ContactState.UNREACHED, state)
    assert seat.send() == 2
    assert seat.store.outbox.counts() == OutboxCounts(0, 0)
    other = open_seat(tmp_path / "other", server.url)
    try:
        other.pull()
        detail = other.store.cases.detail(case.id, now)
        assert detail is not None
        assert note in [e.note for e in detail.timeline]
        assert detail.case.next_follow_up_at == note.next_follow_up_at
        assert detail.case.last_contact_at == now
        assert next(r for r in detail.contacts if r.contact.id == contact.id).contact.state is ContactState.UNREACHED
    finally:
        other.close()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_lost_answers_neither_lose_nor_repeat_a_note(server: RunningServer, tmp_path: Path, seed: int) -> None:
    proxy = CuttingProxy(server.port, seed, budgets=(0, 1, 200, 2_000, 9_000, 20_000))
    proxy.cutting = False
    seat = open_seat(tmp_path, proxy.url)
    try:
        seat.pull()
        proxy.cutting = True
        ids = _add_notes(seat, 300)
        seat.worker.start()
        wait_for(lambda: seat.store.outbox.counts().waiting == 0, 30)
        assert seat.store.outbox.counts().refused == 0
        assert proxy.cuts > 0
        proxy.cutting = False
        counted = Counter(seat.note_ids())
        assert {note_id: counted[note_id] for note_id in ids} == dict.fromkeys(ids, 1)
    finally:
        seat.close()
        proxy.close()


def test_a_server_killed_in_mid_batch_has_each_note_once(tmp_path: Path) -> None:
    server = start_server(tmp_path / "server")
    seat = open_seat(tmp_path, server.url)
    try:
        seat.pull()
        ids = _add_notes(seat, 250)
        seat.worker.start()
        wait_for(lambda: seat.store.outbox.counts().waiting < 250)
        server.stop(kill=True)
        left = seat.store.outbox.counts().waiting
        assert left > 0, "killed too late to be in the middle"
        wait_for(lambda: seat.states and not seat.states[-1].online)
        assert seat.states[-1].offline_since is not None
        more = _add_notes(seat, 5)  # work goes on without the server
        server = start_server(tmp_path / "server", data_dir=server.data_dir, port=server.port)
        wait_for(lambda: seat.store.outbox.counts().waiting == 0, 30)
        wait_for(lambda: seat.states[-1].online)
        assert (seat.states[-1].offline_since, seat.states[-1].refused) == (None, 0)
        counted = Counter(seat.note_ids())
        assert {note_id: counted[note_id] for note_id in ids | more} == dict.fromkeys(ids | more, 1)
    finally:
        seat.close()
        server.stop()


def test_a_refused_operation_is_kept_and_counted_and_holds_nothing_up(seat: Seat) -> None:
    never_given = make_note(make_case(), author_id=seat.session.user.id)
    seat.store.work.add_note(never_given, note_operation(never_given))
    _add_notes(seat, 60)
    assert seat.send() == 61
    assert seat.store.outbox.counts() == OutboxCounts(waiting=0, refused=1)


def test_an_operation_that_spoils_its_whole_batch_is_found(seat: Seat) -> None:
    before = seat.store.outbox.counts()
    _add_notes(seat, 7)
    spoilt = Operation("no uuid", "note.add", utc_now(), "", {})
    note = make_note(make_case())
    seat.store.work.add_note(note, spoilt)
    _add_notes(seat, 7)
    assert seat.send() == 15
    assert seat.store.outbox.counts() == OutboxCounts(waiting=0, refused=before.refused + 1)


def test_an_expired_token_is_said_and_work_is_kept_until_there_is_a_new_one(seat: Seat) -> None:
    old = seat.api.token()
    seat.worker.start()
    wait_for(lambda: seat.states and seat.states[-1].online)
    seat.api.sign_out()
    assert seat.api.token() is None
    seat.api._token = old
    ids = _add_notes(seat, 3)
    seat.worker.wake()
    wait_for(lambda: seat.states[-1].signed_out)
    assert seat.states[-1].waiting == 3
    assert seat.store.outbox.counts().waiting == 3
    sign_in(seat.api, "liting", seat.keys)
    seat.worker.wake()
    wait_for(lambda: not seat.states[-1].signed_out and seat.states[-1].waiting == 0)
    assert ids <= set(seat.note_ids())


def test_a_contact_that_must_not_be_called_stays_so(seat: Seat) -> None:
    case, contact = seat.first_case()
    for state in (ContactState.DO_NOT_CALL, ContactState.VALID):
        data: dict[str, object] = {"contact_id": contact.id, "state": state.value}
        operation = Operation(new_id(), "contact.state", utc_now(), contact.id, data)
        seat.store.work.set_contact_state(contact.id, state, operation)
        seat.send()
    assert seat.store.outbox.counts().refused == 1
    seat.pull()
    kept = seat.store.cases.contact(contact.id)
    assert kept is not None
    assert kept.state is ContactState.DO_NOT_CALL
    assert case.id == kept.case_id


def test_batches_are_sent_at_a_useful_rate(seat: Seat) -> None:
    ids = _add_notes(seat, 500)
    begun = time.monotonic()
    assert seat.send() == len(ids)
    assert time.monotonic() - begun < 10
