"""SIP addresses as text: numbers that may be dialled, URIs, and what an INVITE says of itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

GRANT_HEADER = "x-monitor-grant"
"""Lower case; carries a lead's grant in the INVITE of a listening leg."""
_NUMBER = re.compile(r"[0-9A-Za-z+*#._-]{1,64}\Z")
_PEER = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(:(?P<port>[0-9]{1,5}))?\Z")
_NAME_ADDR = re.compile(r'\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<token>[^<"]*))\s*<(?P<uri>[^>]*)>')
_SIP_URI = re.compile(r"sips?:(?:(?P<user>[^@;?]*)@)?(?P<host>\[[^\]]*\]|[^;?:>\s]*)", re.IGNORECASE)
_TAG = re.compile(r";\s*tag\s*=\s*(?P<tag>[^\s;,]+)", re.IGNORECASE)
_TARGET_URI = re.compile(r"sips?:[^\s<>\"]{1,512}\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Invite:
    """What an incoming INVITE says of itself, as text without control characters."""

    number: str
    display_name: str
    dialled: str
    grant: str
    """Value of ``X-Monitor-Grant``; empty when there is none."""
    referred_by: str = ""
    """User part of ``Referred-By`` (RFC 3892): who sent the caller here."""


def is_number(number: str) -> bool:
    """Whether this may be put into a SIP URI as its user part."""
    return _NUMBER.match(number) is not None


def split_peer(peer: str) -> tuple[str, int]:
    """Host and port (0 when not given) of ``host[:port]``. Raises ``ValueError``."""
    match = _PEER.match(peer)
    port = int(match["port"] or 0) if match else 0
    if match is None or port > 65535:
        raise ValueError("not host:port")
    return match["host"].strip("[]"), port


def host_text(host: str) -> str:
    """A host as URIs want it: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def sip_uri(user: str, peer: str, transport: str) -> str:
    """``sip:user@peer``, the transport named when it is not UDP."""
    suffix = "" if transport == "udp" else f";transport={transport}"
    return f"sip:{quote(user, safe='+*._-')}@{peer}{suffix}"


def is_sip_uri(uri: str) -> bool:
    """Whether this is one SIP URI and nothing that could carry a second header."""
    return _TARGET_URI.match(uri) is not None


def read_invite(message: str) -> Invite:
    """The parts of a raw INVITE that the desk needs. Never raises: what cannot be read is empty."""
    lines = _unfold(message)
    request = lines[0].split(" ") if lines else []
    headers = dict(_header(line) for line in reversed(lines[1:]) if ":" in line)
    caller = headers.get("from", headers.get("f", ""))
    number, name = _caller(caller)
    return Invite(
        number=number,
        display_name=name,
        dialled=_user(request[1]) if len(request) > 1 else "",
        grant=clean(headers.get(GRANT_HEADER, ""), 4096),
        referred_by=_caller(headers.get("referred-by", headers.get("b", "")))[0],
    )


def read_tags(message: str) -> tuple[str, str]:
    """Tags of ``From`` and ``To`` of a raw message; empty where there is none. Never raises."""
    headers = dict(_header(line) for line in reversed(_unfold(message)[1:]) if ":" in line)
    return _tag(headers.get("from", headers.get("f", ""))), _tag(headers.get("to", headers.get("t", "")))


def replacing_uri(contact: str, sip_call_id: str, to_tag: str, from_tag: str) -> str:
    """``Refer-To`` of an attended transfer: call ``contact`` in place of the dialog that it has with us (RFC 3891).

    The tags are as seen by who is to be called: ``to_tag`` is its own.
    """
    replaces = f"{sip_call_id};to-tag={to_tag};from-tag={from_tag}"
    return f"<{contact.strip().strip('<>')}?Replaces={quote(replaces, safe='')}&Require=replaces>"


def clean(text: str, limit: int = 128) -> str:
    """Text that is safe to show and to send as JSON: valid Unicode, no control characters, not too long."""
    valid = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(c for c in valid if c.isprintable())[:limit].strip()


def _unfold(message: str) -> list[str]:
    head = message.replace("\r\n", "\n").split("\n\n", 1)[0]
    return re.sub(r"\n[ \t]+", " ", head).split("\n")


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


def _caller(value: str) -> tuple[str, str]:
    match = _NAME_ADDR.match(value)
    if match is None:
        return _user(value), ""
    quoted = match["quoted"]
    name = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else (match["token"] or "")
    return _user(match["uri"]), clean(name)


def _tag(value: str) -> str:
    match = _TAG.search(value.rpartition(">")[2])
    return match["tag"] if match else ""


def _user(uri: str) -> str:
    match = _SIP_URI.match(uri.strip())
    return clean(unquote(match["user"].split(":")[0])) if match and match["user"] else ""
