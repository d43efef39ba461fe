"""Whether a registrar still answers, from OPTIONS sent now and then. No pjsua2 here.

At most one OPTIONS is under way. PJSIP repeats it (after 0.5, 1.5, 3.5 s, then every 4 s, up to 32 s), so a dead server
gets a packet every 4 s, and one that comes back is noticed by the next of them.
"""

from __future__ import annotations

_AGAIN_S = (2.0, 5.0)
_STEADY_ANSWERS = 3
_STEADY_S = 4.0


class Probe:
    """Times are seconds of a clock that stands still while nobody looks."""

    def __init__(self, period_s: float, patience_s: float) -> None:
        self.period_s = period_s
        self._patience_s = patience_s
        self._sent_at: float | None = None
        self._next_at = 0.0
        self._lost = False
        self._streak = 0
        self._streak_at = 0.0
        self.answered_ever = False

    def due(self, now: float) -> bool:
        """Whether the next OPTIONS is to be sent."""
        return self._sent_at is None and now >= self._next_at

    def sent(self, now: float) -> None:
        self._sent_at = now

    def answered(self, now: float) -> None:
        """Any answer counts: a server that refuses is alive."""
        if self.silent(now) or not self._streak:
            self._streak, self._streak_at = 0, now
        self._streak += 1
        self._lost = False
        self.answered_ever = True
        self._sent_at = None
        self._next_at = now + self.period_s

    def failed(self, now: float) -> None:
        """It could not be sent, or 32 s went by."""
        self._lost = True
        self._streak = 0
        self._sent_at = None
        self._next_at = now + min(max(self.period_s, _AGAIN_S[0]), _AGAIN_S[1])

    def hurry(self, now: float) -> None:
        """Something happened: ask at once."""
        self._next_at = now

    def reset(self, now: float) -> None:
        """Forget what was: the network is another."""
        self._lost = False
        self._streak = 0
        self._next_at = now
        if self._sent_at is not None:
            self._sent_at = now

    def silent(self, now: float) -> bool:
        """No answer for longer than is reasonable."""
        return self._lost or (self._sent_at is not None and now - self._sent_at > self._patience_s)

    def answering_since(self, now: float) -> float | None:
        """When the answers in a row began; None while there are none."""
        return None if self.silent(now) or not self._streak else self._streak_at

    def steady(self, now: float) -> bool:
        """It has been answering for a while: worth going back to."""
        return not self.silent(now) and self._streak >= _STEADY_ANSWERS and now - self._streak_at >= _STEADY_S
