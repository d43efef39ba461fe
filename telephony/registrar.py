"""One registrar of a line: registered there or not, alive or not. Engine thread only."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from pjsua2 import pjsua2 as pj

from telephony.account import Registration, SipAccount, server_uri
from telephony.probe import Probe
from telephony.trouble import NO_ANSWER, NO_NETWORK, NOT_REGISTERED, Trouble, trouble_of

log = logging.getLogger(__name__)

_BUSY_S = 2.0
_UNREGISTERED_S = 8.0
"""How long a registrar that answers OPTIONS may take over a registration."""
_DEAF_PERIOD_S = 10.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a registrar is asked whether it is there, and how long its answer may take, in seconds."""

    period_s: float
    patience_s: float


WITH_BACKUP = Pace(1.5, 2.5)
"""Found dead within 4 s, so that the back-up is registered within 5."""
ALONE = Pace(15.0, 4.0)


class Registrar:
    """``now`` is in seconds of a clock that stands still while nobody looks."""

    def __init__(
        self,
        role: str,
        peer: str,
        transport: str,
        pace: Pace,
        new_account: Callable[[], SipAccount],
        retire: Callable[[SipAccount], None],
    ) -> None:
        self.role = role
        self.peer = peer
        self.uri = server_uri(peer, transport)
        self.probe = Probe(pace.period_s, pace.patience_s)
        self.account: SipAccount | None = None
        self.wanted = False
        """Whether the line is to be registered here."""
        self.registered = False
        self.trouble: Trouble | None = None
        self.tls_problem = ""
        self.network = True
        self._new_account = new_account
        self._retire = retire
        self._failures = 0
        self._asked_at: float | None = None
        self._retry_at = 0.0
        self._deaf = False
        """It answers REGISTER but not OPTIONS: then registering again is the probe."""

    def good(self, now: float) -> bool:
        """Registered, and it answers."""
        return self.registered and self.network and not self.probe.silent(now)

    def down(self, now: float) -> bool:
        """Another registrar is to be tried."""
        return not self.good(now) and self.trouble is not None and self.trouble.fails_over

    def open(self) -> SipAccount:
        """The account here, made when first wanted. Raises ``pj.Error``."""
        if self.account is None:
            self.account = self._new_account()
        return self.account

    def close(self) -> None:
        """Unregister and let go of PJSIP's account; no call may be up on it."""
        if self.account is not None:
            self._retire(self.account)
            self.account = None
        self.registered = False
        self._asked_at = None

    def on_time(self, now: float, watched: bool, free: bool) -> None:
        """``watched``: it is to be probed. ``free``: no call is up on the line, so the account may be made anew."""
        if not self.network:
            self._lose(NO_NETWORK)
            return
        if watched:
            self._watch(now)
        if self._asked_at is not None:
            self._wait(now, free)
        elif self.wanted and not self.registered and now >= self._retry_at:
            self._register(now)
        elif not self.wanted and self.registered:
            self._unregister()

    def answered(self, answer: Registration, now: float) -> None:
        """The registrar's word on a registration, or the lack of one."""
        asked, self._asked_at = self._asked_at is not None, None
        if answer.heard and self._deaf:
            self.probe.answered(now)
        if answer.sip_code // 100 == 2:
            self._accepted(answer, now)
            return
        if not answer.heard and self._deaf:
            self.probe.failed(now)
        self.registered = False
        self._fail(trouble_of(answer, self.tls_problem, self.network), now)
        if asked and not answer.heard:
            self.probe.hurry(now)

    def probed(self, answered: bool, now: float) -> None:
        """What became of the OPTIONS."""
        if self._deaf:
            return
        if not answered:
            self.probe.failed(now)
            return
        back = self.probe.silent(now)
        self.probe.answered(now)
        if back and self.trouble is not None and self.trouble.sip_code == 0:
            self._retry_at, self._failures = now, 0  # what was in the way is gone

    def refresh(self, now: float) -> None:
        """The network changed: find out at once, and register again."""
        self.tls_problem = ""
        self.probe.reset(now)
        self._failures = 0
        self._retry_at = now
        if self.wanted and self._asked_at is None and self.account is not None:
            self._register(now)

    def _accepted(self, answer: Registration, now: float) -> None:
        self.registered = answer.registered and self.wanted
        if answer.registered:
            self.trouble, self.tls_problem, self._failures = None, "", 0
        elif self.wanted:
            self._fail(Trouble("refused", answer.sip_code, answer.reason, True, 30.0, 300.0), now)

    def _watch(self, now: float) -> None:
        if self.probe.due(now):
            self._probe(now)
        if not self.probe.silent(now) or (self._deaf and self._asked_at is None):
            return
        if self.registered and not self.probe.answered_ever and not self._deaf:
            log.info("a registrar does not answer OPTIONS; it is asked by REGISTER")
            self._deaf = True
            self.probe.period_s = max(self.probe.period_s, _DEAF_PERIOD_S)
            self.probe.answered(now)
        else:
            self._lose(NO_ANSWER)

    def _lose(self, trouble: Trouble) -> None:
        """What it had registered is doubtful now."""
        self.registered = False
        self.trouble = Trouble(self.tls_problem) if self.tls_problem and trouble is NO_ANSWER else trouble

    def _probe(self, now: float) -> None:
        if self._deaf:
            if self._asked_at is None and self.registered:
                self._register(now)
                self.probe.sent(now)
            return
        self.probe.sent(now)
        try:
            self.open().ask(self.uri)
        except pj.Error:
            self.probe.failed(now)

    def _register(self, now: float) -> None:
        self._asked_at = now
        self._retry_at = now + _BUSY_S
        try:
            self.open().setRegistration(True)
        except pj.Error:
            self._asked_at = None  # another request is under way, or nothing can be sent; tried again soon

    def _unregister(self) -> None:
        self.registered = False
        try:
            self.open().setRegistration(False)
        except pj.Error as error:
            log.info("the line could not be unregistered at its back-up: %s", error.reason)

    def _wait(self, now: float, free: bool) -> None:
        """A registrar that is alive but goes on asking for something else, such as ever longer intervals (423)."""
        since = self.probe.answering_since(now)
        if self._asked_at is None or since is None or self._deaf or not free:
            return
        if now - max(since, self._asked_at) > _UNREGISTERED_S:
            self.close()  # which ends the exchange
            self._fail(NOT_REGISTERED, now)

    def _fail(self, trouble: Trouble, now: float) -> None:
        self._failures += 1
        self.trouble = trouble
        self._retry_at = now + trouble.wait_s(self._failures)
