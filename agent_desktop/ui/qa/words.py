"""QA's words for a recording's state, its numbers and who played it."""

from __future__ import annotations

from agent_desktop.domain.models import Outcome, RecordingRow
from agent_desktop.ui import format as fmt
from agent_desktop.ui.language import translate
from agent_desktop.ui.terms import outcome_text
from agent_desktop.ui.theme import Tone


def state_text(state: str) -> str:
    """What the store found when it checked the recording, with its mark."""
    return {
        "verified": translate("Qa", "✓ verified"),
        "recovered": translate("Qa", "↺ recovered"),
        "failed": translate("Qa", "✕ check failed"),
    }.get(state, state)


def state_explained(state: str) -> str:
    return {
        "verified": translate("Qa", "The signature, the number and every sample are as the seat sealed them."),
        "recovered": translate(
            "Qa",
            "The seat stopped during the call; this was recovered from its journal and is complete up to that moment.",
        ),
        "failed": translate("Qa", "The store could not confirm this recording. Tell your administrator."),
    }.get(state, "")


def state_tone(state: str) -> Tone:
    return {"verified": Tone.OK, "recovered": Tone.WARN}.get(state, Tone.BAD)


def outcome_short(row: RecordingRow) -> str:
    """The outcome; for a promise its amount too."""
    if row.outcome is None:
        return ""
    if row.outcome is Outcome.PROMISE and row.promised is not None:
        amount = fmt.money(row.promised, cents=False)
        return translate("Qa", "Promise {amount}").format(amount=amount)
    return outcome_text(row.outcome)


def number_text(number: int) -> str:
    """The seat's number of a recording."""
    return translate("Qa", "no. {number}").format(number=f"{number:,}")


def access_text(what: str) -> str:
    """Of ``services.recordings.Access.what``."""
    return {
        "replayed": translate("Qa", "Replayed"),
        "exported": translate("Qa", "Exported"),
    }.get(what, what)


def name_of(row: RecordingRow) -> str:
    """Who was spoken with; a call that belongs to no case shows its number."""
    return row.debtor_name or row.number_masked or translate("Qa", "Unknown number")


def playback_problem(problem: str) -> str:
    """A sentence for ``services.playback.PlaybackView.problem``."""
    return {
        "": "",
        "no_such_device": translate(
            "Qa", "There is no sound device: nothing is heard. Plug one in, pause and play again."
        ),
        "device_lost": translate("Qa", "The sound device went away. Plug it in and play again."),
    }.get(problem, translate("Problems", "Something unexpected went wrong. It has been logged."))
