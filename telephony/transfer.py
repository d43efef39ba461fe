"""Sends a call's far end on to somebody else: blind and attended transfer (RFC 5589). Engine thread only.

The call is put on hold first, and REFER goes out when the far end has confirmed that. Its NOTIFYs say how it fares;
when it arrives the call is hung up, when it does not the call is resumed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from telephony.call import SipCall
from telephony.call_table import CallTable, attempt
from telephony.errors import CommandError
from telephony.holding import Holding
from telephony.live_call import LiveCall
from telephony.messages import Event, TransferState
from telephony.notes import AnswerNote, StateNote, TransferNote
from telephony.taping import Taping

log = logging.getLogger(__name__)

_HOLD_NS = 3_000_000_000
_PATIENCE_NS = 120_000_000_000
"""How long a far end may be silent about a transfer that it took."""
_LAST_WORD_NS = 2_000_000_000
_TIMED_OUT = 408

Refer = Callable[[SipCall], None]


@dataclass(slots=True)
class _Transfer:
    call: LiveCall
    target: str
    refer: Refer
    deadline_ns: int
    other: LiveCall | None = None
    """Attended: the call that the far end takes over."""
    resume: bool = False
    """We put the call on hold, and take it off again when the transfer fails."""
    sent: bool = False
    told: str = ""
    other_ended: StateNote | None = None
    """The other call was ended there; whether by the transfer is not known yet."""


class Transfers:
    """The transfers that are under way, by the call whose far end is sent."""

    def __init__(
        self,
        table: CallTable,
        holding: Holding,
        taping: Taping,
        end: Callable[[LiveCall, int, str], None],
        publish: Callable[[Event], None],
    ) -> None:
        self._table = table
        self._holding = holding
        self._taping = taping
        self._end = end
        self._publish = publish
        self._transfers: dict[str, _Transfer] = {}

    def involved(self, call: LiveCall) -> bool:
        """Whether this call is being transferred, or is the target of an attended transfer."""
        return any(call in (t.call, t.other) for t in self._transfers.values())

    def begin(
        self, call: LiveCall, target: str, refer: Refer, other: LiveCall | None = None, hold: bool = True
    ) -> None:
        """Send the far end of an active call on. Raises ``CommandError``."""
        if self.involved(call) or (other is not None and self.involved(other)):
            raise CommandError("wrong_state", "a transfer of this call is under way")
        transfer = _Transfer(call, target, refer, time.monotonic_ns() + _HOLD_NS, other, resume=hold and not call.held)
        if not hold:
            self._send(transfer)
        self._transfers[call.call_id] = transfer
        self._taping.mark(call, "transfer_started", {"attended": other is not None})
        if transfer.resume:
            self._holding.set(call, True)

    def progress(self, note: TransferNote) -> None:
        """A NOTIFY, or PJSIP's word that there will be none."""
        transfer = self._transfers.get(note.call_id)
        if transfer is None or not transfer.sent:
            return
        transfer.deadline_ns = time.monotonic_ns() + _PATIENCE_NS
        if note.sip_code >= 300:
            self._failed(transfer, note.sip_code, note.reason)
        elif note.sip_code >= 200:
            self._done(transfer, note.sip_code, note.reason)
        elif note.final:
            self._failed(transfer, 0, "the far end did not say how it went")
        else:
            self._tell(transfer, "trying" if note.sip_code == 100 else "ringing", note.sip_code, note.reason)

    def answered(self, note: AnswerNote) -> None:
        """The far end answered a request of ours: REFER may be refused."""
        transfer = self._transfers.get(note.call_id)
        if transfer is not None and transfer.sent and note.method == "REFER" and note.sip_code >= 300:
            self._failed(transfer, note.sip_code, note.reason)

    def defers(self, note: StateNote) -> bool:
        """Whether the end of this call is to be recorded later, since a transfer may be why."""
        for transfer in self._transfers.values():
            if transfer.other is not None and transfer.other.call_id == note.call_id and transfer.sent:
                transfer.other_ended = note
                transfer.deadline_ns = time.monotonic_ns() + _LAST_WORD_NS
                return True
        return False

    def ended(self, call: LiveCall) -> None:
        """A call is over, for whatever reason, before its record is written."""
        for transfer in list(self._transfers.values()):
            if call is transfer.call:
                both_left = transfer.other_ended is not None  # as a PBX does that connects them by itself
                call.transferred = both_left
                self._drop(transfer, "done" if both_left else "failed", 0, "the call ended")
                self._end_other(transfer, arrived=both_left)
            elif call is transfer.other:
                self._failed(transfer, 0, "the call ended")

    def on_time(self, now_ns: int) -> None:
        """Send REFER when the hold is confirmed; end what takes too long."""
        for transfer in list(self._transfers.values()):
            late = now_ns > transfer.deadline_ns
            if transfer.sent and late and transfer.other_ended is not None:
                self._done(transfer, 0, "")  # taken over, though nobody said so
            elif transfer.sent and late:
                self._failed(transfer, _TIMED_OUT, "no word of the transfer")
            elif not transfer.sent and (transfer.call.hold_confirmed or late):
                self._send_or_fail(transfer)

    def _send_or_fail(self, transfer: _Transfer) -> None:
        try:
            self._send(transfer)
        except CommandError:
            self._failed(transfer, 0, "the session does not allow it")

    def _send(self, transfer: _Transfer) -> None:
        if transfer.other is not None and transfer.other.state != "active":
            raise CommandError("wrong_state", "the other call is not active")
        attempt(transfer.call, transfer.refer)
        transfer.sent = True
        transfer.deadline_ns = time.monotonic_ns() + _PATIENCE_NS

    def _done(self, transfer: _Transfer, sip_code: int, reason: str) -> None:
        self._drop(transfer, "done", sip_code, reason)
        transfer.call.transferred = True
        self._table.leave(transfer.call)
        self._end_other(transfer, arrived=True)

    def _failed(self, transfer: _Transfer, sip_code: int, reason: str) -> None:
        self._drop(transfer, "failed", sip_code, reason)
        self._end_other(transfer, arrived=False)
        call = transfer.call
        busy = any(other.talks for other in self._table.live if other is not call)
        if transfer.resume and call.held and not call.ended_here and not busy:
            self._holding.set(call, False)

    def _end_other(self, transfer: _Transfer, arrived: bool) -> None:
        other, note = transfer.other, transfer.other_ended
        if other is None:
            return
        other.transferred = arrived
        if note is not None:
            self._end(other, note.sip_code, note.reason)
        elif arrived:
            self._table.leave(other)

    def _drop(self, transfer: _Transfer, state: str, sip_code: int, reason: str) -> None:
        del self._transfers[transfer.call.call_id]
        self._taping.mark(transfer.call, f"transfer_{state}", {"sip_code": sip_code})
        self._tell(transfer, state, sip_code, reason)

    def _tell(self, transfer: _Transfer, state: str, sip_code: int, reason: str) -> None:
        if state != transfer.told:
            transfer.told = state
            self._publish(TransferState(transfer.call.call_id, transfer.target, state, sip_code, reason))
