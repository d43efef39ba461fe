"""Digits out, one after the other, and digits in, each once. Engine thread only."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable

from telephony.call import digits
from telephony.call_table import CallTable, attempt
from telephony.errors import CommandError
from telephony.live_call import LiveCall
from telephony.messages import DtmfReceived, Event
from telephony.notes import AnswerNote, DtmfNote

log = logging.getLogger(__name__)

_DIGITS = frozenset("0123456789*#ABCDabcd")
_MOST = 32
_TWICE_NS = 500_000_000
"""A far end that sends a digit both ways does so within this time."""
_PACE_NS = 250_000_000
"""From one SIP INFO to the next: over UDP, and through a PBX, two at once may change places."""


class Dtmf:
    """Sends by RFC 4733 or SIP INFO; takes both."""

    def __init__(self, table: CallTable, publish: Callable[[Event], None]) -> None:
        self._table = table
        self._publish = publish
        self._waiting: dict[str, deque[str]] = {}
        self._next_ns: dict[str, int] = {}
        self._heard: dict[str, tuple[str, int, int]] = {}

    def send(self, call: LiveCall, text: str, by_info: bool) -> None:
        """Send digits on an active call. Raises ``CommandError``."""
        if not 0 < len(text) <= _MOST or not set(text) <= _DIGITS:
            raise CommandError("bad_number", "these are not DTMF digits")
        if by_info:
            self._waiting.setdefault(call.call_id, deque()).extend(text.upper())
            self.on_time(time.monotonic_ns())
        else:
            attempt(call, lambda sip: sip.sendDtmf(digits(text.upper())))

    def on_time(self, now_ns: int) -> None:
        """Send the next SIP INFO where one is due."""
        for call_id, waiting in list(self._waiting.items()):
            call = self._table.find(call_id)
            if call is None or call.ended_here:
                self._drop(call_id)
            elif now_ns < self._next_ns.get(call_id, 0):
                continue
            elif waiting:
                self._next_ns[call_id] = now_ns + _PACE_NS
                self._send_info(call, waiting.popleft())
            else:
                self._drop(call_id)

    def answered(self, note: AnswerNote) -> None:
        """A far end that does not take SIP INFO gets no more of it."""
        if note.method == "INFO" and note.sip_code >= 300 and note.call_id in self._waiting:
            log.warning("the far end refused a digit by SIP INFO: %d", note.sip_code)
            self._drop(note.call_id)

    def received(self, note: DtmfNote) -> None:
        """A digit came, by RFC 4733 or SIP INFO; the same one by the other way at once is the same key press."""
        now = time.monotonic_ns()
        digit, method, at = self._heard.get(note.call_id, ("", note.method, 0))
        if digit == note.digit and method != note.method and now - at < _TWICE_NS:
            del self._heard[note.call_id]
            return
        self._heard[note.call_id] = (note.digit, note.method, now)
        self._publish(DtmfReceived(note.call_id, note.digit))

    def ended(self, call: LiveCall) -> None:
        """Forget a call."""
        self._heard.pop(call.call_id, None)
        self._drop(call.call_id)

    def _send_info(self, call: LiveCall, digit: str) -> None:
        try:
            attempt(call, lambda sip: sip.sendDtmf(digits(digit, by_info=True)))
        except CommandError as error:
            log.warning("a digit could not be sent: %s", error.message)
            self._drop(call.call_id)

    def _drop(self, call_id: str) -> None:
        self._waiting.pop(call_id, None)
        self._next_ns.pop(call_id, None)
