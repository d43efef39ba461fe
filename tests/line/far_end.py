"""Builds SIPp scenarios: what a far end sends and what it wants to see, step by step."""

from __future__ import annotations

from xml.sax.saxutils import escape

_VIA = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]"
_CONTACT = "Contact: <sip:far@[local_ip]:[local_port]>"
_COPIED = ("[last_Via:]", "[last_From:]", "[last_To:]", "[last_Call-ID:]", "[last_CSeq:]")
_TAG = ";tag=[pid]SIPp[call_number]"


def sdp(
    direction: str = "", payload: int = 8, codec: str = "PCMA", address: str = "[media_ip]", port: str = "[media_port]"
) -> str:
    """A session description for one audio stream; ``direction`` such as ``sendonly``."""
    lines = [
        "v=0",
        "o=far 1 [cseq] IN IP4 [local_ip]",
        "s=-",
        f"c=IN IP4 {address}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {payload} 101",
        f"a=rtpmap:{payload} {codec}/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-16",
    ]
    return "\n".join([*lines, f"a={direction}"] if direction else lines)


class FarEnd:
    """A scenario under construction; each method adds a step and returns the builder."""

    def __init__(self, calls: bool = False, caller: str = "13911112222") -> None:
        self._steps: list[str] = []
        self._calls = calls
        self._caller = caller
        self._cseq = 1

    def text(self) -> str:
        """The scenario for SIPp."""
        steps = "\n".join(self._steps)
        return f'<?xml version="1.0" encoding="UTF-8" ?>\n<scenario name="built">\n{steps}\n</scenario>\n'

    # --- the beginning ---

    def invited(self, headers: tuple[tuple[str, str], ...] = ()) -> FarEnd:
        """Wait for the engine's INVITE, remembering who it is from; ``headers``: names and patterns that must match."""
        actions = [
            '<ereg regexp="&lt;(sip:[^&gt;]*)&gt;" search_in="hdr" header="Contact:" assign_to="whole,contact"/>',
            '<ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>',
            '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/>',
            '<ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>',
            '<ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="cseq"/>',
            '<log message="[$whole][$contact][$from][$to][$via][$cseq]"/>',
            *_wanted(headers, "first"),
        ]
        self._steps.append(f'<recv request="INVITE" crlf="true"><action>{"".join(actions)}</action></recv>')
        return self

    def answers(self, headers: tuple[str, ...] = (), **options: str) -> FarEnd:
        """Take the engine's INVITE: 180, then 200 with a session description."""
        return self.invited().reply(180, "Ringing").reply(200, "OK", sdp(**options), headers).recv("ACK")

    def invites(self, headers: tuple[str, ...] = (), body: str | None = None) -> FarEnd:
        """Call the engine's line."""
        lines = [
            "INVITE sip:agent@[remote_ip]:[remote_port] SIP/2.0",
            _VIA,
            "Max-Forwards: 70",
            f"From: <sip:{self._caller}@[local_ip]:[local_port]>;tag=[pid]SIPp[call_number]",
            "To: <sip:agent@[remote_ip]:[remote_port]>",
            "Call-ID: [call_id]",
            "CSeq: 1 INVITE",
            _CONTACT,
            *headers,
        ]
        return self._send(lines, sdp() if body is None else body)

    # --- steps ---

    def recv(self, method: str, wanted: tuple[tuple[str, str], ...] = (), timeout: int = 8000) -> FarEnd:
        """A request must come; ``wanted``: header names (``body`` for the body) and patterns that must match."""
        attributes = f'request="{method}" crlf="true" timeout="{timeout}"'
        return self._recv(attributes, _wanted(wanted, f"s{len(self._steps)}x"))

    def expect(self, code: int, optional: bool = False, wanted: tuple[tuple[str, str], ...] = ()) -> FarEnd:
        """An answer must come, or may."""
        attributes = f'response="{code}"' + (' optional="true"' if optional else ' timeout="8000"')
        if not optional and self._calls:
            attributes += ' rrs="true"'
        return self._recv(attributes, _wanted(wanted, f"s{len(self._steps)}x"))

    def refused(self, code: int) -> FarEnd:
        """The call that this end made is refused, with or without ringing."""
        self.expect(100, optional=True).expect(180, optional=True).expect(code)
        copied = ("[last_Via:]", "[last_From:]", "[last_To:]", "[last_Call-ID:]", "CSeq: 1 ACK", "Max-Forwards: 70")
        return self._send(["ACK sip:agent@[remote_ip]:[remote_port] SIP/2.0", *copied], "", again=False)

    def reply(
        self, code: int, reason: str, body: str = "", headers: tuple[str, ...] = (), tag: str = _TAG, once: bool = False
    ) -> FarEnd:
        """Answer the last request; ``tag`` is what the To of an INVITE gets, empty inside a dialog."""
        copied = [f"{line}{tag}" if line == "[last_To:]" else line for line in _COPIED]
        again = code >= 200 and body and not once
        return self._send([f"SIP/2.0 {code} {reason}", *copied, _CONTACT, *headers], body, bool(again))

    def answer_invite(self, code: int, reason: str, tag: str = _TAG, body: str = "") -> FarEnd:
        """Answer the INVITE though another request came after it."""
        copied = ["Via:[$via]", "From:[$from]", f"To:[$to]{tag}", "[last_Call-ID:]", "CSeq:[$cseq]"]
        return self._send([f"SIP/2.0 {code} {reason}", *copied, _CONTACT], body, again=False)

    def reinvites(self, body: str) -> FarEnd:
        """A re-INVITE with this offer (empty for none), answered and acknowledged."""
        self.sends("INVITE", body).expect(100, optional=True).expect(200)
        return self.sends("ACK", "" if body else sdp())

    def ok(self, body: str = "") -> FarEnd:
        """Answer the last request inside the dialog with 200."""
        return self.reply(200, "OK", body, tag="")

    def sends(
        self, method: str, body: str = "", headers: tuple[str, ...] = (), kind: str = "application/sdp"
    ) -> FarEnd:
        """A request inside the dialog."""
        self._cseq += 0 if method == "ACK" else 1
        if self._calls:
            own = f"From: <sip:{self._caller}@[local_ip]:[local_port]>;tag=[pid]SIPp[call_number]"
            ends = [own, "To: <sip:agent@[remote_ip]:[remote_port]>[peer_tag_param]"]
            target, call_id = "[next_url]", "Call-ID: [call_id]"
        else:
            ends = [f"From:[$to]{_TAG}", "To:[$from]"]
            target, call_id = "[$contact]", "[last_Call-ID:]"
        lines = [
            f"{method} {target} SIP/2.0",
            _VIA,
            "Max-Forwards: 70",
            *ends,
            call_id,
            f"CSeq: {self._cseq} {method}",
            _CONTACT,
            *headers,
        ]
        return self._send(lines, body, method != "ACK", kind)

    def notifies(self, status: str, last: bool = False) -> FarEnd:
        """A NOTIFY that says how a REFER goes (RFC 3515), and its answer."""
        state = "terminated;reason=noresource" if last else "active;expires=60"
        headers = ("Event: refer", f"Subscription-State: {state}")
        return self.sends("NOTIFY", f"SIP/2.0 {status}", headers, "message/sipfrag;version=2.0").expect(200)

    def pause(self, milliseconds: int) -> FarEnd:
        self._steps.append(f'<pause milliseconds="{milliseconds}"/>')
        return self

    def held(self) -> FarEnd:
        """The engine holds the call."""
        return self.recv("INVITE", (("body", "a=sendonly"),)).ok(sdp("recvonly")).recv("ACK")

    def resumed(self) -> FarEnd:
        """The engine takes it off hold."""
        return self.recv("INVITE", (("body", "a=sendrecv"),)).ok(sdp("sendrecv")).recv("ACK")

    def until_bye(self, timeout: int = 20000) -> FarEnd:
        """Wait for the engine's BYE."""
        return self.recv("BYE", timeout=timeout).ok()

    def _recv(self, attributes: str, actions: list[str]) -> FarEnd:
        inside = f"<action>{''.join(actions)}</action>" if actions else ""
        self._steps.append(f"<recv {attributes}>{inside}</recv>")
        return self

    def _send(self, lines: list[str], body: str, again: bool = True, kind: str = "application/sdp") -> FarEnd:
        head = [*lines, f"Content-Type: {kind}", "Content-Length: [len]"] if body else [*lines, "Content-Length: 0"]
        text = "\n".join([*head, "", body])
        retransmit = ' retrans="500"' if again else ""
        self._steps.append(f"<send{retransmit}><![CDATA[\n{text}\n]]></send>")
        return self


def _wanted(wanted: tuple[tuple[str, str], ...], prefix: str) -> list[str]:
    found = []
    for number, (where, pattern) in enumerate(wanted):
        place = 'search_in="body"' if where == "body" else f'search_in="hdr" header="{where}:"'
        name = f"{prefix}{number}"
        found.append(f'<ereg regexp="{escape(pattern)}" {place} check_it="true" assign_to="{name}"/>')
        found.append(f'<log message="[${name}]"/>')
    return found
