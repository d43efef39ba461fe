"""How a call sounds, estimated from the network's figures: the E-model of ITU-T G.107 (06/2015). Any thread.

Everything that a softphone does not know of the telephones at both ends has the default value of G.107, Table 2, so
what changes the rating here are delay, loss and codec. With nothing lost and no delay the rating is 93.2, a mean
opinion score (MOS) of 4.41.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

SLR, RLR = 8.0, 2.0
"""Send and receive loudness rating, dB."""
STMR, LSTR, D_S = 15.0, 18.0, 3.0
"""Sidetone masking rating, listener sidetone rating, dB; D-value of the telephone."""
TELR, WEPL = 65.0, 110.0
"""Talker echo loudness rating and weighted echo path loss, dB."""
QDU = 1.0
"""Quantisation distortion units."""
N_C, N_FOR = -70.0, -64.0
"""Circuit noise and noise floor, dBm0p."""
P_S, P_R = 35.0, 35.0
"""Room noise at both ends, dB(A)."""
M_T, S_T = 100.0, 1.0
"""Mean one-way delay sensitivity (Table 2 of G.107): what delay costs a conversation that is interactive."""


@dataclass(frozen=True, slots=True)
class Codec:
    """Equipment impairment factor ``ie`` and packet-loss robustness factor ``bpl``."""

    ie: float
    bpl: float


CODECS = {"PCMA": Codec(0.0, 25.1), "PCMU": Codec(0.0, 25.1), "G722": Codec(0.0, 25.1)}
"""ITU-T G.113 (11/2007), Appendix I: G.711 with packet loss concealment, losses at random (4.3 without concealment).

PJSIP conceals every lost frame of these codecs by its own method (WSOLA), for which nobody has published a factor; that
of G.711 Appendix I is the nearest. G.722 is rated as G.711, on the narrow-band scale: its wide band sounds better than
this scale can say (G.107.1 has one up to 129), and a seat's calls are to be comparable with each other.
"""


def rating(codec: str, loss_pct: float, delay_ms: float) -> float | None:
    """Transmission rating R, 0 to 100, of what is heard: None for a codec without published factors.

    ``loss_pct``: packets lost or discarded on arrival, at random (BurstR 1), in percent. ``delay_ms``: one way, mouth
    to ear. The advantage factor is 0.
    """
    known = CODECS.get(codec.upper())
    if known is None:
        return None
    r = _signal_to_noise() - _simultaneous(delay_ms) - _delay(delay_ms) - equipment(known, loss_pct)
    return min(100.0, max(0.0, r))


def equipment(codec: Codec, loss_pct: float, burst_ratio: float = 1.0) -> float:
    """Effective equipment impairment factor: codec and lost packets (G.107, 7.5)."""
    return codec.ie + (95 - codec.ie) * loss_pct / (loss_pct / burst_ratio + codec.bpl)


def mean_opinion_score(r: float) -> float:
    """MOS, 1 to 4.5, from the rating (G.107, Annex B)."""
    if r <= 0:
        return 1.0
    if r >= 100:
        return 4.5
    return max(1.0, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)


@cache
def _noise() -> float:
    """Sum of all noise at the 0 dBr point, dBm0p (7.2)."""
    at_sender = P_S - SLR - D_S - 100 + 0.004 * (P_S - (SLR + RLR) - D_S - 14) ** 2
    effective = P_R + 10 * math.log10(1 + math.pow(10, (10 - LSTR) / 10))
    at_receiver = RLR - 121 + effective + 0.008 * (effective - 35) ** 2
    levels = (N_C, at_sender, at_receiver, N_FOR + RLR)
    return 10 * math.log10(sum(math.pow(10, level / 10) for level in levels))


@cache
def _signal_to_noise() -> float:
    """Basic signal-to-noise ratio Ro (7.2)."""
    return 15 - 1.5 * (SLR + _noise())


def _simultaneous(t: float) -> float:
    """Is: what comes with the voice, too loud a connection, sidetone, quantisation (7.3)."""
    x = SLR + RLR + 0.2 * (64 + _noise() - RLR)
    loudness = 20 * (_root(8, x / 8) - x / 8)
    q = 37 - 15 * math.log10(QDU)
    g = 1.07 + 0.258 * q + 0.0602 * q**2
    y = (_signal_to_noise() - 100) / 15 + 46 / 8.4 - g / 9
    quantising = 15 * math.log10(1 + math.pow(10, y) + math.pow(10, 46 / 30 - g / 40))
    return loudness + _sidetone(t) + quantising


def _sidetone(t: float) -> float:
    s = -10 * math.log10(math.pow(10, -STMR / 10) + math.exp(-t / 4) * math.pow(10, -TELR / 10))
    near, middle, far = (_root(8, (s - 13) / 6), _root(35, (s + 1) / 19.4), _root(13, (s - 3) / 33))
    return 12 * near - 28 * middle - 13 * far + 29


def _delay(t: float) -> float:
    """Id: talker echo, listener echo, and too long a way (7.4); ``t`` one way in ms, twice that in the loop."""
    return _talker_echo(t) + _listener_echo(2 * t) + _too_long(t)


def _talker_echo(t: float) -> float:
    terv = TELR - 40 * math.log10((1 + t / 10) / (1 + t / 150)) + 6 * math.exp(-0.3 * t**2)
    without, with_echo = -1.5 * (_noise() - RLR), 80 + 2.5 * (terv - 14)
    half = (without - with_echo) / 2
    return (half + math.sqrt(half**2 + 100) - 1) * (1 - math.exp(-t))


def _listener_echo(loop: float) -> float:
    half = (_signal_to_noise() - 10.5 * (WEPL + 7) * math.pow(loop + 1, -0.25)) / 2
    return half + math.sqrt(half**2 + 169)


def _too_long(t: float) -> float:
    if t <= M_T:
        return 0.0
    x, s = math.log2(t / M_T), 6 * S_T
    return 25 * (_root(s, x) - 3 * _root(s, x / 3) + 2)


def _root(n: float, x: float) -> float:
    """The n-th root of 1 + x^n, a corner rounded off, of which the model is made."""
    return math.pow(1 + math.pow(x, n), 1 / n)
