"""Pause: what is said is silence in the recording, with a mark at either end and a limit in samples (R3)."""

from __future__ import annotations

from dataclasses import dataclass

from recorder.clock import utc_now
from recorder.journal import Frame, Mark
from recorder.rules import NotAllowed, RecordingRules


@dataclass(frozen=True, slots=True)
class _Wish:
    reason: str
    limit_s: int


@dataclass(slots=True)
class _Quiet:
    wish: _Wish
    since: int
    until: int


class Pause:
    """``ask``, ``end`` and the properties on any thread, ``hush`` on the media thread alone, without a lock.

    What was asked is a wish; the media thread makes it true at its next frame, and ends it by itself at the limit, so
    that nothing that runs elsewhere can be late.
    """

    def __init__(self, rate: int, rules: RecordingRules) -> None:
        self._rate = rate
        self._rules = rules
        self._silence = bytes(2 * (rate // 50))
        self._wish: _Wish | None = None
        self._seen: _Wish | None = None
        self._quiet: _Quiet | None = None

    def ask(self, reason: str, limit_s: float) -> None:
        """Pause from the next frame on; a second wish changes nothing while the first lasts.

        ``limit_s`` 0 means the policy's; it cannot be longer than that. Raises ``NotAllowed`` (``not_allowed``,
        ``unknown_reason``).
        """
        rules = self._rules
        if not rules.pause_reasons or rules.pause_limit_s <= 0:
            raise NotAllowed("not_allowed")
        if reason not in rules.pause_reasons:
            raise NotAllowed("unknown_reason")
        if not self.reason:
            asked = limit_s if limit_s > 0 else rules.pause_limit_s
            self._wish = _Wish(reason, min(max(1, round(asked)), rules.pause_limit_s))

    def end(self) -> None:
        """Record again from the next frame on. Nothing when there is no pause."""
        self._wish = None

    @property
    def reason(self) -> str:
        """Why it is paused, or about to be; empty when it is not."""
        wish = self._wish
        return wish.reason if wish is not None and (self._quiet is not None or self._seen is not wish) else ""

    def left_ms(self, reached: int) -> int:
        """Until it ends by itself, at sample ``reached``; 0 when there is no pause."""
        wish, quiet = self._wish, self._quiet
        if wish is None or not self.reason:
            return 0
        return wish.limit_s * 1000 if quiet is None else max(0, quiet.until - reached) * 1000 // self._rate

    @property
    def concerns(self) -> bool:
        """Frames must go through ``hush``."""
        return self._quiet is not None or self._wish is not self._seen

    def hush(self, start: int, agent: bytes | None, far: bytes | None) -> tuple[Frame | Mark, ...]:
        """What is to be recorded of a frame, with the marks that come before it."""
        marks: list[Mark] = []
        wish = self._wish
        if wish is not self._seen:
            marks += self._ended(start, "agent")
            self._seen = wish
            if wish is not None:
                self._quiet = _Quiet(wish, start, start + wish.limit_s * self._rate)
                detail = {"reason": wish.reason, "limit_s": wish.limit_s}
                marks.append(Mark("recording_paused", utc_now(), detail, start))
        if self._quiet is not None and start >= self._quiet.until:
            marks += self._ended(start, "limit")
        if self._quiet is None:
            return (*marks, (start, agent, far))
        silence = self._silence
        return (*marks, (start, agent and silence, far and silence))

    def _ended(self, start: int, by: str) -> list[Mark]:
        quiet, self._quiet = self._quiet, None
        if quiet is None:
            return []
        detail = {"reason": quiet.wish.reason, "by": by, "samples": start - quiet.since}
        return [Mark("recording_resumed", utc_now(), detail, start)]
