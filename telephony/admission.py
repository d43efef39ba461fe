"""Keeps INVITEs that must not ring from costing more than a refusal. Engine thread only.

PJSIP opens two sockets for each stream that an INVITE offers before it asks anybody, and this build aborts when more
than 64 are open or were closed within the last half second: 32 INVITEs at once, from anywhere, ended the process. So
PJSIP is told to take those that are refused, and those that come too fast, on an account whose calls have no sockets.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from pjsua2 import pjsua2 as pj

from telephony.account import Arrival, SipAccount
from telephony.addresses import GRANT_HEADER
from telephony.endpoint import Library
from telephony.lines import Line, Lines
from telephony.pace import Pace

log = logging.getLogger(__name__)

Refuse = Callable[[SipAccount, Arrival, int], None]
"""Answer an arrival on this account with this SIP code."""
_WINDOW_S = 0.75
_STREAMS = 20
_GRANTS = 4
"""Streams of each kind in any window: with the four calls that this build holds, at most 56 sockets of 64."""
_TELL_S = 10.0


class Admission:
    """Chooses the account on which PJSIP takes an INVITE."""

    def __init__(self, library: Library, lines: Lines, refuse: Refuse) -> None:
        self._library = library
        self._lines = lines
        self._calls = Pace(_STREAMS, _WINDOW_S)
        self._grants = Pace(_GRANTS, _WINDOW_S)
        self._told_at = -_TELL_S
        self._untold = 0
        self._code = 403
        """For the INVITE that PJSIP is just taking on the refusing account."""
        self._refuse_call = refuse
        self._account = SipAccount("", lambda registration: None, self._arrived)
        self._account.create(_refusing())
        library.choose_account_with(self.choose)

    def choose(self, index: int, source: str, message: str) -> int:
        """Index of the account for the request from ``source`` (``address:port``); ``index`` is PJSIP's choice."""
        line = self._lines.for_request(index, source)
        if line is None:
            return self._stranger(index, message)
        if not message.startswith("INVITE ") or self._calls.take(_streams(message)):
            return int(line.account.getId())
        return self._refuse(503, "calls came too fast")

    def close(self) -> None:
        """Before PJSIP ends."""
        self._library.choose_account_with(None)
        self._account.shutdown()

    def _arrived(self, arrival: Arrival) -> None:
        self._refuse_call(self._account, arrival, self._code)

    def _stranger(self, index: int, message: str) -> int:
        line: Line | None = None
        if GRANT_HEADER in message.lower():
            line = self._lines.of_account(index) or self._lines.first()
        if line is None:
            return self._refuse(403, "not a configured peer")
        return (
            int(line.account.getId())
            if self._grants.take(_streams(message))
            else self._refuse(503, "grants came too fast")
        )

    def _refuse(self, code: int, why: str) -> int:
        self._code = code
        self._untold += 1
        now = time.monotonic()
        if now - self._told_at >= _TELL_S:
            log.warning("refused %d requests: %s", self._untold, why)
            self._told_at, self._untold = now, 0
        return int(self._account.getId())


def _streams(message: str) -> int:
    return max(1, message.replace("\r", "\n").count("\nm="))


def _refusing() -> Any:
    config = pj.AccountConfig()
    config.idUri = "sip:refused@localhost"
    config.regConfig.registerOnAdd = False
    config.mediaConfig.useLoopMedTp = True  # a transport without sockets
    config.mwiConfig.enabled = False
    return config
