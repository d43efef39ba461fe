"""From a SIP status code to the cause in a call's record (``messages.CallEnded``)."""

from __future__ import annotations

from dataclasses import dataclass

_NOT_FOUND = frozenset({404, 410, 484, 485, 604})
_BUSY = frozenset({486, 600})
_DECLINED = frozenset({603, 607, 608})
_UNREACHABLE = frozenset({502, 503, 504})
_NO_ANSWER_OR_AWAY = frozenset({408, 480, 487})


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known when a call is over."""

    outbound: bool
    answered: bool
    rang: bool
    """A provisional answer with ringing or media was had (outbound)."""
    ended_here: bool
    """We hung up, cancelled or rejected."""
    sip_code: int
    transferred: bool = False
    """The far end was sent on, and arrived."""


def cause_of(ending: Ending) -> str:
    """The cause, by RFC 3261 section 21's meaning of the code."""
    if ending.answered:
        if ending.transferred:
            return "transferred"
        if ending.ended_here:
            return "hung_up"
        return "far_hung_up" if ending.sip_code < 300 else "line_lost"
    if not ending.outbound:
        return "rejected" if ending.ended_here else "missed"
    if ending.ended_here:
        return "cancelled"
    return _outbound_cause(ending.sip_code, ending.rang)


def _outbound_cause(code: int, rang: bool) -> str:
    if code in _BUSY:
        return "busy"
    if code in _DECLINED:
        return "declined"
    if code in _NOT_FOUND:
        return "not_found"
    if code in _NO_ANSWER_OR_AWAY:
        return "no_answer" if rang else "unreachable"
    return "unreachable" if code in _UNREACHABLE else "failed"
