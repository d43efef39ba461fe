"""Every call's record, on the disk before a client is told that the call stands or how it ended."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from telephony.errors import CommandError
from telephony.interfaces import RecordLog
from telephony.live_call import utc_now
from telephony.messages import Answer, CallEnded, CallState, Command, Dial, Event, Redial
from telephony.record_entries import OpenCall, Tale, acked_entry, ended_entry

log = logging.getLogger(__name__)

BEAT_S = 5.0
"""How often the journal says that a call is still up: what a crash may cost of a call's length when nothing of it is
recorded."""
RETRY_S = 1.0
CONFIRM_S = 1.5
"""How long the answer to a command waits for the disk."""
_COMPACT = 64
"""Entries in the journal before those that say nothing any more are dropped."""

_CONFIRMED = (Dial, Redial, Answer)
LastSign = Callable[[str], float | None]
"""When a recording was last written to, in seconds since 1970; None when nobody knows."""


@dataclass(frozen=True, slots=True)
class _Barrier:
    """What is to be told once everything before it is on the disk."""

    tell: Callable[[bool], None]


_Item = dict[str, Any] | CallEnded | _Barrier | None


class CallJournal:
    """Writes down each call as it begins, is answered, recorded and ended; keeps its record until it is acknowledged.

    Only the writer thread waits for the disk: the engine goes on whatever the disk does. While it takes nothing,
    records are kept in memory, clients are told of them all the same, and it is tried again every second.
    """

    def __init__(self, disk: RecordLog, last_sign: LastSign = lambda recording_id: None) -> None:
        self.on_ended: Callable[[Event], None] = lambda event: None
        """Called on the writer thread with each ended call's record."""
        self.agent_id = ""
        """Who sits here: stands in the records of the calls that begin from now on."""
        self._disk = disk
        self._last_sign = last_sign
        self._lock = threading.Lock()
        self._open: dict[str, OpenCall] = {}
        self._ended: dict[str, CallEnded] = {}
        self._items: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="call-journal", daemon=True)
        self._loaded = False
        self._whole = True
        """The file holds everything but what waits to be appended; otherwise it is to be written anew."""
        self._in_file = 0

    def start(self) -> None:
        """Read what was left: calls without an end were lost with their process.

        Raises ``BlockingIOError`` when another process has the journal; another error of the disk is logged and it is
        tried again.
        """
        self._try_load()
        self._thread.start()

    def stop(self, timeout: float = 3.0) -> None:
        """Write what waits; after the engine has stopped. May be called twice, and without ``start``."""
        if self._thread.is_alive():
            self._items.put(None)
            self._thread.join(timeout)
        if self._thread.is_alive():
            log.error("the disk hangs: call records may be missing on it")
        else:
            self._disk.close()

    def take(self, event: Event) -> bool:
        """Write down what an event says of a call; true when the journal passes the event on itself. Never blocks."""
        if isinstance(event, CallState):
            self._state(event)
        elif isinstance(event, CallEnded) and not event.monitored:
            self._items.put(self._attributed(event))
            return True
        return False

    def ended(self) -> tuple[CallEnded, ...]:
        """Records that nobody has acknowledged, oldest first."""
        with self._lock:
            return tuple(self._ended.values())

    def acknowledge(self, call_ids: Iterable[str]) -> None:
        """A client has these records in its own store."""
        with self._lock:
            known = [call_id for call_id in call_ids if self._ended.pop(call_id, None) is not None]
        if known:
            self._items.put(acked_entry(known))

    def confirmed(self, command: Command, done: Future[dict[str, Any]]) -> Future[dict[str, Any]]:
        """The answer to a command that begins or answers a call, held back until the call's record is on the disk.

        ``record_failed`` when the disk does not take it within 1.5 s; the call goes on.
        """
        if not isinstance(command, _CONFIRMED):
            return done
        answer = _Answer(done)
        done.add_done_callback(lambda _: self._items.put(_Barrier(answer.tell)) if answer.begin() else None)
        return answer.outcome

    # --- what events say; any thread ---

    def _state(self, event: CallState) -> None:
        if event.monitored or event.state == "ended":
            return
        with self._lock:
            before = self._open.get(event.call_id)
            now = before.after(event) if before else OpenCall.of(event, self.agent_id)
            self._open[event.call_id] = now
        if now is not before:
            self._items.put(now.entry())

    def _attributed(self, event: CallEnded) -> CallEnded:
        with self._lock:
            known = self._open.get(event.call_id)
        return replace(event, agent_id=known.agent_id if known else self.agent_id)

    # --- writer thread ---

    def _run(self) -> None:
        running = True
        while running:
            items = self._next_items()
            running = None not in items
            ended = [item for item in items if isinstance(item, CallEnded)]
            entries = [self._entry(item) for item in items if isinstance(item, (dict, CallEnded))]
            kept = self._keep(entries if items else self._beat())
            for item in items:
                if isinstance(item, _Barrier):
                    item.tell(kept)
            for event in ended:
                self.on_ended(event)

    def _next_items(self) -> list[_Item]:
        """What has come; nothing when it is time for another attempt or a sign of life."""
        with self._lock:
            beat = BEAT_S if self._open else None
        items: list[_Item] = []
        try:
            items.append(self._items.get(timeout=RETRY_S if self._behind else beat))
            while True:
                items.append(self._items.get_nowait())
        except queue.Empty:
            return items

    @property
    def _behind(self) -> bool:
        return not self._whole or not self._loaded

    def _entry(self, item: dict[str, Any] | CallEnded) -> dict[str, Any]:
        if isinstance(item, dict):
            return item
        with self._lock:
            self._open.pop(item.call_id, None)
            self._ended[item.call_id] = item
        return ended_entry(item)

    def _beat(self) -> list[dict[str, Any]]:
        """The calls that are up, with how long they have been."""
        now_ns, now = time.monotonic_ns(), utc_now()
        with self._lock:
            self._open = {call_id: call.alive(now_ns, now) for call_id, call in self._open.items()}
            return [call.entry() for call in self._open.values()]

    def _keep(self, entries: Sequence[dict[str, Any]]) -> bool:
        """Have these entries, and all before them, on the disk; false when they are not."""
        try:
            if not self._loaded:
                self._load()
            if not self._whole or self._in_file > _COMPACT + 4 * (len(self._open) + len(self._ended)):
                self._write_anew()
            elif entries:
                self._disk.append(entries)
                self._in_file += len(entries)
        except (OSError, ValueError, TypeError) as error:  # whatever it is, the calls' ends have to be told
            if self._whole:
                log.error("call records cannot be written: %s; tried again every second", type(error).__name__)
            self._whole = False
            return False
        return True

    def _write_anew(self) -> None:
        with self._lock:
            entries = [call.entry() for call in self._open.values()]
            entries += [ended_entry(event) for event in self._ended.values()]
        self._disk.rewrite(entries)
        if not self._whole:
            log.info("call records are written again")
        self._whole, self._in_file = True, len(entries)

    def _try_load(self) -> None:
        try:
            self._load()
        except BlockingIOError:
            raise
        except OSError as error:
            log.error("call records cannot be read: %s; tried again every second", type(error).__name__)
            self._whole = False

    def _load(self) -> None:
        """Put what an earlier process left before what this one has."""
        tale = Tale(self._disk.load())
        lost = [call.lost(self._last_sign(call.recording_id)) for call in tale.open.values()]
        if lost:
            log.warning("%d calls were lost with an earlier line process", len(lost))
        with self._lock:
            self._ended = {**tale.ended, **{event.call_id: event for event in lost}, **self._ended}
        self._loaded = True
        self._in_file = tale.entries
        if lost or tale.entries > len(tale.ended):
            self._write_anew()


