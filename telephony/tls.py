"""Certificates of SIP servers over TLS: what is wrong with one, and whether it bears the right name. No pjsua2 here.

The name of a server whose line has no ``tls_name`` is checked by PJSIP against the host of ``peer`` (RFC 5922, 7.2).
Where a ``tls_name`` is given PJSIP cannot know it, so it is checked here, while PJSIP holds back what is to be sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from telephony.names import is_numeric

EXPIRED = "certificate_expired"
UNTRUSTED = "certificate_untrusted"
WRONG_NAME = "certificate_wrong_name"
FAILED = "tls_failed"

_VALIDITY = 4  # PJ_SSL_CERT_EVALIDITY_PERIOD
_IDENTITY = 1 << 30  # PJ_SSL_CERT_EIDENTITY_NOT_MATCH
_FLAGS = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Security:
    """What a connection must prove. Connections are shared by those of the same security alone."""

    authorities: str = ""
    """PEM file of who is trusted; empty for nobody."""
    name: str = ""
    """Name that the server's certificate must bear."""
    named_elsewhere: bool = False
    """This is not the host of the server's URI: the name is checked here and not by PJSIP."""


@dataclass(frozen=True, slots=True)
class PeerCertificate:
    """What PJSIP says of a server's certificate after the handshake."""

    flags: int
    """``PJ_SSL_CERT_*``; 0 when PJSIP finds nothing wrong."""
    names: tuple[str, ...]
    """DNS names, addresses and SIP URIs of its subject alternative names."""
    common_name: str


def problem_of(flags: int) -> str:
    """The line's ``problem`` for PJSIP's verification flags; empty when there is none.

    A chain that cannot be trusted is worse than one that is too old, and that worse than a wrong name.
    """
    flags &= _FLAGS
    if flags & ~(_VALIDITY | _IDENTITY):
        return UNTRUSTED
    if flags & _VALIDITY:
        return EXPIRED
    return WRONG_NAME if flags & _IDENTITY else ""


def verify(certificate: PeerCertificate, wanted: Iterable[str]) -> str:
    """The problem of a certificate that must bear every one of these names; empty when it is good.

    Without a name that is wanted it is refused.
    """
    chain = problem_of(certificate.flags & ~_IDENTITY)
    if chain:
        return chain
    names = set(wanted)
    good = bool(names) and all(bears(certificate, name) for name in names)
    return "" if good else WRONG_NAME


def bears(certificate: PeerCertificate, name: str) -> bool:
    """Whether the certificate is this host's. No wildcards, and the common name only without others (RFC 5922, 7.1)."""
    wanted = _plain(name)
    if not wanted:
        return False
    if certificate.names:
        return any(_host(entry) == wanted for entry in certificate.names)
    return not is_numeric(wanted) and _plain(certificate.common_name) == wanted


def _host(entry: str) -> str:
    scheme, _, rest = entry.partition(":")
    if scheme.lower() in ("sip", "sips"):  # a URI that names a user is not a host's
        return "" if "@" in rest else _plain(rest.split(";")[0])
    return _plain(entry)


def _plain(name: str) -> str:
    return name.strip().strip("[]").rstrip(".").lower()


@dataclass(frozen=True, slots=True)
class Connection:
    """A TCP or TLS connection that PJSIP made, or could not make."""

    handle: int
    kind: str
    """``tcp`` or ``tls``."""
    remote: str
    """``address:port``; empty when PJSIP does not say."""
    up: bool
    problem: str = ""
    """As ``LineState.problem``: why TLS did not come about."""


def expected_names(remote: str, known: Sequence[tuple[tuple[str, ...], int, str]]) -> set[str]:
    """Names that the server at ``remote`` must bear: of (addresses, port, name), those whose address this is."""
    address, _, port = remote.rpartition(":")
    bare = address.strip("[]")
    return {name for addresses, its_port, name in known if bare in addresses and port == str(its_port)}
