"""What the call panel says, for each state of a call, its transfer and its recording."""

from __future__ import annotations

from datetime import UTC, datetime

from agent_desktop.domain.models import Direction
from agent_desktop.services.call_views import CallView, TransferView
from agent_desktop.ui import format as fmt
from agent_desktop.ui.language import translate
from agent_desktop.ui.places import place
from agent_desktop.ui.terms import cause_text, direction_text, relation_text
from agent_desktop.ui.theme import Tone


def ringing_in(view: CallView) -> bool:
    """An inbound call that waits to be answered."""
    return view.direction is Direction.INBOUND and view.state in ("ringing", "early")


def title(view: CallView) -> str:
    """Who it is: the contact with its relation, a colleague's extension, or that nobody knows."""
    if view.contact is None:
        if view.place is not None and view.place.kind == "extension":
            return translate("CallPanel", "Extension {number}").format(number=view.number)
        return translate("CallPanel", "Several cases") if view.matches else translate("CallPanel", "Unknown number")
    return f"{view.contact.name} {relation_text(view.contact.relation)}".strip()


def subtitle(view: CallView) -> str:
    """Masked number, home location and carrier, direction."""
    number = fmt.masked(view.number)
    if view.extension:
        number = translate("CallPanel", "{number} ext. {extension}").format(number=number, extension=view.extension)
    return " · ".join(p for p in (number, place(view.place), direction_text(view.direction)) if p)


def second_line(view: CallView) -> str:
    """Of the call in second place: number, home location, and the case it is about or how it stands."""
    about = _case_of(view) if ringing_in(view) else state(view)
    paused = translate("Recording", "Recording paused") if view.paused else ""
    return " · ".join(p for p in (fmt.masked(view.number), about, paused, place(view.place)) if p)


def _case_of(view: CallView) -> str:
    case = view.detail.case if view.detail else next((m.case for m in view.matches if m.case.id == view.case_id), None)
    if case is None:
        return translate("CallPanel", "{n} cases").format(n=len(view.matches)) if view.matches else ""
    return f"{case.client} {case.stage}"


def state(view: CallView) -> str:
    """A few words for where the call stands."""
    if view.state == "ended":
        return translate("CallPanel", "Ended: {cause}").format(cause=cause_text(view.cause))
    if ringing_in(view):
        return translate("CallPanel", "Incoming call")
    before = {
        "dialing": translate("CallPanel", "Dialling…"),
        "ringing": translate("CallPanel", "Ringing…"),
        "early": translate("CallPanel", "Ringing…"),
    }.get(view.state)
    return before or " · ".join(_standing(view))


def _standing(view: CallView) -> list[str]:
    words = [translate("CallPanel", "Conference")] if view.conference else []
    if view.held and view.far_held:
        words.append(translate("CallPanel", "On hold from both sides"))
    elif view.held:
        words.append(translate("CallPanel", "You put it on hold"))
    elif view.far_held:
        words.append(translate("CallPanel", "The other side put you on hold"))
    return [*words, translate("CallPanel", "Muted")] if view.muted else words


def transfer(view: TransferView) -> tuple[str, Tone]:
    """How a transfer goes; the call itself goes on when it fails."""
    target = fmt.masked(view.target)
    match view.state:
        case "trying":
            return translate("CallPanel", "Transferring to {target}…").format(target=target), Tone.ACCENT
        case "ringing":
            return translate("CallPanel", "It rings at {target}…").format(target=target), Tone.ACCENT
        case "done":
            return translate("CallPanel", "Transferred to {target}").format(target=target), Tone.OK
        case _:
            said = translate("CallPanel", "Not transferred: {reason}. The call goes on.")
            return said.format(reason=_refusal(view.sip_code)), Tone.BAD


def _refusal(sip_code: int) -> str:
    """Why the target did not take the call, of its SIP answer."""
    if sip_code in (486, 600):
        return translate("CallPanel", "busy")
    if sip_code in (404, 484, 604):
        return translate("CallPanel", "no such number")
    if sip_code in (403, 603):
        return translate("CallPanel", "declined")
    if sip_code in (408, 480, 487):
        return translate("CallPanel", "no answer")
    if sip_code:
        return translate("CallPanel", "the other side answered {code}").format(code=sip_code)
    return translate("CallPanel", "no answer to the request")


def seconds(view: CallView, now: datetime | None = None) -> float:
    """Talk time; ringing time before the call was answered."""
    end = view.ended_at or now or datetime.now(UTC)
    return (end - (view.answered_at or view.started_at)).total_seconds()
