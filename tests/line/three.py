"""An agent between two others, three engines, each with a tone of its own for a microphone; and what each heard."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np

from telephony.messages import AddLine, Answer, CallIncoming, CallState, Dial, LineConfig
from tests.line.parts import LineProcess
from tests.line.sound import Samples, samples, tone_power

AGENT, FIRST, SECOND = 1000.0, 440.0, 700.0
TONES = (AGENT, FIRST, SECOND)
Lines = Callable[..., LineProcess]


class Three:
    """The agent's line ``l1`` calls the first other, ``l2`` the second."""

    def __init__(self, lines: Lines, **options: Any) -> None:
        self.agent = lines("agent", tone=AGENT, **options)
        self.first = lines("first", tone=FIRST)
        self.second = lines("second", tone=SECOND)
        self.agent.client.request(AddLine("", LineConfig("l1", "Agent", "agent", f"127.0.0.1:{self.first.port}")))
        self.agent.client.request(AddLine("", LineConfig("l2", "Agent", "agent2", f"127.0.0.1:{self.second.port}")))
        self.first.add_line(self.agent.port, user="first")
        self.second.add_line(self.agent.port, user="second")

    def dial(self, line_id: str, number: str) -> str:
        call_id = str(uuid.uuid4())
        self.agent.client.request(Dial("", call_id, line_id, number))
        return call_id

    def reach(self, line_id: str) -> tuple[str, str]:
        """Call one of the others, who answers; the call's id at the agent's and at theirs."""
        other = self.first if line_id == "l1" else self.second
        call_id = self.dial(line_id, "first" if line_id == "l1" else "second")
        theirs = other.wait(CallIncoming).call_id
        other.client.request(Answer("", theirs))
        self.agent.wait(CallState, lambda e: e.call_id == call_id and e.state == "active" and e.codec != "")
        other.state("active")
        return call_id, theirs

    def both(self) -> tuple[str, str]:
        """Two calls up, the first held, the second with the headset."""
        first, _ = self.reach("l1")
        second, _ = self.reach("l2")
        self.first.wait(CallState, lambda e: e.far_held)
        return first, second

    def told(self, call_id: str, good: Callable[[CallState], bool], timeout: float = 6.0) -> CallState:
        """The agent's call stands so: its latest state, or one that comes."""
        states = [e for e in self.agent.seen if isinstance(e, CallState) and e.call_id == call_id]
        if states and good(states[-1]):
            return states[-1]
        return self.agent.wait(CallState, lambda e: e.call_id == call_id and good(e), timeout)


def tape(line: LineProcess, call_id: str) -> tuple[dict[str, Any], Samples, Samples]:
    """Facts, agent side and far side of a call that is over."""
    path = line.folder / call_id
    meta: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())
    return meta, samples(path.with_suffix(".agent").read_bytes()), samples(path.with_suffix(".far").read_bytes())


def tones_in(signal: Samples, rate: int) -> set[float]:
    """Which of the three tones are in it: each has at least a tenth of the power in most tenths of a second."""
    size = rate // 10
    parts = [signal[i : i + size] for i in range(0, len(signal) - size + 1, size)]
    assert parts, "nothing to measure"
    return {tone for tone in TONES if np.median([tone_power(part, tone, rate) for part in parts]) > 0.1}


class Ears:
    """What somebody hears, by time: slices of the far side of a call's tape between monotonic instants."""

    def __init__(self, line: LineProcess, call_id: str) -> None:
        self.facts, self.agent, self.far = tape(line, call_id)
        self.rate: int = self.facts["rate"]
        self._at = np.array(self.facts["at_ns"])

    def between(self, start_ns: int, end_ns: int, side: str = "far") -> set[float]:
        """Tones on a side between two instants."""
        first, last = (int(np.searchsorted(self._at, t)) * self.rate // 50 for t in (start_ns, end_ns))
        return tones_in((self.far if side == "far" else self.agent)[first:last], self.rate)


class Span:
    """A stretch of time in which nothing changes; its first part, in which buffers run dry, is left out."""

    def __init__(self, seconds: float = 1.0, settle: float = 0.4) -> None:
        time.sleep(settle)
        self.start = time.monotonic_ns()
        time.sleep(seconds - settle)
        self.end = time.monotonic_ns()
