"""The agent's calls: commands in, PJSIP's notes in, states and records out. Engine thread only."""

from __future__ import annotations

import logging
import time
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any

from pjsua2 import pjsua2 as pj

from telephony.account import Arrival
from telephony.addresses import Invite, is_number, is_sip_uri, read_invite, read_tags
from telephony.answering import UNAVAILABLE, Answering
from telephony.bridge import Bridge
from telephony.call import SipCall
from telephony.call_commands import CallCommands
from telephony.call_table import CallTable, attempt
from telephony.conference import Conference
from telephony.dtmf import Dtmf
from telephony.errors import CommandError
from telephony.holding import Holding
from telephony.lines import Line, Lines
from telephony.live_call import LiveCall, utc_now
from telephony.messages import Answer, CallIncoming, Command, Dial, Event, HangUp, Monitor, Redial, Reject
from telephony.notes import (
    AnswerNote,
    DtmfNote,
    MediaNote,
    Note,
    OfferNote,
    ReplacedNote,
    RingNote,
    StateNote,
    TransferNote,
)
from telephony.sdp import holds
from telephony.taping import Taping
from telephony.transfer import Transfers

log = logging.getLogger(__name__)

_REJECT_CODES = {"busy": 486, "decline": 603, "not_found": 404}
_TOO_MANY = 70010  # PJ_ETOOMANY: this build holds four calls, one that a dead peer never answers for 32 s
_PROGRESS = 183  # says nothing of ringing
_WITH_MEDIA = (pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD)
Handler = Callable[[Any], dict[str, Any] | None]


