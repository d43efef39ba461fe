"""A sentence for each problem, in the interface's language."""

from __future__ import annotations

from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.ui.language import translate


def sentence(error: Exception) -> str:
    """What to tell the person. Never shows the detail: that is for the log."""
    problem = error.problem if isinstance(error, DeskError) else Problem.UNEXPECTED
    return problem_text(problem)


def problem_text(problem: Problem) -> str:
    """One clear sentence: what is wrong and, where there is one, what to do."""
    return _signing_in(problem) or _seat(problem) or _recording(problem) or _calling(problem)


def _signing_in(problem: Problem) -> str:
    match problem:
        case Problem.WRONG_PASSWORD:
            return translate("Problems", "Login or password is wrong.")
        case Problem.SIGNED_OUT:
            return translate("Problems", "You have been signed out. Sign in again; nothing is lost.")
        case Problem.FORBIDDEN:
            return translate("Problems", "Your account may not do this.")
        case Problem.SERVER_AWAY:
            return translate("Problems", "The server cannot be reached. Check the network, then try again.")
        case Problem.SERVER_ERROR:
            return translate("Problems", "The server had an error. Try again in a moment.")
        case Problem.SERVER_UNTRUSTED:
            return translate("Problems", "The server's certificate is not trusted, so nothing was sent.")
        case Problem.BAD_REQUEST:
            return translate("Problems", "The server did not accept this.")
        case Problem.BAD_CONFIG:
            return translate("Problems", "The configuration file has an error. Ask your administrator.")
        case _:
            return ""


def _seat(problem: Problem) -> str:
    match problem:
        case Problem.NOT_FOUND:
            return translate("Problems", "This is no longer here. It may have been moved or closed.")
        case Problem.STORE_LOCKED:
            return translate("Problems", "The local data cannot be unlocked with this key or passphrase.")
        case Problem.STORE_DAMAGED:
            return translate("Problems", "The local data is damaged. Ask your administrator before you go on.")
        case Problem.DISK_FULL:
            return translate("Problems", "The disk is full. Free some space now: recordings need it.")
        case Problem.GRANT_REFUSED:
            return translate("Problems", "The agent's line refused the permission to listen.")
        case Problem.SEAT_OFFLINE:
            return translate("Problems", "Nobody is signed in at this seat, or its line cannot be called now.")
        case _:
            return ""


def _recording(problem: Problem) -> str:
    match problem:
        case Problem.RECORDING_DAMAGED:
            return translate("Problems", "This recording is damaged and cannot be played.")
        case Problem.NOT_RECORDED:
            return translate("Problems", "This call is not being recorded just now.")
        case Problem.RECORDING_NOT_ALLOWED:
            return translate("Problems", "Your company's rules for recording do not allow this.")
        case _:
            return ""


def _calling(problem: Problem) -> str:
    match problem:
        case Problem.LINE_AWAY:
            return translate("Problems", "The line program is not running. It is being started again.")
        case Problem.LINE_NOT_READY:
            return translate("Problems", "The line is not registered, so no call can be made now.")
        case Problem.LINE_BUSY:
            return translate("Problems", "No further call can be made now: end one first.")
        case Problem.BAD_NUMBER:
            return translate("Problems", "This is not a number that can be dialled.")
        case Problem.NUMBER_NOT_ALLOWED:
            return translate("Problems", "Numbers of this kind may not be dialled on this line.")
        case Problem.NO_SUCH_DEVICE:
            return translate("Problems", "The headset is not there. Plug it in or choose another.")
        case Problem.DEVICE_BUSY:
            return translate("Problems", "The headset is used by another program.")
        case Problem.CALL_GONE:
            return translate("Problems", "This call has ended.")
        case Problem.NOT_NOW:
            return translate("Problems", "This cannot be done as the call stands now.")
        case Problem.RECORD_FAILED:
            return translate(
                "Problems", "The call's record cannot be kept on this seat, so nothing was done. Check the disk."
            )
        case Problem.DO_NOT_CALL:
            return translate("Problems", "This contact must not be called.")
        case _:
            return translate("Problems", "Something unexpected went wrong. It has been logged.")
