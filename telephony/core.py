"""Everything that owns pjsua2 objects, put together. Lives and dies on the engine thread."""

from __future__ import annotations

import logging
import time
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any

from telephony.account import Arrival, SipAccount
from telephony.addresses import GRANT_HEADER, read_invite
from telephony.admission import Admission
from telephony.alarms import Loudness
from telephony.book import Book
from telephony.bridge import Bridge
from telephony.call import SipCall
from telephony.call_sound import CallSound
from telephony.calls import Calls
from telephony.endpoint import Library
from telephony.errors import CommandError
from telephony.interfaces import GrantCheck, Headset, HeadsetError, TapFactory
from telephony.lines import Line, Lines
from telephony.messages import (
    AddLine,
    AudioState,
    Command,
    Levels,
    RefreshLines,
    RemoveLine,
    TestAudio,
)
from telephony.monitor import Monitors
from telephony.notes import MediaNote, Note, RefusalNote, StateNote
from telephony.quality import Quality
from telephony.rtp_source import RtpSources
from telephony.settings import EngineSettings
from telephony.taping import Taping

log = logging.getLogger(__name__)

_IDLE_MS = 100
"""The longest wait for SIP; commands end it."""
_STOP_S = 2.0
_UNREGISTER_S = 0.3


class Core:
    """The engine without its thread."""

    def __init__(
        self,
        settings: EngineSettings,
        headset: Headset,
        make_tap: TapFactory,
        check_grant: GrantCheck | None,
        book: Book,
    ) -> None:
        self._settings = settings
        self._book = book
        self._notes: deque[Note | Loudness | Levels] = deque()
        self._refused: dict[str, SipCall] = {}
        self._library = Library(settings)
        self._library.start()
        self._bridge = Bridge(headset, self._library.drive)
        problem = self._bridge.open_headset()
        book.publish(AudioState("", self._bridge.describe_headset(), problem))
        self._sound = CallSound(self._library, self._bridge, settings.tones, self._from_media, book.publish)
        self._taping = Taping(self._bridge, make_tap, self._from_media, settings.clock_rate)
        self._lines = Lines(settings, self._library, self._arrive, book.publish, self._line_busy)
        self._admission = Admission(self._library, self._lines, self._turn_away)
        self._calls = Calls(self._lines, self._bridge, self._taping, self._notes.append, self._sound.publish)
        self._library.tell_turned_away(self._no_room)
        self._monitors = Monitors(
            check_grant, self._bridge, self._taping, settings.monitor_wait_s, self._notes.append, book.publish
        )
        self._quality = Quality(book.publish)
        self._sources = RtpSources()
        self.sip_address = self._library.address("udp")
        """Where UDP SIP is received."""
        self._handlers: dict[type[Command], Callable[[Any], dict[str, Any] | None]] = {
            AddLine: self._add_line,
            RemoveLine: self._remove_line,
            RefreshLines: lambda c: self._lines.refresh(),
            **self._calls.handlers(),
            TestAudio: self._sound.test,
        }

    def handle(self, command: Command) -> dict[str, Any]:
        """Carry out a command. Raises ``CommandError``."""
        handler = self._handlers.get(type(command))
        if handler is None:
            raise CommandError("bad_message", "the engine does not know this command")
        return handler(command) or {}

    def swap_headset(self, headset: Headset) -> dict[str, Any]:
        """Change the headset. Raises ``CommandError`` with the headset's code, the old one kept."""
        try:
            self._bridge.swap_headset(headset)
        except HeadsetError as error:
            raise CommandError(error.code, error.detail) from error
        return {}

    def wait(self) -> None:
        """The first half of a turn: wait for SIP, but not long."""
        self._library.handle_events(0 if self._notes else _IDLE_MS)  # a command may have made notes

    def follow(self) -> None:
        """The other half: tell what happened, and do what its time has come for."""
        while self._notes:
            self._note(self._notes.popleft())
        self._lines.on_time()
        now = time.monotonic_ns()
        self._calls.on_time(now)
        self._monitors.follow(self._calls.live, now)
        self._quality.follow(self._calls.live, now)
        self._taping.follow(self._calls.live, now)
        self._sources.follow(self._calls.live, now)
        self._sound.follow(self._calls.live, not (self._calls.all_gone and self._monitors.all_gone))

    def stop(self) -> None:
        """Hang up, wait, drop, destroy: in this order, or PJSIP aborts the process."""
        self._calls.leave_all()
        self._monitors.leave_all()
        self._turn_until(lambda: self._calls.all_gone and self._monitors.all_gone, _STOP_S)
        self._calls.abandon()
        self._monitors.abandon()
        self._refused.clear()
        if self._lines.drop_all():
            self._turn_until(lambda: False, _UNREGISTER_S)
        self._lines.close()
        self._handlers.clear()
        self._admission.close()
        self._library.tell_turned_away(None)
        self._sound.close()
        self._bridge.close()
        del self._admission, self._calls, self._monitors, self._sound, self._taping, self._lines, self._bridge
        self._library.stop()

    def _turn_until(self, done: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not done() and time.monotonic() < end:
            self.wait()
            self.follow()

    def _from_media(self, note: Loudness | Levels) -> None:
        """What the media clock's thread has to say, ten times a second. It waits for the engine's next turn, of which
        there are as many; ringing the bell for it costs a twentieth of a call's CPU.
        """
        self._notes.append(note)

    def _note(self, note: Note | Loudness | Levels) -> None:
        if isinstance(note, Loudness | Levels):
            self._sound.note(note)
        elif isinstance(note, RefusalNote):
            note.call.refuse_now(note.code)
        else:
            if isinstance(note, StateNote) and note.call_id in self._refused:
                self._refused.pop(note.call_id)
            if isinstance(note, MediaNote):
                self._sources.changed(note.call_id)
            self._calls.note(note)
            self._monitors.note(note)

    def _arrive(self, arrival: Arrival) -> None:
        line = self._lines.find(arrival.line_id)
        if line is None:
            return
        grant = read_invite(arrival.message).grant if GRANT_HEADER in arrival.message.lower() else ""
        if grant:
            if code := self._monitors.admit(arrival, grant, line):
                self._refuse(arrival, line, code)
        elif line.peers.allows(arrival.source):
            refusals = self._settings.refusals
            if code := self._settings.refusal(read_invite(arrival.message).dialled) if refusals else 0:
                self._refuse(arrival, line, code)
            else:
                self._calls.arrive(arrival, line)
        else:
            log.warning("a call from %s was refused: not a configured peer", arrival.source.rpartition(":")[0])
            self._refuse(arrival, line)

    def _no_room(self, code: int, source: str, message: str) -> None:
        line = self._lines.for_request(-1, source)
        if code == 486 and line is not None and message.startswith("INVITE "):
            self._calls.turned_away(message, line)

    def _refuse(self, arrival: Arrival, line: Line, code: int = 403) -> None:
        self._turn_away(line.account, arrival, code)

    def _turn_away(self, account: SipAccount, arrival: Arrival, code: int) -> None:
        call_id = str(uuid.uuid4())
        call = SipCall(account, call_id, self._notes.append, arrival.slot)
        self._refused[call_id] = call
        call.refuse(code)

    def _line_busy(self, line_id: str) -> bool:
        return self._calls.on_line(line_id)

    def _add_line(self, command: AddLine) -> dict[str, Any]:
        if self._calls.on_line(command.line.line_id):
            raise CommandError("line_busy", "a call is up on this line")
        state = self._lines.add(command.line)
        return {"state": state.state, "uri": state.uri}

    def _remove_line(self, command: RemoveLine) -> None:
        if self._calls.on_line(command.line_id):
            raise CommandError("line_busy", "a call is up on this line")
        self._lines.remove(command.line_id)
