"""Our lines as extensions of the lab's Asterisk, and what is heard between them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from telephony.messages import AddLine, Answer, CallIncoming, LineConfig, LineState
from tests.lab.asterisk import Asterisk
from tests.lab.certificates import Authority
from tests.lab.kamailio import Kamailio
from tests.lab.seats import BY_USER, HOST, Seat
from tests.line.parts import LineProcess
from tests.line.sound import Samples, samples, tone_power

Pbx = Asterisk | Kamailio
PATIENCE_S = 20.0
"""How long a registration or a call's next step may take on a machine that does other things too."""
PRESENTED = [("", "02161234567"), ("02161234568", "02161234568"), ("02199999999", "02161234567")]
"""What seat 1001 asks a debtor to be shown, and what a debtor is shown: nobody gets a number that is not the seat's."""


def line_config(pbx: Pbx, seat: Seat, authority: Path | None = None, **values: Any) -> LineConfig:
    """The line of a seat; ``authority`` is the PEM file that a secure seat trusts."""
    if seat.secure:
        values = {"srtp": "mandatory", "tls_ca_file": str(authority), **values}
    values = {"transport": seat.transport, **values}
    port = pbx.tls_port if values.get("transport") == "tls" else pbx.port
    values = {"peer": f"{HOST}:{port}", "password": seat.password, **values}
    return LineConfig(line_id="l1", display_name=seat.user, user=seat.user, register=True, **values)


def set_up(line: LineProcess, config: LineConfig) -> LineState:
    """Add the line; returns its state once the registrar has answered, or has not."""
    line.client.request(AddLine("", config))
    return line.wait(LineState, lambda e: e.state != "registering", PATIENCE_S)


def sign_in(line: LineProcess, pbx: Pbx, seat: Seat, authority: Path | None = None, **values: Any) -> None:
    """Register the line as this seat."""
    state = set_up(line, line_config(pbx, seat, authority, **values))
    assert (state.state, state.sip_code) == ("registered", 200), (state, pbx.log()[-2000:])


def ring(caller: LineProcess, number: str, callee: LineProcess) -> tuple[str, CallIncoming]:
    """Dial until it rings there; returns the caller's call id and what the callee is told."""
    call_id = caller.dial(number)
    return call_id, callee.wait(CallIncoming, timeout=PATIENCE_S)


def connect(caller: LineProcess, number: str, callee: LineProcess) -> tuple[str, str]:
    """Dial and answer; returns the call's id on both sides."""
    call_id, ringing = ring(caller, number, callee)
    callee.client.request(Answer("", ringing.call_id))
    for line in (caller, callee):
        line.state("active", PATIENCE_S)
    return call_id, ringing.call_id


class LongCall:
    """A call between 1004 (UDP) and 1103 (TLS, SRTP) that goes on; session timers are as short as may be."""

    timer_s = 90
    """RFC 4028's least."""

    def __init__(self, asterisk: Asterisk, authority: Authority, folder: Path) -> None:
        self.lines = [LineProcess(folder / name, tone=tone) for name, tone in (("first", 1000.0), ("second", 440.0))]
        try:
            for line, user in zip(self.lines, ("1004", "1103"), strict=True):
                sign_in(
                    line,
                    asterisk,
                    BY_USER[user],
                    authority.file,
                    session_timer_s=self.timer_s,
                    reliable_provisional="required",
                )
            self.calls = connect(self.lines[0], "1103", self.lines[1])
        except BaseException:
            self.stop()
            raise
        self._began = time.monotonic()

    def wait_for_upkeep(self) -> None:
        """Until half of the session timer has gone by since the call was answered, when one side refreshes it."""
        time.sleep(max(0.0, self._began + self.timer_s / 2 + 3 - time.monotonic()))

    def stop(self) -> None:
        for line in self.lines:
            if line.process.poll() is None:
                line.stop()


class Tape:
    """What a line's tap kept of a call that is over: both sides, 16-bit samples at ``rate``."""

    def __init__(self, line: LineProcess, call_id: str) -> None:
        path = line.folder / call_id
        meta: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())
        self.rate = int(meta["rate"])
        self.agent = samples(path.with_suffix(".agent").read_bytes())
        self.far = samples(path.with_suffix(".far").read_bytes())

    @property
    def seconds(self) -> float:
        return len(self.far) / self.rate

    def part(self, start: float, end: float) -> Samples:
        """The far side between two moments, in seconds since the tape began; negative ones count from its end."""
        first, last = (t if t >= 0 else self.seconds + t for t in (start, end))
        return self.far[int(first * self.rate) : int(last * self.rate)]

    def far_share(self, frequency: float, start: float = 0.5, end: float = -0.2) -> float:
        """How much of the far side's power is at this frequency, 0 to 1: the median of tenths of a second."""
        size = self.rate // 10
        signal = self.part(start, end)
        parts = [signal[i : i + size] for i in range(0, len(signal) - size + 1, size)]
        assert parts, f"the tape is too short: {self.seconds:.2f} s"
        return float(np.median([tone_power(part, frequency, self.rate) for part in parts]))
