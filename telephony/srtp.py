"""Encrypted media (SRTP, RFC 3711) with keys in the session description (SDES, RFC 4568).

``mandatory`` promises that nobody on the way can listen. The keys travel in SIP, so it is only kept over TLS: a line
that asks for it over UDP or TCP is refused. ``optional`` promises nothing and takes what the far end can do.
"""

from __future__ import annotations

import re
from typing import Any

from pjsua2 import pjsua2 as pj

MODES = ("off", "optional", "mandatory")

PJSIP_USE = {
    "off": pj.PJMEDIA_SRTP_DISABLED,
    "optional": pj.PJMEDIA_SRTP_OPTIONAL,
    "mandatory": pj.PJMEDIA_SRTP_MANDATORY,
}
_ACTIVE = re.compile(r"\bSRTP status: Active\b")


def secure_signalling(mode: str) -> int:
    """PJSIP's ``srtpSecureSignaling``: 1 when SIP must be over TLS."""
    return 1 if mode == "mandatory" else 0


def encrypted(call: Any) -> bool:
    """Whether the media of this ``pjsua2.Call`` is SRTP now. Engine thread.

    pjsua2 tells the profile of the session description only, which is the plain one for optional SRTP; what runs is
    told in PJSIP's description of the call.
    """
    try:
        return _ACTIVE.search(call.dump(True, "")) is not None
    except pj.Error:
        return False
