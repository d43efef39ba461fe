"""Who sits where in the lab."""

from __future__ import annotations

from dataclasses import dataclass

HOST = "127.0.0.1"
CARRIER_HOST = "127.0.0.2"
"""Another address of loopback, since a carrier is known by its address."""


@dataclass(frozen=True, slots=True)
class Seat:
    """An extension, as ``pjsip_seats.conf`` and Kamailio's tables want it."""

    user: str
    password: str
    transport: str = "udp"
    """``udp``, ``tcp``, or ``tls``, which has SRTP as well."""
    lead: bool = False
    numbers: str = ""
    """Its direct numbers with a space between; the first is what debtors are shown."""

    @property
    def secure(self) -> bool:
        return self.transport == "tls"

    @property
    def words(self) -> dict[str, str]:
        """What ``pjsip_seats.conf`` asks for."""
        return {
            "SEAT": self.user,
            "PASSWORD": self.password,
            "KIND": {"udp": "seat", "tcp": "seat-tcp", "tls": "seat-secure"}[self.transport],
            "CONTEXT": "leads" if self.lead else "seats",
            "NUMBERS": self.numbers,
        }


SEATS = (
    Seat("1001", "one's long password", numbers="02161234567 02161234568"),
    Seat("1002", "two's long password", numbers="02161234569"),
    Seat("1003", "three's long password"),
    Seat("1004", "four's long password"),
    Seat("1005", "five's long password", transport="tcp"),
    Seat("1101", "first secure password", transport="tls", numbers="02161234571"),
    Seat("1102", "second secure password", transport="tls", numbers="02161234572"),
    Seat("1103", "third secure password", transport="tls"),
    Seat("1900", "the lead's long password", lead=True),
)
BY_USER = {seat.user: seat for seat in SEATS}
