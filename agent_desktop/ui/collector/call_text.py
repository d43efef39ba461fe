"""What the call panel says, for each state of call, recording and headset."""

from __future__ import annotations

from datetime import UTC, datetime

from agent_desktop.domain.models import Direction
from agent_desktop.services.calls import CallView
from agent_desktop.ui import format as fmt
from agent_desktop.ui.language import translate
from agent_desktop.ui.terms import cause_text, direction_text, relation_text
from agent_desktop.ui.theme import Tone

_CODECS = {"G722": "G.722", "PCMA": "G.711 A", "PCMU": "G.711 µ"}


def ringing_in(view: CallView) -> bool:
    """An inbound call that waits to be answered."""
    return view.direction is Direction.INBOUND and view.state in ("ringing", "early")


def title(view: CallView) -> str:
    """Who it is: the contact with its relation, or that nobody knows."""
    if view.contact is None:
        return translate("CallPanel", "Several cases") if view.matches else translate("CallPanel", "Unknown number")
    return f"{view.contact.name} {relation_text(view.contact.relation)}".strip()


def subtitle(view: CallView) -> str:
    """Masked number, direction and codec."""
    codec = _CODECS.get(view.codec.split("/")[0], view.codec.split("/")[0])
    return " · ".join(p for p in (fmt.masked(view.number), direction_text(view.direction), codec) if p)


def state(view: CallView) -> str:
    """One or two words for where the call stands."""
    if view.state == "ended":
        return translate("CallPanel", "Ended: {cause}").format(cause=cause_text(view.cause))
    if ringing_in(view):
        return translate("CallPanel", "Incoming call")
    if view.held:
        return translate("CallPanel", "On hold")
    if view.far_held:
        return translate("CallPanel", "The other side put you on hold")
    if view.muted:
        return translate("CallPanel", "Muted")
    return {
        "dialing": translate("CallPanel", "Dialling…"),
        "ringing": translate("CallPanel", "Ringing…"),
        "early": translate("CallPanel", "Ringing…"),
    }.get(view.state, "")


def seconds(view: CallView, now: datetime | None = None) -> float:
    """Talk time; ringing time before the call was answered."""
    end = view.ended_at or now or datetime.now(UTC)
    return (end - (view.answered_at or view.started_at)).total_seconds()


def recording(view: CallView) -> tuple[str, Tone]:
    """The recording line (empty before there is a recording)."""
    sealed = fmt.clock(view.sealed_ms / 1000)
    match view.recording_state:
        case "recording" if view.state == "ended":
            text = translate("CallPanel", "Recorded · two channels · sealed to {time}").format(time=sealed)
            return text, Tone.WARN if view.recording_problem else Tone.OK
        case "recording":
            text = translate("CallPanel", "Recording · two channels · sealed to {time}").format(time=sealed)
            return text, Tone.WARN if view.recording_problem else Tone.OK
        case "sealed" | "recovered":
            return translate("CallPanel", "Recording sealed · {time}").format(time=sealed), Tone.OK
        case "failed":
            return translate("CallPanel", "This call is not being recorded"), Tone.BAD
        case _:
            return "", Tone.GREY


def recording_problem(code: str) -> str:
    """A sentence for ``RecordingState.problem``."""
    return {
        "": "",
        "agent_silent": translate("CallPanel", "Your side is silent: check the microphone."),
        "far_silent": translate("CallPanel", "Nothing is heard from the other side."),
        "disk_low": translate("CallPanel", "The disk is nearly full: free some space now."),
        "disk_full": translate("CallPanel", "The disk is full: the recording has stopped."),
        "spool_unwritable": translate("CallPanel", "The recording cannot be written to the disk."),
    }.get(code, translate("CallPanel", "The recording has a problem."))


def audio_problem(code: str) -> str:
    """A sentence for ``AudioState.problem``."""
    return {
        "": "",
        "no_such_device": translate("CallPanel", "The chosen headset is not there: plug it in or choose another."),
        "device_lost": translate("CallPanel", "The headset was unplugged: plug it in again."),
        "device_busy": translate("CallPanel", "The headset is used by another program."),
        "no_sound_card": translate("CallPanel", "This computer has no sound card: nothing can be heard."),
    }.get(code, translate("CallPanel", "The headset has a problem."))
