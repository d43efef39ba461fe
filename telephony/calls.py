"""The agent's calls: commands in, PJSIP's notes in, states and records out. Engine thread only."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable

from pjsua2 import pjsua2 as pj

from telephony.account import Arrival
from telephony.addresses import Invite, is_number, is_sip_uri, sip_uri
from telephony.bridge import Bridge
from telephony.call import DtmfNote, MediaNote, Note, SipCall, StateNote, digits, operation
from telephony.errors import CommandError
from telephony.lines import Line, Lines
from telephony.live_call import LiveCall, same_but_for_time, utc_now
from telephony.messages import (
    CallIncoming,
    CallState,
    Dial,
    DtmfReceived,
    Event,
    Monitor,
    SendDtmf,
    SetHold,
    SetMute,
)
from telephony.taping import Taping
from telephony.wiring import unwire, wire

log = logging.getLogger(__name__)

_REJECT_CODES = {"busy": 486, "decline": 603, "not_found": 404}
_DTMF = frozenset("0123456789*#ABCDabcd")
_DTMF_MAX = 32
_TOO_MANY = 70010  # PJ_ETOOMANY: this build holds four calls, one that a dead peer never answers for 32 s
_GIVE_UP_NS = 2_000_000_000
_WITH_MEDIA = (pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD)


class Calls:
    """At most one call is up at a time; a second one coming in is told busy and recorded as missed."""

    def __init__(
        self,
        lines: Lines,
        bridge: Bridge,
        taping: Taping,
        notify: Callable[[Note], None],
        publish: Callable[[Event], None],
    ) -> None:
        self._lines = lines
        self._bridge = bridge
        self._taping = taping
        self._notify = notify
        self._publish = publish
        self._live: dict[str, LiveCall] = {}
        self._published: dict[str, CallState] = {}
        self._leaving: dict[str, SipCall] = {}
        """Calls whose record is out, held until PJSIP says DISCONNECTED."""

    @property
    def current(self) -> LiveCall | None:
        """The call that is up, ringing included."""
        return next(iter(self._live.values()), None)

    @property
    def live(self) -> tuple[LiveCall, ...]:
        """Every call that is up, ringing included, oldest first."""
        return tuple(self._live.values())

    @property
    def all_gone(self) -> bool:
        """PJSIP holds no call of ours any more."""
        return not self._live and not self._leaving

    def on_line(self, line_id: str) -> bool:
        """Whether a call is up on this line."""
        return any(call.line_id == line_id for call in self._live.values())

    # --- commands: each raises CommandError ---

    def dial(self, command: Dial) -> None:
        line = self._lines.ready(command.line_id)
        if not is_number(command.number):
            raise CommandError("bad_number", "this number cannot be dialled")
        self._check_free(command.call_id)
        call = LiveCall(command.call_id, command.line_id, True, command.number)
        self._place(call, line, sip_uri(command.number, line.config.peer, line.config.transport), ())

    def monitor(self, command: Monitor) -> None:
        line = self._lines.ready(command.line_id)
        if not is_sip_uri(command.uri):
            raise CommandError("bad_number", "this is not a SIP address")
        if not command.grant or not command.grant.isascii() or not command.grant.isprintable():
            raise CommandError("bad_message", "the grant is empty or not plain text")
        self._check_free(command.call_id)
        call = LiveCall(command.call_id, command.line_id, True, command.uri, monitored=True)
        self._place(call, line, command.uri, (("X-Monitor-Grant", command.grant),))

    def answer(self, call_id: str) -> None:
        call = self._ringing_here(call_id)
        _attempt(call, lambda sip: sip.answer(operation(200)))

    def reject(self, call_id: str, reason: str) -> None:
        code = _REJECT_CODES.get(reason)
        if code is None:
            raise CommandError("bad_message", "unknown reason for a rejection")
        call = self._ringing_here(call_id)
        self._leave(call, code)

    def hang_up(self, call_id: str) -> None:
        call = self._known(call_id)
        self._leave(call, _REJECT_CODES["busy"] if not call.outbound and not call.answered_at else 0)

    def set_mute(self, command: SetMute) -> None:
        call = self._known(command.call_id)
        if call.muted == command.on:
            return
        call.muted = command.on
        wire(self._bridge, call)
        self._taping.mark(call, "mute" if command.on else "unmute")
        self._tell(call)

    def set_hold(self, command: SetHold) -> None:
        call = self._active(command.call_id)
        if call.held == command.on:
            return
        if command.on:
            _attempt(call, lambda sip: sip.setHold(operation()))
        else:
            _attempt(call, lambda sip: sip.reinvite(operation(unhold=True)))
        call.held = command.on
        wire(self._bridge, call)
        self._taping.mark(call, "hold" if command.on else "resume")
        self._tell(call)

    def send_dtmf(self, command: SendDtmf) -> None:
        call = self._active(command.call_id)
        if not 0 < len(command.digits) <= _DTMF_MAX or not set(command.digits) <= _DTMF:
            raise CommandError("bad_number", "these are not DTMF digits")
        _attempt(call, lambda sip: sip.sendDtmf(digits(command.digits.upper())))

    # --- what PJSIP says ---

    def arrive(self, arrival: Arrival, invite: Invite, line: Line) -> None:
        """An INVITE from a peer that may call: ring, or be busy. Called inside PJSIP's callback."""
        now = time.monotonic_ns()
        call = LiveCall(str(uuid.uuid4()), line.config.line_id, False, invite.number, state="ringing")
        call.sip = SipCall(line.account, call.call_id, self._notify, arrival.slot)
        if self.current is not None:
            call.sip.hangup(operation(486))
            self._leaving[call.call_id] = call.sip
            self._end(call, 486, "Busy Here")
            return
        self._live[call.call_id] = call
        call.sip.answer(operation(180))
        self._publish(
            CallIncoming(
                call_id=call.call_id,
                line_id=call.line_id,
                number=invite.number,
                display_name=invite.display_name,
                dialled=invite.dialled,
                at=call.started_at,
                invited_ns=now,
            )
        )
        self._tell(call)

    def note(self, note: Note) -> None:
        """Something happened to a call; unknown ids are of calls that are over."""
        call = self._live.get(note.call_id)
        if isinstance(note, StateNote) and note.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self._disconnected(note, call)
        elif call is None:
            return
        elif isinstance(note, StateNote):
            self._moved(call, note)
        elif isinstance(note, MediaNote):
            self._media(call, note)
        elif isinstance(note, DtmfNote):
            self._publish(DtmfReceived(call.call_id, note.digit))

    def on_time(self, now_ns: int) -> None:
        """End the record of calls whose far end does not confirm our hang up."""
        for call in list(self._live.values()):
            if call.give_up_ns and now_ns > call.give_up_ns:
                if call.sip is not None:
                    self._leaving[call.call_id] = call.sip
                self._end(call, 0, "")

    def leave_all(self) -> None:
        """Hang up everything, for the end of the process."""
        for call in list(self._live.values()):
            self._leave(call, 0 if call.answered_at or call.outbound else 480)

    def abandon(self) -> None:
        """Write the record of calls that did not end in time, and let go of PJSIP's objects."""
        for call in list(self._live.values()):
            self._end(call, 0, "")
        self._leaving.clear()

    # --- inside ---

    def _place(self, call: LiveCall, line: Line, uri: str, headers: tuple[tuple[str, str], ...]) -> None:
        call.sip = SipCall(line.account, call.call_id, self._notify)
        self._live[call.call_id] = call
        try:
            call.sip.makeCall(uri, operation(headers=headers))
        except pj.Error as error:
            self._live.pop(call.call_id)
            log.warning("PJSIP refused a new call: %s", error.reason)
            if error.status == _TOO_MANY:
                raise CommandError("line_busy", "earlier calls have not been taken down yet") from error
            raise CommandError("sip_error", "the call could not be started") from error
        self._tell(call)

    def _moved(self, call: LiveCall, note: StateNote) -> None:
        if note.state == pj.PJSIP_INV_STATE_EARLY and call.outbound and note.sip_code > 100:
            call.rang = True
            if call.state == "dialing":
                call.state = "ringing"
        elif not call.answered_at and _is_answer(call, note):
            call.state = "active"
            call.answered_at = utc_now()
            call.answered_ns = time.monotonic_ns()
            wire(self._bridge, call)
            self._taping.mark(call, "answered")
        self._tell(call)

    def _media(self, call: LiveCall, note: MediaNote) -> None:
        if call.ended_here:
            return
        usable = note.status in (*_WITH_MEDIA, pj.PJSUA_CALL_MEDIA_LOCAL_HOLD)
        call.media = call.sip.port(note.index) if usable and call.sip is not None else None
        call.codec = note.codec or call.codec
        if note.status != pj.PJSUA_CALL_MEDIA_LOCAL_HOLD:  # which hides whether the far end holds too
            self._far_hold(call, note.status == pj.PJSUA_CALL_MEDIA_REMOTE_HOLD)
        if call.tap is None and note.status in _WITH_MEDIA and note.rate:
            self._taping.begin(call, note.rate)
        if call.outbound and not call.answered_at and note.status in _WITH_MEDIA:
            call.state = "early"
        wire(self._bridge, call)
        self._tell(call)

    def _far_hold(self, call: LiveCall, held: bool) -> None:
        if held != call.far_held:
            call.far_held = held
            self._taping.mark(call, "far_hold" if held else "far_resume")

    def _disconnected(self, note: StateNote, call: LiveCall | None) -> None:
        sip = self._leaving.pop(note.call_id, None)
        if call is not None:
            self._end(call, note.sip_code, note.reason)
            call.sip = None
        del sip  # the last reference, dropped here and on this thread

    def _leave(self, call: LiveCall, code: int) -> None:
        if call.ended_here:
            return
        call.ended_here = True
        call.give_up_ns = time.monotonic_ns() + _GIVE_UP_NS
        self._taping.stop_frames(call)
        unwire(self._bridge, call)
        try:
            _attempt(call, lambda sip: sip.hangup(operation(code)))
        except CommandError as error:
            log.warning("a hang up was too late: %s", error.message)

    def _end(self, call: LiveCall, sip_code: int, reason: str) -> None:
        self._live.pop(call.call_id, None)
        self._published.pop(call.call_id, None)
        self._taping.stop_frames(call)
        if not self._live:
            unwire(self._bridge, call)
        self._taping.end(call, call.cause(sip_code))
        call.state = "ended"
        self._publish(call.event())
        quality = dict(call.sip.totals.values) if call.sip is not None else {}
        self._publish(call.ended(sip_code, reason, quality))

    def _tell(self, call: LiveCall) -> None:
        event = call.event()
        before = self._published.get(call.call_id)
        if before is None or not same_but_for_time(before, event):
            self._published[call.call_id] = event
            self._publish(event)

    def _check_free(self, call_id: str) -> None:
        if not call_id or call_id in self._live:
            raise CommandError("bad_message", "the call id is empty or in use")
        if self._live:
            raise CommandError("line_busy", "another call is up")

    def _known(self, call_id: str) -> LiveCall:
        call = self._live.get(call_id)
        if call is None:
            raise CommandError("no_such_call", "no call of this id is up")
        return call

    def _active(self, call_id: str) -> LiveCall:
        call = self._known(call_id)
        if call.state != "active" or call.ended_here:
            raise CommandError("wrong_state", "the call is not active")
        return call

    def _ringing_here(self, call_id: str) -> LiveCall:
        call = self._known(call_id)
        if call.outbound or call.state != "ringing" or call.ended_here:
            raise CommandError("wrong_state", "the call is not ringing here")
        return call


def _is_answer(call: LiveCall, note: StateNote) -> bool:
    """The far end's 200, or the far end's ACK of ours."""
    connecting = call.outbound and note.state == pj.PJSIP_INV_STATE_CONNECTING
    return connecting or bool(note.state == pj.PJSIP_INV_STATE_CONFIRMED)


def _attempt(call: LiveCall, action: Callable[[SipCall], None]) -> None:
    """Do something to the call's session. Raises ``CommandError`` when PJSIP will not."""
    if call.sip is None:
        raise CommandError("wrong_state", "the call is over")
    try:
        action(call.sip)
    except pj.Error as error:
        raise CommandError("sip_error", "the far end's session does not allow this now") from error
