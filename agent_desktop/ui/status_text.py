"""The words and tones of the indicators at the top: each answers ``(text, tone, tip)``, an empty text hides it."""

from __future__ import annotations

from agent_desktop.services.calls import CallView
from agent_desktop.services.status import StatusView
from agent_desktop.ui import format as fmt
from agent_desktop.ui.collector import call_text
from agent_desktop.ui.language import translate
from agent_desktop.ui.theme import Tone

Indicator = tuple[str, Tone, str]


def line(status: StatusView) -> Indicator:
    """The SIP line; nothing where the seat has none."""
    name = status.line_name
    match status.line_state:
        case "none":
            return "", Tone.GREY, ""
        case "ready" | "registered":
            return translate("Status", "Line {name}").format(name=name).strip(), Tone.OK, ""
        case "registering":
            return translate("Status", "Line {name} connecting").format(name=name), Tone.WARN, ""
        case "away":
            tip = translate("Status", "The line program is not running. It is being started again.")
            return translate("Status", "Line away"), Tone.BAD, tip
        case _:
            code = status.line_sip_code
            tip = translate("Status", "The registrar answered {code}.").format(code=code) if code else ""
            return translate("Status", "Line {name} failed").format(name=name), Tone.BAD, tip


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
        "spool_unreadable": translate("Status", "The recordings' folder cannot be read."),
    }.get(code, translate("Status", "The upload has a problem."))


def recording(call: CallView | None, problem: str) -> Indicator:
    """The recording light: lit while a call is recorded, and whenever something is wrong with recording."""
    code = (call.recording_problem if call else "") or problem
    tip = call_text.recording_problem(code)
    if call is not None and call.recording_state == "recording":
        return translate("Status", "Recording"), Tone.BAD if not code else Tone.WARN, tip
    if call is not None and call.recording_state == "failed":
        return translate("Status", "Not recorded"), Tone.BAD, tip
    return (translate("Status", "Recording problem"), Tone.BAD, tip) if code else ("", Tone.GREY, "")
