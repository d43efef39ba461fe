"""What is recorded and how: the policy as the recorder understands it."""

from __future__ import annotations

from dataclasses import dataclass, field

MODES = ("automatic", "voice", "manual")
CODECS = ("opus", "flac")
DEFAULT_BIT_RATES = {8000: 40_000, 16000: 48_000}


@dataclass(frozen=True, slots=True)
class RecordingRules:
    """Given with each recording; the default records everything, whoever asks."""

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
