"""The call's facts as they are sealed into the recording: salted, so that the hash in the manifest tells nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from typing import Any

from recorder.canonical import canonical_json
from recorder.clock import utc_now
from recorder.journal import FACTS, Mark
from recorder.status import RecordingFacts

MAX_COMPLIANCE = 2048
"""Bytes of JSON."""


class CallFactsPiece:
    """One call's. Engine thread, but for ``sha256``, which is for after the last ``mark``."""

    def __init__(self, facts: RecordingFacts) -> None:
        self.sha256 = ""
        self._body: dict[str, Any] = {
            "salt": base64.b64encode(os.urandom(16)).decode("ascii"),
            "line": facts.line_id,
            "direction": facts.direction,
            "far_number": facts.far_number,
            "agent_id": facts.agent_id,
            "answered_at": "",
            "cause": "",
            "compliance": _checked(facts.compliance),
        }

    def told(self, mark: Mark) -> None:
        """An event of the call: when it was answered is one of the facts."""
        if mark.kind == "answered" and not self._body["answered_at"]:
            self._body["answered_at"] = mark.at

    def mark(self, cause: str = "") -> Mark:
        """The facts so far; with the ``cause`` of its end at the end."""
        body = self._body | {"cause": cause}
        self.sha256 = hashlib.sha256(canonical_json(body)).hexdigest()
        return Mark(FACTS, utc_now(), {FACTS: body})


def _checked(compliance: Any) -> dict[str, Any]:
    """A copy that has a canonical form; a note in its place when it has none."""
    try:
        text = canonical_json(dict(compliance))
    except (TypeError, ValueError, RecursionError):
        return {"detail_lost": True}
    copy: dict[str, Any] = json.loads(text)
    return copy if len(text) <= MAX_COMPLIANCE else {"detail_lost": True}
