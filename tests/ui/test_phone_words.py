"""Every code of the line process has words of its own in both languages; the codes are read from the contract."""

from __future__ import annotations

import inspect
import re

import pytest
from PySide6.QtWidgets import QApplication

from agent_desktop.services.call_views import QualityView, TransferView
from agent_desktop.services.phone import AudioView, LineView
from agent_desktop.ui import line_text, places, sound_text, terms
from agent_desktop.ui.collector import call_text
from agent_desktop.ui.language import apply_language
from agent_desktop.ui.theme import Tone
from telephony.messages import call_events, events

LANGUAGES = ["en", "zh_CN"]


def codes(module: object, beginning: str) -> list[str]:
    """The ``codes`` that the contract lists in the sentence that begins so."""
    source = inspect.getsource(module)  # type: ignore[arg-type]
    sentence = source[source.index(beginning) + len(beginning) :].split('"""')[0]
    return re.findall(r"``(\w+)``", re.split(r"\.\s", sentence)[0])


PROBLEMS = codes(events, "Why it is not registered:")
ALARMS = codes(call_events, "``kind``:")
AUDIO = codes(events, '"""The headset. ``problem``:')
CAUSES = codes(call_events, "``cause``:")


def test_the_contract_is_read() -> None:
    assert len(PROBLEMS) == 12
    assert set(ALARMS) == set(sound_text.ALARMS)
    assert {"device_lost", "no_sound_card"} <= set(AUDIO)
    assert {"transferred", "line_lost"} <= set(CAUSES)


def good(words: list[str], language: str) -> None:
    """All there, all different, all in the language."""
    assert all(words)
    assert len(set(words)) == len(words)
    if language == "zh_CN":
        assert all(re.search(r"[一-鿿]", word) for word in words), words
    else:
        assert not [word for word in words if re.search(r"[一-鿿]", word)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_problem_of_a_line_has_a_word_and_a_sentence(qapp: QApplication, language: str) -> None:
    apply_language(qapp, language)  # type: ignore[arg-type]
    lines = [LineView("l", "1001", "failed", problem=problem, sip_code=403) for problem in PROBLEMS]
    good([line_text.reason(problem) for problem in PROBLEMS], language)
    good([line_text.sentence(line) for line in lines], language)
    assert line_text.reason("news of tomorrow") not in {line_text.reason(problem) for problem in PROBLEMS}
    assert all(line_text.tone(line) is Tone.BAD for line in lines)
    assert not [problem for problem in ("unreachable", "no_network") if "403" in line_text.sentence(_failed(problem))]
    assert "403" in line_text.sentence(_failed("locked"))


def _failed(problem: str) -> LineView:
    return LineView("l", "1001", "failed", problem=problem, sip_code=403)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_of_a_line_has_a_word(qapp: QApplication, language: str) -> None:
    apply_language(qapp, language)  # type: ignore[arg-type]
    states = ["ready", "registered", "registering", "removed", "away"]
    good([line_text.state(LineView("l", "1001", state)) for state in states], language)
    assert line_text.sentence(LineView("l", "1001", "registered")) == ""
    assert line_text.registrar(LineView("l", "1001", "failed", registrar="backup")) == ""


def test_the_worst_line_is_spoken_of() -> None:
    well, spare = LineView("a", "1", "registered"), LineView("b", "2", "registered", registrar="backup")
    trying, failed = LineView("c", "3", "registering"), LineView("d", "4", "failed", problem="locked")
    assert line_text.worst([well, spare, trying, failed]) is failed
    assert line_text.worst([well, spare, trying]) is trying
    assert line_text.worst([well, spare]) is spare
    assert line_text.worst([]) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_alarm_and_problem_of_the_sound_has_a_sentence(qapp: QApplication, language: str) -> None:
    apply_language(qapp, language)  # type: ignore[arg-type]
    good([sound_text.alarm(kind) for kind in ALARMS], language)
    good([sound_text.audio_problem(problem) for problem in AUDIO], language)
    assert sound_text.audio(AudioView("device", "Jabra")) == ("", Tone.BAD)
    said, tone = sound_text.audio(AudioView("device", "Jabra", "device_lost", microphone="Webcam", fallback=True))
    assert "Webcam" in said
    assert tone is Tone.WARN


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cause_and_transfer_has_words(qapp: QApplication, language: str) -> None:
    apply_language(qapp, language)  # type: ignore[arg-type]
    good([terms.cause_text(cause) for cause in CAUSES], language)
    said = [call_text.transfer(TransferView("c", "1002", state, 486))[0] for state in ("trying", "ringing", "done")]
    said += [call_text.transfer(TransferView("c", "1002", "failed", code))[0] for code in (486, 404, 603, 408, 503, 0)]
    assert len(set(said)) == len(said)
    long = call_text.transfer(TransferView("c", "+8613801016021", "trying"))[0]
    assert "138****6021" in long


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_number_has_a_word(qapp: QApplication, language: str) -> None:
    apply_language(qapp, language)  # type: ignore[arg-type]
    kinds = ["mobile", "landline", "service", "premium", "emergency", "extension", "international"]
    good([places.kind(places.NumberPlace(kind=kind)) for kind in kinds], language)
    assert places.kind(places.NumberPlace(kind="unknown")) == ""


@pytest.mark.parametrize(
    ("mos", "tone"),
    [(4.5, Tone.OK), (4.0, Tone.OK), (3.99, Tone.WARN), (3.6, Tone.WARN), (3.59, Tone.BAD), (1.0, Tone.BAD)],
)
def test_quality_words_follow_the_e_model(mos: float, tone: Tone) -> None:
    assert sound_text.quality_word(mos)[1] is tone


def test_figures_leave_out_what_is_not_known(qapp: QApplication) -> None:
    view = QualityView("c", "PCMA", -1, -1, 12.3, 24, 4.2)
    assert sound_text.figures(view) == "loss – in, 12% out · round trip 24 ms"
    apply_language(qapp, "zh_CN")
    assert sound_text.figures(view) == "丢包 收 – 发 12% · 往返 24 ms"
    assert sound_text.quality(view)[0] == "线路良好 · MOS 4.2 · G.711 A"