class Calls:
    """Begins and ends calls: at most two are up at a time, one coming in on top is told busy and recorded as missed.

    What happens within a call is the work of its parts: holding, transfers, the conference, DTMF, answering.
    """

    def __init__(
        self,
        lines: Lines,
        bridge: Bridge,
        taping: Taping,
        notify: Callable[[Note], None],
        publish: Callable[[Event], None],
    ) -> None:
        self._lines = lines
        self._taping = taping
        self._notify = notify
        self._publish = publish
        self._table = CallTable(bridge, taping, publish)
        self._holding = Holding(self._table, taping)
        self._transfers = Transfers(self._table, self._holding, taping, self._end, publish)
        self._conference = Conference(self._table, self._holding, taping)
        self._dtmf = Dtmf(self._table, publish)
        self._answering = Answering(self._table, publish)
        self._last: tuple[str, str] | None = None
        """Number and digits dialled last."""
        self._spare_id = ""
        """For the next call that comes in, whose 180 does not wait for it to be made."""
        self._turned_away: deque[str] = deque(maxlen=32)
        """Tags of callers for whom PJSIP had no room."""

    @property
    def live(self) -> tuple[LiveCall, ...]:
        """Every call that is up, ringing included, oldest first."""
        return self._table.live

    @property
    def all_gone(self) -> bool:
        """PJSIP holds no call of ours any more."""
        return self._table.all_gone

    def on_line(self, line_id: str) -> bool:
        """Whether a call is up on this line."""
        return any(call.line_id == line_id for call in self._table.live)

    def handlers(self) -> dict[type[Command], Handler]:
        """What carries out each command about calls; each raises ``CommandError``."""
        parts = CallCommands(
            self._lines,
            self._table,
            self._taping,
            self._holding,
            self._transfers,
            self._conference,
            self._dtmf,
            self._answering,
        )
        return {
            Dial: self._dial,
            Redial: self._redial,
            Monitor: self._monitor,
            Answer: lambda c: self._answer(c.call_id),
            Reject: lambda c: self._reject(c.call_id, c.reason),
            HangUp: lambda c: self._hang_up(c.call_id),
            **parts.handlers(),
        }

    # --- commands ---

    def _dial(self, command: Dial) -> None:
        digits = command.digits or command.number
        line = self._lines.ready(command.line_id)
        if not is_number(command.number) or not is_number(digits):
            raise CommandError("bad_number", "this number cannot be dialled")
        call = LiveCall(command.call_id, command.line_id, True, command.number)
        self._place(call, line, line.dial_uri(digits), line.identity_headers())
        self._last = (command.number, digits)

    def _redial(self, command: Redial) -> None:
        if self._last is None:
            raise CommandError("bad_number", "nothing was dialled yet")
        number, digits = self._last
        self._dial(Dial(command.id, command.call_id, command.line_id, number, digits))

    def _monitor(self, command: Monitor) -> None:
        line = self._lines.ready(command.line_id)
        if not is_sip_uri(command.uri):
            raise CommandError("bad_number", "this is not a SIP address")
        if not command.grant or not command.grant.isascii() or not command.grant.isprintable():
            raise CommandError("bad_message", "the grant is empty or not plain text")
        call = LiveCall(command.call_id, command.line_id, True, command.uri, monitored=True)
        self._place(call, line, command.uri, (("X-Monitor-Grant", command.grant),))

    def _answer(self, call_id: str) -> None:
        call = self._table.ringing_here(call_id)
        self._holding.make_way(call)
        attempt(call, lambda sip: sip.accept())

    def _reject(self, call_id: str, reason: str) -> None:
        code = _REJECT_CODES.get(reason)
        if code is None:
            raise CommandError("bad_message", "unknown reason for a rejection")
        self._table.leave(self._table.ringing_here(call_id), code)

    def _hang_up(self, call_id: str) -> None:
        call = self._table.known(call_id)
        self._conference.ended(call)
        self._table.leave(call, _REJECT_CODES["busy"] if not call.outbound and not call.answered_at else 0)

    # --- what PJSIP says ---

    def arrive(self, arrival: Arrival, line: Line) -> None:
        """An INVITE from a peer that may call: ring, or refuse. Called inside PJSIP's callback."""
        call_id, self._spare_id = self._spare_id or str(uuid.uuid4()), ""
        call = LiveCall(call_id, line.config.line_id, False, "", state="ringing")
        call.rang_ns = time.monotonic_ns()
        call.sip = SipCall(line.account, call.call_id, self._notify, arrival.slot, self._may_replace)
        try:
            if self._table.full:
                self._refuse(call, arrival, 486, "Busy Here")
            elif self._answering.do_not_disturb:
                self._refuse(call, arrival, UNAVAILABLE, "Temporarily Unavailable")
            else:
                self._table.add(call)
                self._notify(RingNote(call.call_id, arrival.message))
                attempt(call, lambda sip: sip.ring())
        except CommandError as error:
            log.warning("a call that came in could not be taken: %s", error.message)

    def turned_away(self, message: str, line: Line) -> None:
        """PJSIP had no room for this INVITE and told it busy: it is recorded as missed. Inside PJSIP's callback."""
        invite, tag = read_invite(message), read_tags(message)[0]
        if invite.grant or tag in self._turned_away:  # a lead's, or sent again
            return
        self._turned_away.append(tag)
        call = LiveCall(str(uuid.uuid4()), line.config.line_id, False, invite.number, state="ringing")
        self._table.end(call, 486, "Busy Here")

    def note(self, note: Note) -> None:
        """Something happened to a call; unknown ids are of calls that are over."""
        if isinstance(note, StateNote) and note.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self._disconnected(note)
            return
        call = self._table.find(note.call_id)
        if call is None:
            return
        if isinstance(note, RingNote):
            self._rings(call, read_invite(note.message))
        elif isinstance(note, StateNote):
            self._moved(call, note)
        elif isinstance(note, OfferNote):
            call.far_offers_hold = holds(note.sdp)
        elif isinstance(note, MediaNote):
            self._media(call, note)
        elif isinstance(note, ReplacedNote):
            self._replaced(call, note)
        elif isinstance(note, DtmfNote):
            self._dtmf.received(note)
        elif isinstance(note, TransferNote):
            self._transfers.progress(note)
        elif isinstance(note, AnswerNote):
            self._answered(call, note)

    def on_time(self, now_ns: int) -> None:
        """Everything that waits for a time to come."""
        self._spare_id = self._spare_id or str(uuid.uuid4())
        for call in self._table.overdue(now_ns):
            self._end(call, 0, "")
        self._table.leave_unacknowledged(now_ns)
        self._holding.on_time(now_ns)
        self._transfers.on_time(now_ns)
        self._dtmf.on_time(now_ns)
        self._answering.on_time(now_ns)

    def leave_all(self) -> None:
        """Hang up everything, for the end of the process."""
        for call in self._table.live:
            self._table.leave(call, 0 if call.answered_at or call.outbound else UNAVAILABLE)

    def abandon(self) -> None:
        """Write the record of calls that did not end in time, and let go of PJSIP's objects."""
        self._table.abandon()

    # --- inside ---

    def _place(self, call: LiveCall, line: Line, uri: str, headers: tuple[tuple[str, str], ...]) -> None:
        if not call.call_id or self._table.find(call.call_id) is not None:
            raise CommandError("bad_message", "the call id is empty or in use")
        if self._table.full:
            raise CommandError("line_busy", "two calls are up")
        waiting = self._holding.make_way()
        call.sip = SipCall(line.account, call.call_id, self._notify, may_replace=self._may_replace)
        self._table.add(call)
        try:
            call.sip.place(uri, headers)
        except pj.Error as error:
            self._table.forget(call)
            for other in waiting:
                self._holding.set(other, False)
            log.warning("PJSIP refused a new call: %s", error.reason)
            if error.status == _TOO_MANY:
                raise CommandError("line_busy", "earlier calls have not been taken down yet") from error
            raise CommandError("sip_error", "the call could not be started") from error
        self._table.tell(call)

    def _refuse(self, call: LiveCall, arrival: Arrival, code: int, reason: str) -> None:
        call.number = read_invite(arrival.message).number
        self._table.refuse(call, code, reason)

    def _rings(self, call: LiveCall, invite: Invite) -> None:
        call.number = invite.number
        self._publish(
            CallIncoming(
                call_id=call.call_id,
                line_id=call.line_id,
                number=invite.number,
                display_name=invite.display_name,
                dialled=invite.dialled,
                at=call.started_at,
                invited_ns=call.rang_ns,
                transferred_by=invite.referred_by,
            )
        )
        self._table.tell(call)

    def _moved(self, call: LiveCall, note: StateNote) -> None:
        if note.state == pj.PJSIP_INV_STATE_EARLY and call.outbound and note.sip_code > 100:
            call.rang = True
            if call.state == "dialing" and note.sip_code != _PROGRESS:
                call.state = "ringing"
        elif not call.answered_at and _is_answer(call, note):
            call.state = "active"
            call.answered_at = utc_now()
            call.answered_ns = call.headset_ns = time.monotonic_ns()
            self._taping.mark(call, "answered")
        self._table.tell(call)

    def _media(self, call: LiveCall, note: MediaNote) -> None:
        if call.ended_here:
            return
        held = note.status == pj.PJSUA_CALL_MEDIA_LOCAL_HOLD
        usable = held or note.status in _WITH_MEDIA
        call.media = call.sip.port(note.index) if usable and call.sip is not None else None
        changed = bool(note.codec) and note.codec != call.codec
        call.codec = note.codec or call.codec
        call.encrypted = note.encrypted if usable else call.encrypted
        if not held:  # our own hold hides from the status whether the far end holds too
            call.far_offers_hold = note.status == pj.PJSUA_CALL_MEDIA_REMOTE_HOLD
        self._far_hold(call, call.far_offers_hold)
        self._holding.negotiated(call, held)
        if call.tap is None and note.status in _WITH_MEDIA and note.rate:
            self._taping.begin(call, note.rate)
            changed = True
        if changed:
            self._taping.mark(call, "codec", {"codec": call.codec})
        if call.outbound and not call.answered_at and note.status in _WITH_MEDIA:
            call.state = "early"
        self._table.tell(call)

    def _far_hold(self, call: LiveCall, held: bool) -> None:
        if held != call.far_held:
            call.far_held = held
            self._taping.mark(call, "far_hold" if held else "far_resume")

    def _answered(self, call: LiveCall, note: AnswerNote) -> None:
        self._holding.answered(call, note)
        self._transfers.answered(note)
        self._dtmf.answered(note)

    def _may_replace(self, call_id: str, source: str) -> bool:
        """Whether a call from ``source`` that names this call's dialog may take its place. Inside PJSIP's callback.

        Without this a PBX or a colleague could not transfer a caller to this seat. The dialog's identifiers are known
        to its ends and to the proxies between; the source must be a peer that is configured.
        """
        call = self._table.find(call_id)
        line = self._lines.find(call.line_id) if call is not None else None
        if call is not None and line is not None and line.peers.configured(source):
            settled = call.state == "active" and not call.ended_here and not self._transfers.involved(call)
            if settled and not call.monitored:
                return True
        log.warning("a call that would replace ours was refused")
        return False

    def _replaced(self, call: LiveCall, note: ReplacedNote) -> None:
        log.info("a configured peer put another far end in a call's place")
        self._table.release(note.former)
        call.sip = note.sip
        call.media = None
        call.number = read_invite(note.message).number
        self._holding.renewed(call)
        self._taping.mark(call, "far_end_replaced")
        self._table.tell(call)

    def _disconnected(self, note: StateNote) -> None:
        call = self._table.disconnected(note.call_id)
        if call is None:
            return
        if self._transfers.defers(note):
            self._table.hush(call)
            return
        self._end(call, note.sip_code, note.reason)
        call.sip = None

    def _end(self, call: LiveCall, sip_code: int, reason: str) -> None:
        self._conference.ended(call)
        self._transfers.ended(call)
        self._dtmf.ended(call)
        if self._table.find(call.call_id) is call:  # the end of a transfer may have been the end of the call
            self._table.end(call, sip_code, reason)


def _is_answer(call: LiveCall, note: StateNote) -> bool:
    """The far end's 200, or the far end's ACK of ours."""
    connecting = call.outbound and note.state == pj.PJSIP_INV_STATE_CONNECTING
    return connecting or bool(note.state == pj.PJSIP_INV_STATE_CONFIRMED)
