"""Words for a recording: how it stands, why it is paused, and how well the seat can record."""

from __future__ import annotations

from datetime import UTC, datetime

from agent_desktop.services.call_views import CallView
from agent_desktop.services.status import StatusView
from agent_desktop.ui import format as fmt
from agent_desktop.ui.language import translate
from agent_desktop.ui.theme import Tone

Word = tuple[str, Tone]

LONG_WAIT_S = 4 * 3600
"""A recording that waits for its upload for longer is worth a second look."""


def reason(code: str) -> str:
    """Why it is paused; a company's own words are shown as they are."""
    return {
        "card_number": translate("Recording", "Card number"),
        "identity_document": translate("Recording", "Identity document"),
    }.get(code, code)


def standing(view: CallView) -> Word:
    """The recording in a few words; empty before there is one."""
    sealed = fmt.clock(view.sealed_ms / 1000)
    over = view.state == "ended"
    match view.recording_state:
        case "recording" if over:
            text = translate("CallPanel", "Recorded · two channels · sealed to {time}").format(time=sealed)
            return text, Tone.WARN if view.recording_problem else Tone.OK
        case "recording":
            text = translate("CallPanel", "Recording · two channels · sealed to {time}").format(time=sealed)
            return text, Tone.WARN if view.recording_problem else Tone.OK
        case "waiting" if not over:
            return _waiting(view, sealed)
        case "sealed" | "recovered":
            return translate("CallPanel", "Recording sealed · {time}").format(time=sealed), Tone.OK
        case "failed":
            return translate("CallPanel", "This call is not being recorded"), Tone.BAD
        case "nothing":
            return translate("Recording", "Nothing of this call was recorded"), Tone.GREY
        case _:
            return "", Tone.GREY


def _waiting(view: CallView, sealed: str) -> Word:
    if view.recording_mode == "voice":
        return translate("Recording", "Records when somebody speaks · sealed to {time}").format(time=sealed), Tone.OK
    if view.sealed_ms:
        return translate("Recording", "Recording stopped · sealed to {time}").format(time=sealed), Tone.WARN
    return translate("Recording", "Not being recorded: only on demand"), Tone.WARN


def problem(code: str) -> str:
    """A sentence for ``RecordingState.problem`` or ``RecorderHealth.problem``."""
    return {
        "": "",
        "agent_silent": translate("CallPanel", "Your side is silent: check the microphone."),
        "far_silent": translate("CallPanel", "Nothing is heard from the other side."),
        "disk_low": translate("CallPanel", "The disk is nearly full: free some space now."),
        "disk_full": translate("CallPanel", "The disk is full: the recording has stopped."),
        "spool_unwritable": translate("CallPanel", "The recording cannot be written to the disk."),
    }.get(code, translate("CallPanel", "The recording has a problem."))


def disk_problem(code: str) -> str:
    """A sentence for ``RecorderHealth.problem`` while no call is up."""
    if code == "disk_full":
        return translate("Recording", "The disk is full: no call can be recorded. Free some space now.")
    if code == "spool_unwritable":
        return translate("Recording", "The recordings' folder cannot be written: no call can be recorded.")
    return problem(code)


def free_space(status: StatusView) -> Word:
    """Room on the recordings' disk."""
    if status.free_bytes < 0:
        return translate("Recording", "not known"), Tone.GREY
    text = _size(status.free_bytes)
    match status.recorder_problem:
        case "disk_low":
            return translate("Recording", "{size} · nearly full").format(size=text), Tone.WARN
        case "disk_full":
            return translate("Recording", "{size} · full").format(size=text), Tone.BAD
        case "spool_unwritable":
            return translate("Recording", "{size} · cannot be written").format(size=text), Tone.BAD
        case _:
            return translate("Recording", "{size} · enough").format(size=text), Tone.OK


def spool(status: StatusView) -> Word:
    """How many recordings wait on this seat."""
    if status.uploads_refused:
        text = translate("Recording", "{n} waiting · {refused} set aside")
        return text.format(n=status.uploads_waiting, refused=status.uploads_refused), Tone.BAD
    if not status.uploads_waiting:
        return translate("Recording", "none waiting"), Tone.OK
    return translate("Recording", "{n} waiting").format(n=status.uploads_waiting), Tone.ACCENT


def upload_age(status: StatusView, now: datetime | None = None) -> Word:
    """Since when the oldest recording waits; when all is sent, when the last one was."""
    now = now or datetime.now(UTC)
    if status.uploads_waiting and status.upload_oldest_at is not None:
        seconds = (now - status.upload_oldest_at).total_seconds()
        late = seconds > LONG_WAIT_S
        text = translate("Recording", "{age} · overdue") if late else translate("Recording", "{age}")
        return text.format(age=_age(seconds)), Tone.WARN if late else Tone.ACCENT
    if status.upload_last_at is not None:
        at = fmt.time_of_day(status.upload_last_at)
        return translate("Recording", "all sent · last at {time}").format(time=at), Tone.OK
    return translate("Recording", "all sent"), Tone.OK


def level(dbfs: float | None, *, silent: bool) -> Word:
    """A side's level in words; None while there is no call."""
    if dbfs is None:
        return translate("Recording", "no call"), Tone.GREY
    if silent:
        return translate("Recording", "silent"), Tone.BAD
    if dbfs <= -70:
        return translate("Recording", "quiet"), Tone.GREY
    return translate("Recording", "{level} dB").format(level=f"{dbfs:.0f}".replace("-", "−")), Tone.OK


def _size(size: int) -> str:
    if size >= 10_000_000_000:
        return f"{size // 1_000_000_000} GB"
    return f"{size / 1e9:.1f} GB" if size >= 1_000_000_000 else f"{size // 1_000_000} MB"


def _age(seconds: float) -> str:
    minutes = max(0, int(seconds)) // 60
    if minutes < 1:
        return translate("Recording", "under 1 min")
    if minutes < 60:
        return translate("Recording", "{n} min").format(n=minutes)
    hours = minutes // 60
    if hours < 48:
        return translate("Recording", "{n} h").format(n=hours)
    return translate("Recording", "{n} days").format(n=hours // 24)
