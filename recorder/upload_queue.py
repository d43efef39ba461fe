"""Which recording is sent next, and what happened to those that could not be."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from recorder.evidence import Manifest
from recorder.spool import Spool

Order = Literal["oldest", "newest"]

FIRST_WAIT = 1.0
LONGEST_WAIT = 120.0
TRIES = 5
"""How often a recording is tried that the server finds damaged, before it is set aside."""
SERVER_TRIES = 10
"""How often one is tried that the server fails on while it is well and takes others, before it is set aside."""
LONE_TRIES = 40
"""The same for one that nothing else waits behind, about an hour: whether it is the recording, nobody can tell."""
_TOLD_AFTER = 3


class BackOff:
    """Longer and longer waits, spread so that the seats of a floor do not come back together."""

    def __init__(self, first_wait: float) -> None:
        self._first = first_wait
        self.failures = 0

    def next(self) -> float:
        """Seconds to wait after one more failure."""
        longest = min(self._first * 2.0**self.failures, LONGEST_WAIT)
        self.failures = min(self.failures + 1, 16)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads the seats, hides nothing

    def reset(self) -> None:
        self.failures = 0


@dataclass(slots=True)
class _Trouble:
    """Of one recording that could not be sent."""

    back_off: BackOff
    problem: str = ""
    not_before: float = 0.0
    damaged: int = 0
    failed: int = 0
    stored_before: int = 0
    """How many recordings had been stored when this one failed first."""


class UploadQueue:
    """The recordings that are ready, in order, without those under way and those put off. One thread."""

    def __init__(
        self,
        spool: Spool,
        order: Order = "oldest",
        first_wait: float = FIRST_WAIT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.order: Order = order
        self._spool = spool
        self._first_wait = first_wait
        self._clock = clock
        self._ready: dict[str, Manifest] = {}
        self._under_way: set[str] = set()
        self._troubles: dict[str, _Trouble] = {}
        self._stored = 0

    def load(self) -> None:
        """Read what is ready. Raises ``OSError``."""
        self._ready = {manifest.recording_id: manifest for manifest in self._spool.ready()}
        self._troubles = {id_: trouble for id_, trouble in self._troubles.items() if id_ in self._ready}

    @property
    def waiting(self) -> int:
        """Recordings that are ready and not stored, those under way included."""
        return len(self._ready)

    @property
    def oldest_at(self) -> str:
        """When the oldest of them began, as its manifest says it; empty when there is none."""
        return min((manifest.started_at for manifest in self._ready.values()), default="")

    @property
    def problem(self) -> str:
        """Of those put off; empty when there is none to tell."""
        problems = [trouble.problem for trouble in self._troubles.values() if trouble.problem]
        return problems[0] if problems else ""

    def take(self) -> Manifest | None:
        """The next one that is due; it is under way until ``stored``, ``put_off`` or ``gone`` is called for it."""
        due = [m for id_, m in self._ready.items() if id_ not in self._under_way and self._due_in(id_) <= 0]
        if not due:
            return None
        pick = max if self.order == "newest" else min
        found = pick(due, key=lambda manifest: manifest.number)
        self._under_way.add(found.recording_id)
        return found

    def seconds_to_next(self) -> float | None:
        """Until one that was put off is due again; None when there is none."""
        return min((max(0.0, self._due_in(id_)) for id_ in self._troubles if id_ not in self._under_way), default=None)

    def stored(self, recording_id: str) -> None:
        """It is in the store and gone from the spool."""
        self._stored += 1
        self.gone(recording_id)

    def gone(self, recording_id: str) -> None:
        """It is not waiting any more."""
        self._under_way.discard(recording_id)
        self._ready.pop(recording_id, None)
        self._troubles.pop(recording_id, None)

    def let_go(self, recording_id: str) -> None:
        """It is not under way any more, and nothing is held against it."""
        self._under_way.discard(recording_id)

    def put_off(self, recording_id: str, problem: str) -> None:
        """It is tried again later."""
        self._under_way.discard(recording_id)
        trouble = self._trouble(recording_id)
        trouble.problem = problem
        trouble.not_before = self._clock() + trouble.back_off.next()

    def damaged(self, recording_id: str) -> bool:
        """The server found it, or a part of it, damaged; true when that has been so for too often."""
        trouble = self._trouble(recording_id)
        trouble.damaged += 1
        if trouble.damaged >= TRIES:
            return True
        self.put_off(recording_id, "")
        return False

    def failed(self, recording_id: str, *, progress: bool) -> bool:
        """The server, which is well, failed on it or puts it off; true when it is to be set aside.

        ``progress``: some of it got through first, so it is the way there that is bad. One that fails while others are
        taken is to blame for it; when none is taken, the server is.
        """
        trouble = self._trouble(recording_id)
        if not trouble.failed or progress:
            trouble.failed, trouble.stored_before = 0, self._stored
        trouble.failed += 1
        others = self._stored > trouble.stored_before
        if (trouble.failed >= SERVER_TRIES and others) or (trouble.failed >= LONE_TRIES and len(self._ready) == 1):
            return True
        self.put_off(recording_id, "refused" if trouble.failed >= _TOLD_AFTER else "")
        return False

    def _trouble(self, recording_id: str) -> _Trouble:
        return self._troubles.setdefault(recording_id, _Trouble(BackOff(self._first_wait)))

    def _due_in(self, recording_id: str) -> float:
        trouble = self._troubles.get(recording_id)
        return trouble.not_before - self._clock() if trouble else 0.0
