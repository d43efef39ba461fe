"""What a session description (RFC 8866) says of its audio's direction."""

from __future__ import annotations

_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_NOWHERE = ("0.0.0.0", "::")  # noqa: S104  how RFC 2543 said hold


def holds(sdp: str) -> bool:
    """Whether this offer puts its receiver on hold: whoever made it will not listen (RFC 3264, 8.4)."""
    session, _, media = sdp.replace("\r\n", "\n").partition("\nm=audio ")
    audio = media.partition("\nm=")[0]
    direction = _direction(audio) or _direction(session) or "sendrecv"
    address = _address(audio) or _address(session)
    return direction in ("sendonly", "inactive") or address in _NOWHERE


def _direction(section: str) -> str:
    attributes = (line[2:].strip() for line in section.split("\n") if line.startswith("a="))
    return next((attribute for attribute in attributes if attribute in _DIRECTIONS), "")


def _address(section: str) -> str:
    lines = (line.split() for line in section.split("\n") if line.startswith("c="))
    return next((parts[-1].split("/")[0] for parts in lines if len(parts) == 3), "")