class _Answer:
    """A command's answer that waits for the disk, but not for ever."""

    def __init__(self, done: Future[dict[str, Any]]) -> None:
        self.outcome: Future[dict[str, Any]] = Future()
        self._done = done
        self._lock = threading.Lock()
        self._late: threading.Timer | None = None

    def begin(self) -> bool:
        """The command was carried out: wait from now on; false when it was refused, which is told at once."""
        error = self._done.exception()
        if error is not None:
            self.outcome.set_exception(error)
            return False
        self._late = threading.Timer(CONFIRM_S, self.tell, (False,))
        self._late.daemon = True
        self._late.start()
        return True

    def tell(self, kept: bool) -> None:
        """The record is on the disk, or not. The first word counts. Any thread."""
        with self._lock:
            if self.outcome.done():
                return
            if self._late is not None:
                self._late.cancel()
            if kept:
                self.outcome.set_result(self._done.result())
            else:
                error = CommandError("record_failed", "the call's record is not on the disk; the call goes on")
                self.outcome.set_exception(error)


class MemoryLog:
    """A ``RecordLog`` for a process without a disk to keep records on: they last as long as it does."""

    def load(self) -> list[dict[str, Any]]:
        return []

    def append(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """The journal itself has them."""

    def rewrite(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Likewise."""

    def close(self) -> None:
        """Nothing to let go of."""
