"""Words for the SIP lines: their state, and why one is not registered, with what to do about it."""

from __future__ import annotations

from collections.abc import Iterable

from agent_desktop.services.phone import LineView
from agent_desktop.ui.language import translate
from agent_desktop.ui.theme import Tone

UP = ("ready", "registered")


def state(line: LineView) -> str:
    """One or two words for ``LineState.state``, and for a failure its reason."""
    if line.state == "failed":
        return reason(line.problem)
    return {
        "ready": translate("Lines", "Ready"),
        "registered": translate("Lines", "Registered"),
        "registering": translate("Lines", "Connecting…"),
        "removed": translate("Lines", "Switched off"),
        "away": translate("Lines", "Restarting…"),
    }.get(line.state, line.state)


def tone(line: LineView) -> Tone:
    """Amber while it connects and at the back-up registrar, red when it does not work."""
    if line.state in UP:
        return Tone.WARN if line.registrar == "backup" else Tone.OK
    return Tone.WARN if line.state == "registering" else Tone.BAD


def registrar(line: LineView) -> str:
    """Which registrar answered, where that is worth saying: only the back-up is."""
    return translate("Lines", "Back-up registrar") if line.registrar == "backup" and line.state in UP else ""


def reason(problem: str) -> str:
    """``LineState.problem`` in a few words."""
    return {
        "wrong_password": translate("Lines", "Wrong password"),
        "forbidden": translate("Lines", "Forbidden"),
        "unknown_user": translate("Lines", "Unknown extension"),
        "locked": translate("Lines", "Locked"),
        "refused": translate("Lines", "Refused"),
        "server_error": translate("Lines", "Registrar error"),
        "unreachable": translate("Lines", "Unreachable"),
        "certificate_untrusted": translate("Lines", "Certificate not trusted"),
        "certificate_expired": translate("Lines", "Certificate expired"),
        "certificate_wrong_name": translate("Lines", "Certificate of another name"),
        "tls_failed": translate("Lines", "TLS failed"),
        "no_network": translate("Lines", "No network"),
    }.get(problem, translate("Lines", "Failed"))


def sentence(line: LineView) -> str:
    """What is wrong with a line and what to do; empty while it is well."""
    if line.state == "away":
        return restarting()
    if registrar(line):
        return translate(
            "Lines", "The main registrar does not answer; calls go through the back-up. It changes back by itself."
        )
    if line.state != "failed":
        return ""
    said = _login(line.problem) or _way(line.problem) or translate("Lines", "The line could not be registered.")
    if line.sip_code and line.problem not in ("unreachable", "no_network"):
        said = translate("Lines", "{sentence} (Answer {code})").format(sentence=said, code=line.sip_code)
    return said


def restarting() -> str:
    """The line process has gone."""
    return translate("Lines", "The line program is being restarted. What was recorded is safe on this seat.")


def _login(problem: str) -> str:
    return {
        "wrong_password": translate(
            "Lines", "The registrar refuses the password. Ask your administrator to set it again."
        ),
        "forbidden": translate("Lines", "The registrar does not let this seat use the line. Ask your administrator."),
        "unknown_user": translate("Lines", "The registrar does not know this extension. Ask your administrator."),
        "locked": translate("Lines", "The line is locked after too many attempts. Ask your administrator."),
        "refused": translate("Lines", "The registrar refuses the line. Ask your administrator."),
    }.get(problem, "")


def _way(problem: str) -> str:
    return {
        "server_error": translate("Lines", "The registrar has an error of its own. It is tried again by itself."),
        "unreachable": translate(
            "Lines", "The registrar does not answer. Check the network; it is tried again by itself."
        ),
        "certificate_untrusted": translate(
            "Lines", "The registrar's certificate is not trusted, so nothing was sent. Tell your administrator."
        ),
        "certificate_expired": translate("Lines", "The registrar's certificate has expired. Tell your administrator."),
        "certificate_wrong_name": translate(
            "Lines", "The registrar's certificate is another host's, so nothing was sent. Tell your administrator."
        ),
        "tls_failed": translate(
            "Lines", "No encrypted connection to the registrar could be made. Tell your administrator."
        ),
        "no_network": translate("Lines", "This computer has no network. Check the cable or the Wi-Fi."),
    }.get(problem, "")


def worst(lines: Iterable[LineView]) -> LineView | None:
    """The line to speak of first: one that has failed, else one that is not up, else one at its back-up."""
    order = {Tone.BAD: 0, Tone.WARN: 1, Tone.OK: 2}
    return min(lines, key=lambda line: (order[tone(line)], line.state in UP), default=None)
