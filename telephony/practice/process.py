"""The practice line's process: an engine whose headset is the debtor, moved by orders and by what happens in
a call.

Dialled numbers with these endings practise failure, and no debtor answers them:

====== =================================================================
0404   not found (404)
0480   cannot be reached (480), before it rings
0486   busy (486)
0603   rings and is declined (603)
0408   rings and is never answered
====== =================================================================
"""

from __future__ import annotations

import heapq
import itertools
import os
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from telephony.engine import Engine
from telephony.errors import CommandError
from telephony.messages import (
    AddLine,
    Answer,
    CallEnded,
    CallIncoming,
    CallState,
    Command,
    Dial,
    Event,
    HangUp,
    LineConfig,
    Reject,
)
from telephony.practice.control import CallIn, ControlError, HangUpNow, Order, PracticeConfig, Quit, read_order
from telephony.practice.debtor import Debtor, HangsUp, Interrupted, Spoke, Talk, Told
from telephony.practice.scripts import Repertoire
from telephony.settings import EngineSettings

REFUSALS = (("0404", 404), ("0480", 480), ("0486", 486))
DECLINES = "0603"
NEVER_ANSWERS = "0408"
RINGS_S = 1.2

_HOST = "127.0.0.1"
_LINE = "practice"
_CALLER_LINE = "caller"
_PARENT_CHECK_S = 1.0
_COMMAND_S = 5.0

Tell = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class _Said:
    """What a debtor told, and in which call."""

    call_id: str
    told: Told


@dataclass(slots=True)
class _Call:
    """The call that is up, and whose it is."""

    call_id: str
    number: str
    """The debtor's: dialled by the seat, or called in from."""
    calling: bool
    talking: bool = False


