"""What the policy says is recorded, and the agent's own say in it: pause, resume, begin and stop on demand."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from agent_desktop.recording_policy import PolicyKeeper, PolicyRefused
from recorder.session import NotAllowed, Recorder, RecordingFacts, RecordingRules, RecordingSession
from telephony.errors import CommandError
from telephony.hub import Handler
from telephony.interfaces import CallFacts
from telephony.messages import (
    CallEnded,
    CallState,
    Command,
    Event,
    PauseRecording,
    ResumeRecording,
    SendDtmf,
    StartRecording,
    StopRecording,
)

log = logging.getLogger(__name__)

CODE_WITHIN_S = 3.0
"""From one key of the pause code to the next."""
_SEND_S = 2.0
_KEPT = 8
"""Sessions of the last calls; two calls are up at most."""


class RecordingControl:
    """Starts each call's recording by the policy and carries out the commands about it. Any thread.

    ``send_on`` hands keys to the far end that are not, or not yet, the pause code; ``changed`` is told of a recording
    that a command has changed, so that nobody waits for the recorder's next report.
    """

    def __init__(
        self,
        recorder: Recorder,
        keeper: PolicyKeeper,
        send_on: Callable[[Command], Future[dict[str, Any]]],
        changed: Callable[[RecordingSession], None],
    ) -> None:
        self._recorder = recorder
        self._keeper = keeper
        self._send_on = send_on
        self._changed = changed
        self._sessions: dict[str, tuple[RecordingSession, RecordingRules]] = {}
        self._code = PauseCode()

    @property
    def handlers(self) -> Mapping[type[Command], Handler]:
        return {
            PauseRecording: self._pause,
            ResumeRecording: lambda c: self._do(c.call_id, RecordingSession.resume),
            StartRecording: lambda c: self._do(c.call_id, RecordingSession.begin),
            StopRecording: lambda c: self._do(c.call_id, RecordingSession.stop_recording),
            SendDtmf: self._keys,
        }

    def start(self, call: CallFacts, agent_id: str) -> RecordingSession:
        """The recording of a call that begins. Engine thread."""
        facts = RecordingFacts(
            call.call_id, call.line_id, call.direction, call.started_at, call.rate, call.number, agent_id
        )
        rules = self._keeper.policy.for_line(call.line_id)
        session = self._recorder.start(facts, rules)
        sessions = [*self._sessions.items()][1 - _KEPT :]
        self._sessions = {**dict(sessions), call.call_id: (session, rules)}
        return session

    def pause_reasons(self, call_id: str) -> tuple[str, ...]:
        """What this call's recording may be paused for; empty when it may not be."""
        _, rules = self._sessions.get(call_id, (None, None))
        return rules.pause_reasons if rules is not None and rules.pause_limit_s > 0 else ()

    def named(self, event: Event) -> Event:
        """The event with its call's recording, which has no id before something is recorded. Engine thread."""
        if not isinstance(event, CallState | CallEnded) or event.recording_id:
            return event
        session, _ = self._sessions.get(event.call_id, (None, None))
        recording_id = session.recording_id if session is not None else ""
        return replace(event, recording_id=recording_id) if recording_id else event

    def take_policy(self, token: str) -> None:
        """Follow this policy from the next call on; what is refused is logged, and the one before holds."""
        if not token:
            return
        try:
            self._keeper.take(token)
        except PolicyRefused as refused:
            level = logging.INFO if refused.code == "older" else logging.ERROR  # a restarted process is given its first
            log.log(level, "a recording policy was refused: %s", refused.code)

    def _pause(self, command: PauseRecording) -> dict[str, Any]:
        return self._do(command.call_id, lambda session: session.pause(command.reason, command.limit_s))

    def _keys(self, command: SendDtmf) -> dict[str, Any]:
        code = self._keeper.policy.pause_code
        if not self._code.press(command.call_id, command.digits, code):
            return self._send_on(command).result(_SEND_S)
        self._toggle(command.call_id)
        before = command.digits.removesuffix(code)
        if before not in ("", command.digits):
            self._send_on(replace(command, digits=before)).result(_SEND_S)
        return {}  # the last key says nothing to the far end; what was pressed singly before it, it has had

    def _toggle(self, call_id: str) -> None:
        session, rules = self._sessions.get(call_id, (None, None))
        if session is None or rules is None:
            return
        try:
            if session.paused:
                session.resume()
            else:
                session.pause(next(iter(rules.pause_reasons), ""))
        except NotAllowed as refused:
            log.warning("the pause code was refused: %s", refused.code)
        else:
            self._changed(session)

    def _do(self, call_id: str, action: Callable[[RecordingSession], None]) -> dict[str, Any]:
        session, _ = self._sessions.get(call_id, (None, None))
        if session is None or not session.is_live:
            raise CommandError("no_recording", "this call is not recorded here")
        try:
            action(session)
        except NotAllowed as refused:
            raise CommandError(refused.code, "the recording's policy does not allow this") from refused
        self._changed(session)
        return {}


class PauseCode:
    """Tells when a call's keys, pressed one by one or sent at once, end with the code."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._call_id = ""
        self._pressed = ""
        self._at = 0.0

    def press(self, call_id: str, keys: str, code: str) -> bool:
        """These keys complete the code; never, when there is none."""
        now = self._clock()
        if call_id != self._call_id or now - self._at > CODE_WITHIN_S:
            self._pressed = ""
        self._call_id, self._at = call_id, now
        self._pressed = (self._pressed + keys)[-max(len(code), 1) :]
        if not code or self._pressed != code:
            return False
        self._pressed = ""
        return True
