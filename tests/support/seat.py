"""A seat's store and client against a real server, without a window and without a line."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent_desktop.domain.models import Case, Contact, Note
from agent_desktop.store.keys import SeatKeys
from agent_desktop.store.store import Store
from agent_desktop.sync.backoff import Backoff
from agent_desktop.sync.http import CollectionApi, SessionInfo
from agent_desktop.sync.outbox import OutboxSender
from agent_desktop.sync.pull import Puller
from agent_desktop.sync.worker import SyncState, SyncWorker
from tests.support.server import DEMO_PASSWORD


@dataclass
class Seat:
    """One signed-in person. ``close`` leaves the session open, as a crash would."""

    keys: SeatKeys
    api: CollectionApi
    session: SessionInfo
    store: Store
    states: list[SyncState]
    worker: SyncWorker

    def close(self) -> None:
        self.worker.stop()
        self.api.close()
        self.store.close()

    def pull(self) -> None:
        Puller(self.store.changes, self.api, lambda _: None).pull_all()

    def send(self) -> int:
        return OutboxSender(self.store.outbox, self.api).send_all()

    def first_case(self) -> tuple[Case, Contact]:
        """A case of this collector's with a contact of its own."""
        for facts in self.store.cases.facts():
            matches = self.store.cases.match(facts.number) if facts.number else []
            for match in matches:
                if match.case.id == facts.case.id:
                    return match.case, match.contact
        raise AssertionError("no case with a number")

    def note_ids(self) -> list[str]:
        """Ids of all notes by this person that the server would hand to a new seat, repeats included."""
        found: list[str] = []
        since = 0
        while True:
            page = self.api.changes(since, 500)
            found += [
                c.id for c in page.changes if isinstance(c.item, Note) and c.item.author_id == self.session.user.id
            ]
            since = page.next
            if not page.more:
                return found


def open_seat(folder: Path, url: str, login: str = "liting", keys: SeatKeys | None = None) -> Seat:
    """Sign in and open the store in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = keys or SeatKeys.fresh()
    api = CollectionApi(url)
    session = sign_in(api, login, keys)
    store = Store(folder / "desk.db", keys.store_key)
    states: list[SyncState] = []
    worker = SyncWorker(
        OutboxSender(store.outbox, api),
        Puller(store.changes, api, lambda _: None),
        store.outbox,
        states.append,
        backoff=Backoff(0.02, 0.2),
        poll_s=0.2,
    )
    return Seat(keys, api, session, store, states, worker)


def sign_in(api: CollectionApi, login: str, keys: SeatKeys) -> SessionInfo:
    """Sign in, again when the way there is cut."""
    for _ in range(50):
        try:
            return api.sign_in(login, DEMO_PASSWORD, keys.seat_id, keys.public_key)
        except Exception as error:
            if "server_away" not in str(error):
                raise
    raise AssertionError("never signed in")


def wait_for(what: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until ``what`` is true, at most ``seconds``."""
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "did not happen in time"
        time.sleep(0.01)
