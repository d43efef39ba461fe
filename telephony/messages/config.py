"""Configuration that messages carry."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class LineConfig:
    """One SIP line. Without a registrar the line is direct: it dials ``sip:NUMBER@peer`` and is called at its port."""

    line_id: str
    display_name: str
    user: str
    peer: str
    """``host:port`` that calls are sent to: the registrar, the proxy, or the practice line."""
    register: bool = False
    auth_user: str = ""
    password: str = field(default="", repr=False)
    transport: str = "udp"
    """``udp``, ``tcp`` or ``tls``."""
    allowed_peers: tuple[str, ...] = ()
    """Hosts that may call in besides ``peer``'s and ``backup_peer``'s; empty means only theirs."""
    backup_peer: str = ""
    """``host:port`` of the back-up registrar; empty when there is none."""
    srtp: str = "off"
    """``off``, ``optional`` or ``mandatory`` (over TLS only); keys by SDES (RFC 4568)."""
    tls_ca_file: str = ""
    """PEM file of the authorities that this line trusts; empty for the process's."""
    tls_name: str = ""
    """Name that the peer's certificate must bear when ``peer`` is an address; empty for ``peer``'s host."""
    dtmf: str = "rfc4733"
    """``rfc4733`` or ``info`` (SIP INFO, ``application/dtmf-relay``)."""
    presented_number: str = ""
    """Number that the called party is to be shown, as P-Preferred-Identity (RFC 3325); empty for the line's own."""
    accept_any: bool = False
    """Policy: calls from any host may ring here, not only from configured ones."""
    session_timer_s: int = 1800
    """Session-Expires asked for (RFC 4028), in seconds, 90 at least; 0 for none unless the far end asks for it."""
    reliable_provisional: str = "supported"
    """PRACK (RFC 3262): ``supported``, ``required`` of whom we call, or ``off``, which only answers who insists."""


@dataclass(frozen=True, slots=True)
class AudioConfig:
    """Which headset. ``kind``: ``auto`` (sound card if there is one, else null), ``device``, ``files`` or ``null``."""

    kind: str = "auto"
    microphone: str = ""
    """Device name for ``device``; path of a WAV file for ``files``, played in a loop while a call is up."""
    speaker: str = ""
    """Device name for ``device``; path of the WAV file to write for ``files``, or empty."""
    ringer: str = ""
    """Device that rings, for ``device``; path of the WAV file to write for ``files``; empty to ring on the speaker."""


@dataclass(frozen=True, slots=True)
class LinePolicy:
    """What the server's policy says to the line process."""

    idle_exit_s: float = 60.0
    """Without a client and without a call for this many seconds, the process ends by itself."""
