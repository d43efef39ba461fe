"""The words and tones of the indicators at the top: each answers ``(text, tone, tip)``, an empty text hides it."""

from __future__ import annotations

from agent_desktop.services.call_views import CallView, QualityView
from agent_desktop.services.phone import AudioView, LineView
from agent_desktop.services.status import StatusView
from agent_desktop.ui import format as fmt
from agent_desktop.ui import line_text, recording_text, sound_text
from agent_desktop.ui.language import translate
from agent_desktop.ui.theme import Tone

Indicator = tuple[str, Tone, str]


def line(status: StatusView, lines: tuple[LineView, ...], quality: QualityView | None = None) -> Indicator:
    """The SIP lines, and how good the one in use is; nothing where the seat has none."""
    match status.line_state:
        case "none":
            return "", Tone.GREY, ""
        case "away":
            return translate("Status", "Line restarting"), Tone.BAD, line_text.restarting()
        case "ready" | "registered":
            return _line_up(status, lines, quality)
        case "registering":
            return translate("Status", "Line {name} connecting").format(name=status.line_name), Tone.WARN, ""
        case _:
            worst = line_text.worst(lines)
            reason = line_text.reason(status.line_problem)
            text = translate("Status", "Line {name}: {reason}").format(name=status.line_name, reason=reason)
            return text, Tone.BAD, line_text.sentence(worst) if worst else ""


def _line_up(status: StatusView, lines: tuple[LineView, ...], quality: QualityView | None) -> Indicator:
    text = translate("Status", "Line {name}").format(name=status.line_name).strip()
    tone, tip = Tone.OK, ""
    worst = line_text.worst(lines)
    used = next((each for each in lines if each.usable), None)
    if status.lines_down:
        text = translate("Status", "Lines {up} of {all}").format(up=len(lines) - status.lines_down, all=len(lines))
        tone, tip = Tone.WARN, line_text.sentence(worst) if worst else ""
    elif used is not None and line_text.registrar(used):
        text += " · " + translate("Status", "back-up")
        tone, tip = Tone.WARN, line_text.sentence(used)
    if quality is not None and quality.mos >= 0:
        text += f" · MOS {quality.mos:.1f}"
        word, heard = sound_text.quality_word(quality.mos)
        if heard is not Tone.OK:
            tone = Tone.BAD if heard is Tone.BAD else Tone.WARN
            tip = tip or word
    return text, tone, tip


def sound(audio: AudioView) -> Indicator:
    """The sound devices; nothing while they are well."""
    said, tone = sound_text.audio(audio)
    if not said:
        return "", Tone.GREY, ""
    text = translate("Status", "Spare headset") if tone is Tone.WARN else translate("Status", "Headset problem")
    return text, tone, said


def sync(status: StatusView) -> Indicator:
    """The collection server: how far this seat is in step with it."""
    if status.signed_out:
        return translate("Status", "Signed out"), Tone.BAD, translate("Status", "Sign in again; nothing is lost.")
    if status.refused:
        text = translate("Status", "Refused by the server {n}").format(n=status.refused)
        return text, Tone.BAD, translate("Status", "They are kept on this seat. Tell your team lead.")
    if not status.online:
        since = fmt.time_of_day(status.offline_since) if status.offline_since else ""
        text = translate("Status", "Offline since {time}").format(time=since) if since else _offline()
        if status.outbox:
            text += " · " + translate("Status", "waiting {n}").format(n=status.outbox)
        return text, Tone.WARN, translate("Status", "Calls and notes go on; they are sent when the server is back.")
    if status.outbox:
        return translate("Status", "Behind by {n}").format(n=status.outbox), Tone.ACCENT, ""
    return translate("Status", "Synced"), Tone.OK, ""


def _offline() -> str:
    return translate("Status", "Offline")


def upload(status: StatusView) -> Indicator:
    """Recordings on their way to the store; quiet when there are none."""
    waiting = status.uploads_waiting
    problem = _upload_problem(status.upload_problem)
    if not waiting and not problem:
        return "", Tone.GREY, ""
    text = translate("Status", "Upload {n}").format(n=waiting)
    if status.upload_problem and status.upload_problem != "server_away":
        return text, Tone.BAD, problem
    return text, Tone.WARN if problem else Tone.ACCENT, problem


def _upload_problem(code: str) -> str:
    return {
        "": "",
        "server_away": translate("Status", "Recordings wait on this seat until the server is back."),
        "receipt_wrong": translate("Status", "The store's receipt is wrong: the recordings are kept here."),
        "refused": translate("Status", "The store refused a recording: it is kept here."),
        "another_uploader": translate("Status", "Another program on this computer sends the recordings."),
        "spool_unreadable": translate("Status", "The recordings' folder cannot be read."),
    }.get(code, translate("Status", "The upload has a problem."))


def recording(call: CallView | None, status: StatusView, *, silent: bool = False) -> Indicator:
    """The recording light: how the call is recorded, else whether one could be; ``silent``: a side of it is."""
    code = (call.recording_problem if call else "") or status.recording_problem
    tip = recording_text.problem(code)
    if call is not None and call.recording_state:
        return _call_recorded(call, code, tip, silent=silent)
    code = code or status.recorder_problem
    if code:
        said = recording_text.disk_problem(status.recorder_problem) if code == status.recorder_problem else tip
        return (*_idle_problem(code), said)
    if status.free_bytes < 0 or status.line_state in ("none", "away"):
        return "", Tone.GREY, ""
    return translate("Status", "Recorder ready"), Tone.OK, ""


def _call_recorded(call: CallView, code: str, tip: str, *, silent: bool) -> Indicator:
    if call.recording_state == "failed":
        return translate("Status", "Not recorded"), Tone.BAD, tip
    if call.paused:
        return translate("Status", "Recording paused"), Tone.WARN, recording_text.reason(call.paused)
    if not call.is_recorded:
        return translate("Status", "Not recorded"), Tone.WARN, recording_text.standing(call)[0]
    if silent or code.endswith("_silent"):
        return translate("Status", "Recording · silent"), Tone.WARN, tip
    if code == "disk_low":
        return translate("Status", "Recording · disk low"), Tone.WARN, tip
    return translate("Status", "Recording"), Tone.WARN if code else Tone.BAD, tip


def _idle_problem(code: str) -> tuple[str, Tone]:
    match code:
        case "disk_low":
            return translate("Status", "Disk nearly full"), Tone.WARN
        case "disk_full":
            return translate("Status", "Disk full"), Tone.BAD
        case "spool_unwritable":
            return translate("Status", "Cannot record"), Tone.BAD
        case _:
            return translate("Status", "Recording problem"), Tone.BAD
