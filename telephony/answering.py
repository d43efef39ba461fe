"""Do-not-disturb and auto-answer. Engine thread only."""

from __future__ import annotations

import logging
from collections.abc import Callable

from telephony.call_table import CallTable, attempt
from telephony.errors import CommandError
from telephony.live_call import LiveCall
from telephony.messages import AnsweringState, Event, SetAnswering

log = logging.getLogger(__name__)

UNAVAILABLE = 480
_LONGEST_MS = 60_000


class Answering:
    """What happens to a call that comes in before the agent does anything."""

    def __init__(self, table: CallTable, publish: Callable[[Event], None]) -> None:
        self._table = table
        self._publish = publish
        self._set = AnsweringState()

    @property
    def do_not_disturb(self) -> bool:
        return self._set.do_not_disturb

    def set(self, command: SetAnswering) -> None:
        """Raises ``CommandError``."""
        if not 0 <= command.auto_answer_ms <= _LONGEST_MS:
            raise CommandError("bad_message", "auto-answer waits for 0 to 60000 ms")
        self._set = AnsweringState(command.do_not_disturb, command.auto_answer, command.auto_answer_ms)
        self._publish(self._set)

    def on_time(self, now_ns: int) -> None:
        """Answer what has rung long enough. A call that waits behind another one is left to the agent."""
        if not self._set.auto_answer or len(self._table.live) != 1:
            return
        (call,) = self._table.live
        ringing = call.rang_ns and call.state == "ringing" and not call.ended_here and not call.auto_answered
        if ringing and now_ns - call.rang_ns >= self._set.auto_answer_ms * 1_000_000:
            self._answer(call)

    def _answer(self, call: LiveCall) -> None:
        call.auto_answered = True
        try:
            attempt(call, lambda sip: sip.accept())
        except CommandError as error:
            log.warning("auto-answer came too late: %s", error.message)
