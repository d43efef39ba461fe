"""What the engine is told when it is made."""

from __future__ import annotations

from dataclasses import dataclass

CODECS = ("G722", "PCMA", "PCMU")
"""Codecs in order of preference. The build's others have known memory bugs and stay off."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How SIP and the media bridge are set up."""

    local_host: str = "127.0.0.1"
    """Address that SIP and RTP are bound to; empty for every interface."""
    local_port: int = 0
    """SIP port over UDP and TCP; 0 for a free one."""
    user_agent: str = "AgentDesktop"
    log_path: str = ""
    """PJSIP's own trace with every SIP message. It holds personal data: for the lab only, empty in service."""
    codecs: tuple[str, ...] = CODECS
    rtp_port: int = 16384
    """First port for RTP; a random one of ``rtp_ports`` from here is taken."""
    rtp_ports: int = 16383
    tls_ca_file: str = ""
    """PEM file of the certificate authorities that TLS lines trust. PJSIP knows none by itself: empty refuses all."""
    monitor_wait_s: float = 30.0
    """How long a lead's hidden leg waits for the agent's next call before it is ended."""
    tones: bool = True
    """Somebody listens: ringing, ringback and failure tones are made. A simulated debtor wants none."""
    refusals: tuple[tuple[str, int], ...] = ()
    """Endings of dialled numbers, each with the SIP code that refuses such a call before it rings: the
    practice line's.
    """

    own_clock: bool = True
    """Our own thread turns the media bridge, where this build of PJSIP can be called past pjsua2."""

    def refusal(self, dialled: str) -> int:
        """The SIP code to refuse a call to this number with, or 0."""
        return next((code for ending, code in self.refusals if dialled.endswith(ending)), 0)

    @property
    def clock_rate(self) -> int:
        """Samples a second of the bridge: a seat without G.722 needs no wide band, and saves the resampling."""
        return 16000 if "G722" in self.codecs else 8000