class PracticeProcess:
    """One debtor at a time. ``start``, ``run`` and ``stop`` on the main thread; ``quit`` on any."""

    def __init__(self, config: PracticeConfig, repertoire: Repertoire, tell: Tell) -> None:
        self._config = config
        self._repertoire = repertoire
        self._tell = tell
        self._items: queue.SimpleQueue[Event | _Said | Order | ControlError] = queue.SimpleQueue()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._tickets = itertools.count()
        self._debtor = Debtor()
        self._call: _Call | None = None
        self._parent = os.getppid()
        settings = EngineSettings(
            local_host=_HOST,
            local_port=config.local_port,
            user_agent="PracticeLine",
            refusals=REFUSALS,
            tones=False,
        )
        self._engine = Engine(settings, self._debtor, lambda call: None, None, self._items.put)
        self._handlers: dict[type[Any], Callable[[Any], None]] = {
            CallIncoming: self._incoming,
            CallState: self._moved,
            CallEnded: self._ended,
            _Said: self._said,
            CallIn: self._call_in,
            HangUpNow: lambda order: self._hang_up(),
            ControlError: lambda error: self._error("bad_order", str(error)),
        }

    def start(self) -> int:
        """Open SIP and return its port. Raises ``RuntimeError`` when it cannot be opened."""
        port = self._engine.start()[1]
        try:
            self._submit(AddLine("", _line(_LINE, _LINE, self._config.seat_peer or _HOST)))
        except CommandError as error:
            raise RuntimeError(error.message) from error
        return port

    def listen_to(self, orders: Iterable[bytes]) -> None:
        """Take orders from these lines, in a thread of its own; their end is an order to quit."""
        threading.Thread(target=self._listen, args=(orders,), name="orders", daemon=True).start()

    def quit(self) -> None:
        """Let ``run`` return. Any thread and signal handlers."""
        self._items.put(Quit())

    def run(self) -> None:
        """Until told to quit, or the process that started this one is gone."""
        while os.getppid() == self._parent:
            try:
                item = self._items.get(timeout=self._until_next_timer())
            except queue.Empty:
                self._run_timers()
                continue
            if isinstance(item, Quit):
                return
            handler = self._handlers.get(type(item))
            if handler is not None:
                handler(item)
            self._run_timers()

    def stop(self) -> None:
        """Hang up and end the engine."""
        self._debtor.end()
        self._engine.stop()

    # --- timers ---

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._tickets), action))

    def _until_next_timer(self) -> float:
        if not self._timers:
            return _PARENT_CHECK_S
        return min(_PARENT_CHECK_S, max(0.0, self._timers[0][0] - time.monotonic()))

    def _run_timers(self) -> None:
        while self._timers and self._timers[0][0] <= time.monotonic():
            heapq.heappop(self._timers)[2]()

    # --- what happens ---

    def _incoming(self, event: CallIncoming) -> None:
        call = self._call = _Call(event.call_id, event.dialled, calling=False)
        self._tell({"event": "ringing", "number": event.dialled})
        if event.dialled.endswith(DECLINES):
            self._after(RINGS_S, lambda: self._if_up(call, Reject("", call.call_id, "decline")))
        elif not event.dialled.endswith(NEVER_ANSWERS):
            self._after(RINGS_S, lambda: self._if_up(call, Answer("", call.call_id)))

    def _moved(self, event: CallState) -> None:
        call = self._call
        if call is None or event.call_id != call.call_id or event.state != "active" or call.talking:
            return
        call.talking = True
        script = self._repertoire.script_for(call.number)
        sentences = [
            (name, self._repertoire.pcm[name]) for name in (script.calling if call.calling else script.answering)
        ]
        still_there = (script.still_there, self._repertoire.pcm[script.still_there])
        call_id = call.call_id
        self._debtor.begin(Talk(sentences, still_there, lambda told: self._items.put(_Said(call_id, told))))
        self._tell({"event": "answered", "number": call.number, "script": script.name})

    def _ended(self, event: CallEnded) -> None:
        if self._call is None or event.call_id != self._call.call_id:
            return
        self._call = None
        self._debtor.end()
        self._tell({"event": "ended", "cause": event.cause, "sip_code": event.sip_code, "talk_ms": event.talk_ms})

    def _said(self, said: _Said) -> None:
        if self._call is None or said.call_id != self._call.call_id:
            return
        match said.told:
            case Spoke(sentence):
                self._tell({"event": "spoke", "sentence": sentence})
            case Interrupted(sentence):
                self._tell({"event": "interrupted", "sentence": sentence})
            case HangsUp():
                self._hang_up()

    # --- orders ---

    def _call_in(self, order: CallIn) -> None:
        peer = order.peer or self._config.seat_peer
        if not peer:
            self._error("no_seat", "it is not known where the seat is")
            return
        call = _Call(str(uuid.uuid4()), order.number, calling=True)
        if self._try(AddLine("", _line(_CALLER_LINE, order.number, peer))) and self._try(
            Dial("", call.call_id, _CALLER_LINE, self._config.seat_number)
        ):
            self._call = call
            self._tell({"event": "calling", "number": order.number})

    def _hang_up(self) -> None:
        if self._call is not None:
            self._try(HangUp("", self._call.call_id))

    def _listen(self, orders: Iterable[bytes]) -> None:
        for line in orders:
            if not line.strip():
                continue
            try:
                self._items.put(read_order(line))
            except ControlError as error:
                self._items.put(error)
        self.quit()

    # --- the engine ---

    def _if_up(self, call: _Call, command: Command) -> None:
        if call is self._call:
            self._try(command)

    def _try(self, command: Command) -> bool:
        try:
            self._submit(command)
        except CommandError as error:
            self._error(error.code, error.message)
            return False
        return True

    def _submit(self, command: Command) -> None:
        self._engine.submit(command).result(_COMMAND_S)

    def _error(self, code: str, message: str) -> None:
        self._tell({"event": "error", "code": code, "message": message})


def _line(line_id: str, user: str, peer: str) -> LineConfig:
    return LineConfig(line_id, "", user, peer, allowed_peers=(_HOST,))
