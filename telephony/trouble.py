"""Why a line is not registered, in the words of ``LineState.problem``, and when to try again."""

from __future__ import annotations

from dataclasses import dataclass

from telephony.account import Registration

_LONGEST_RETRY_AFTER_S = 3600.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """One reason. ``fails_over``: another registrar may well do better."""

    problem: str
    sip_code: int = 0
    reason: str = ""
    fails_over: bool = True
    first_wait_s: float = 2.0
    longest_wait_s: float = 15.0
    at_least_s: float = 0.0
    """What the registrar asked for by ``Retry-After``."""

    def wait_s(self, failures: int) -> float:
        """Seconds until the next attempt after so many failures in a row: twice as long each time.

        A password that is wrong stays wrong, and registrars lock accounts that try too often.
        """
        grown = self.first_wait_s * 2.0 ** min(max(failures, 1) - 1, 10)
        return max(min(grown, self.longest_wait_s), self.at_least_s)


NO_ANSWER = Trouble("unreachable", 0, "no answer")
NO_NETWORK = Trouble("no_network", 0, "no network")
NOT_REGISTERED = Trouble("refused", 0, "it answers but does not register", True, 30.0, 300.0)

_BY_CODE = {401: "wrong_password", 407: "wrong_password", 403: "forbidden", 404: "unknown_user"}


def trouble_of(answer: Registration, tls_problem: str = "", network: bool = True) -> Trouble:
    """What a failed registration means. ``tls_problem``: what was found wrong with the server's certificate."""
    if not answer.heard and answer.sip_code not in _BY_CODE:
        if not network:
            return NO_NETWORK
        if tls_problem:
            return Trouble(tls_problem, 0, "", True, 10.0, 60.0)
        return NO_ANSWER
    code, reason = answer.sip_code, answer.reason
    asked = min(float(answer.retry_after_s), _LONGEST_RETRY_AFTER_S)
    if code // 100 == 5 or code == 408:
        return Trouble("server_error", code, reason, True, 5.0, 60.0, asked)
    return Trouble(_BY_CODE.get(code, "refused"), code, reason, False, 30.0, 300.0, asked)
