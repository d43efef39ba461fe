"""What is recorded and how: the policy as the recorder understands it."""

from __future__ import annotations

from dataclasses import dataclass, field

MODES = ("automatic", "voice", "manual")
CODECS = ("opus", "flac")
DEFAULT_BIT_RATES = {8000: 37_000, 16000: 48_000}
MAX_SEGMENTS = 1000
"""Of one recording. When so many cuts are made, a ``voice`` recording goes on to the end of the call uncut."""
MAX_LOOK_BACK_S = 300.0


class NotAllowed(Exception):
    """The policy does not allow it; ``code``: ``not_allowed``, ``unknown_reason``, ``no_recording``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class RecordingRules:
    """Given with each recording; the default records everything, whoever asks.

    A mode or codec that is not known counts as the default: a mistake in a policy must not cost a recording.
    """

    mode: str = "automatic"
    """``automatic``: the whole call; ``voice``: while somebody speaks; ``manual``: from when it is asked for."""
    codec: str = "opus"
    """``opus`` or ``flac`` (lossless)."""
    bit_rates: dict[int, int] = field(default_factory=lambda: dict(DEFAULT_BIT_RATES))
    """Of Opus, both channels together, bit/s by sample rate in Hz."""
    look_back_s: float = 0.0
    """``manual``: how much of the call before the demand is taken in, seconds."""
    pre_roll_ms: int = 500
    """``voice``: kept from before the voice."""
    hang_over_ms: int = 2000
    """``voice``: kept after it."""
    pause_reasons: tuple[str, ...] = ()
    """Reasons for which a recording may be paused; none, and it may not be."""
    pause_limit_s: int = 0
    """The longest pause, after which it goes on by itself."""
    policy_sha256: str = ""
    """Of the signed policy that this comes from; empty for the default."""

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            object.__setattr__(self, "mode", "automatic")
        if self.codec not in CODECS:
            object.__setattr__(self, "codec", "opus")

    def bit_rate(self, rate: int) -> int:
        """Opus's bits a second for audio of ``rate``, both channels together."""
        default = DEFAULT_BIT_RATES.get(rate, DEFAULT_BIT_RATES[16000])
        return min(256_000, max(12_000, self.bit_rates.get(rate, default)))
