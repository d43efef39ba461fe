"""Words for what is heard: a call's quality, its alarms, and the sound devices."""

from __future__ import annotations

from agent_desktop.services.call_views import QualityView
from agent_desktop.services.phone import AudioView
from agent_desktop.ui.language import translate
from agent_desktop.ui.theme import Tone

GOOD_MOS, FAIR_MOS = 4.0, 3.6
"""ITU-T G.107 Annex B: satisfied from 4.03 (R = 80); below 3.60 (R = 70) many users are dissatisfied."""

_CODECS = {"G722": "G.722", "PCMA": "G.711 A", "PCMU": "G.711 µ"}


def codec(name: str) -> str:
    """``G722/8000`` as people write it."""
    short = name.split("/")[0]
    return _CODECS.get(short, short)


def quality_word(mos: float) -> tuple[str, Tone]:
    """Good, fair or poor for a mean opinion score; empty while it is not known (negative)."""
    if mos < 0:
        return "", Tone.GREY
    if mos >= GOOD_MOS:
        return translate("Sound", "Line good"), Tone.OK
    if mos >= FAIR_MOS:
        return translate("Sound", "Line fair"), Tone.WARN
    return translate("Sound", "Line poor"), Tone.BAD


def quality(view: QualityView) -> tuple[str, Tone]:
    """The word, the score and the codec."""
    word, tone = quality_word(view.mos)
    score = f"MOS {view.mos:.1f}" if view.mos >= 0 else ""
    return " · ".join(part for part in (word, score, codec(view.codec)) if part), tone


def figures(view: QualityView) -> str:
    """Loss both ways, jitter and round trip, as far as they are known."""
    loss = translate("Sound", "loss {received} in, {sent} out").format(
        received=_percent(view.rx_loss_pct), sent=_percent(view.tx_loss_pct)
    )
    parts = [loss] if view.rx_loss_pct >= 0 or view.tx_loss_pct >= 0 else []
    if view.rx_jitter_ms >= 0:
        parts.append(translate("Sound", "jitter {n} ms").format(n=round(view.rx_jitter_ms)))
    if view.rtt_ms >= 0:
        parts.append(translate("Sound", "round trip {n} ms").format(n=round(view.rtt_ms)))
    return " · ".join(parts)


def _percent(value: float) -> str:
    if value < 0:
        return "–"
    return f"{value:.0f}%" if value >= 10 or value < 0.05 else f"{value:.1f}%"


ALARMS = ("no_rtp", "agent_silent", "far_silent", "agent_clipping", "far_clipping")
"""Kinds of ``CallAlarm``, the gravest first."""


def alarm(kind: str) -> str:
    """What is wrong with a call's sound, and what to do."""
    return {
        "no_rtp": translate(
            "Sound", "Nothing arrives from the other side. Ask whether they hear you; if not, hang up and dial again."
        ),
        "agent_silent": translate(
            "Sound", "They cannot hear you: your microphone is silent. Check the headset's mute switch and its plug."
        ),
        "far_silent": translate("Sound", "Nothing is heard from the other side. Ask whether they are still there."),
        "agent_clipping": translate(
            "Sound", "You are too loud and sound distorted. Move the microphone a little away."
        ),
        "far_clipping": translate("Sound", "The other side is too loud and sounds distorted. Turn your speaker down."),
    }.get(kind, translate("Sound", "The sound of this call has a problem."))


def device(name: str) -> str:
    """A device's name; the system's default has none."""
    return name or translate("Sound", "System default")


def audio(view: AudioView) -> tuple[str, Tone]:
    """What is wrong with the sound devices, in a sentence; empty while they are well."""
    if view.fallback:
        said = translate("Sound", "The chosen headset has gone; {device} stands in until it is plugged in again.")
        return said.format(device=view.microphone or view.description or device("")), Tone.WARN
    return audio_problem(view.problem), Tone.BAD


def audio_problem(code: str) -> str:
    """A sentence for ``AudioState.problem``."""
    return {
        "": "",
        "no_such_device": translate("Sound", "The chosen headset is not there: plug it in or choose another."),
        "device_lost": translate("Sound", "The headset was unplugged. Plug it in again; a call goes on meanwhile."),
        "device_busy": translate("Sound", "The headset is used by another program."),
        "no_sound_card": translate("Sound", "This computer has no sound card: nothing can be heard."),
    }.get(code, translate("Sound", "The headset has a problem."))
