"""What stands in the journal of calls: entries, and what they say together."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from telephony.messages import CallEnded, CallState, MessageError
from telephony.messages.from_json import build

log = logging.getLogger(__name__)

LOST = "line_lost"
_NS_A_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that is up, as far as its record goes. Times are wall clock, ISO 8601 in UTC."""

    call_id: str
    line_id: str
    direction: str
    number: str
    agent_id: str
    started_at: str
    answered_at: str = ""
    recording_id: str = ""
    alive_at: str = ""
    """When it was last known to be up."""
    talk_ms: int = 0
    """How long it had been answered by then."""
    answered_ns: int = 0
    """CLOCK_MONOTONIC; of use to this process only."""

    @classmethod
    def of(cls, event: CallState, agent_id: str) -> OpenCall:
        """From where a call stands now."""
        return cls(
            call_id=event.call_id,
            line_id=event.line_id,
            direction=event.direction,
            number=event.number,
            agent_id=agent_id,
            started_at=event.started_at or event.at,
            answered_at=event.answered_at,
            recording_id=event.recording_id,
            alive_at=event.at,
            answered_ns=event.at_ns if event.answered_at else 0,
        )

    def after(self, event: CallState) -> OpenCall:
        """Where it stands after another event; the very same when the record has nothing new."""
        now = OpenCall.of(event, self.agent_id)
        if (now.answered_at, now.recording_id) == (self.answered_at, self.recording_id):
            return self
        return replace(now, answered_ns=self.answered_ns or now.answered_ns, talk_ms=self.talk_ms)

    def alive(self, now_ns: int, now: str) -> OpenCall:
        """It is still up."""
        talk_ms = (now_ns - self.answered_ns) // _NS_A_MS if self.answered_ns else 0
        return replace(self, alive_at=now, talk_ms=talk_ms)

    def entry(self) -> dict[str, Any]:
        return {"open": dataclasses.asdict(self)}

    def lost(self, last_sign: float | None) -> CallEnded:
        """The record of a call whose process died. ``last_sign``: when its recording was last written to, in seconds
        since 1970; the call is taken to have lasted until then.
        """
        ended_at, talk_ms = self.alive_at or self.started_at, self.talk_ms
        if last_sign is not None:
            more_ms = round((last_sign - datetime.fromisoformat(ended_at).timestamp()) * 1000)
            if more_ms > 0:
                ended_at = _iso(last_sign)
                talk_ms += more_ms if self.answered_at else 0
        return CallEnded(
            call_id=self.call_id,
            line_id=self.line_id,
            direction=self.direction,
            number=self.number,
            cause=LOST,
            sip_code=0,
            reason="",
            started_at=self.started_at,
            answered_at=self.answered_at,
            ended_at=ended_at,
            talk_ms=talk_ms,
            recording_id=self.recording_id,
            agent_id=self.agent_id,
            quality={"end_seen": False},
        )


def ended_entry(event: CallEnded) -> dict[str, Any]:
    return {"ended": dataclasses.asdict(event)}


def acked_entry(call_ids: list[str]) -> dict[str, Any]:
    return {"acked": call_ids}


class Tale:
    """What a journal's entries say together; one that is not understood is logged and left out."""

    def __init__(self, entries: Iterable[Mapping[str, Any]]) -> None:
        self.open: dict[str, OpenCall] = {}
        self.ended: dict[str, CallEnded] = {}
        self.entries = 0
        """How many there were."""
        for entry in entries:
            self.entries += 1
            try:
                self._take(entry)
            except (MessageError, KeyError, TypeError, ValueError) as error:
                log.error("an entry of the call journal was not understood: %s", type(error).__name__)

    def _take(self, entry: Mapping[str, Any]) -> None:
        if "open" in entry:
            call = build(OpenCall, entry["open"])
            assert isinstance(call, OpenCall)
            datetime.fromisoformat(call.alive_at or call.started_at)
            self.open[call.call_id] = call
        elif "ended" in entry:
            event = build(CallEnded, entry["ended"])
            assert isinstance(event, CallEnded)
            self.open.pop(event.call_id, None)
            self.ended[event.call_id] = event
        elif "acked" in entry:
            for call_id in entry["acked"]:
                self.ended.pop(call_id, None)
        else:
            raise KeyError("kind")


def _iso(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
