"""What people read: masks, amounts, times, words for every code, places."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from agent_desktop.domain.models import (
    ContactState,
    Direction,
    Money,
    Outcome,
    PromiseState,
    Relation,
    Role,
    TimelineKind,
)
from agent_desktop.domain.number_places import NumberPlace
from agent_desktop.services.calls import CallView
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.ui import format as fmt
from agent_desktop.ui import recording_text, terms
from agent_desktop.ui.language import apply_language
from agent_desktop.ui.places import Places, place, region
from agent_desktop.ui.problems import problem_text, sentence


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+8613801016021", "138****6021"),
        ("+861088888877", "010****8877"),
        ("+8675588888877", "0755****8877"),
        ("01088888877", "010****8877"),
        ("13801016021", "138****6021"),
        ("+12025550123", "+12****0123"),
        ("95588", "95588"),
        ("1001", "1001"),
        ("8881234", "****34"),
        ("anonymous", "****"),
        ("", ""),
    ],
)
def test_numbers_are_masked(number: str, shown: str) -> None:
    assert fmt.masked(number) == shown


@given(st.text(alphabet="+0123456789 -abc", max_size=24))
def test_a_mask_never_shows_more_than_seven_digits_of_a_subscriber(number: str) -> None:
    digits = [c for c in number if c.isdigit()]
    shown = [c for c in fmt.masked(number) if c.isdigit()]
    assert len(shown) <= 8
    if len(digits) > 5:
        assert "****" in fmt.masked(number)


def test_money() -> None:
    assert fmt.money(Money(1_846_237)) == "¥18,462.37"
    assert fmt.money(Money(300_000), cents=False) == "¥3,000"
    assert fmt.money(Money(300_050), cents=False) == "¥3,000.50"
    assert fmt.money(Money(-5)) == "-¥0.05"
    assert fmt.money(Money(100, "USD")) == "$1.00"
    assert fmt.money(Money(100, "XYZ")) == "XYZ 1.00"


def test_clock() -> None:
    assert [fmt.clock(s) for s in (-1, 0, 207.9, 3729)] == ["00:00", "00:00", "03:27", "1:02:09"]


def test_times_of_today_other_days_and_other_years(qapp: QApplication) -> None:
    now = datetime(2026, 11, 23, 14, 6).astimezone()
    assert fmt.when(now.astimezone(UTC), now) == "Today 14:06"
    assert fmt.when(now - timedelta(days=3), now) == "11-20 14:06"
    assert fmt.when(now + timedelta(days=1), now) == "Tomorrow 14:06"
    assert fmt.when(now - timedelta(days=400), now) == "2025-10-19 14:06"
    assert fmt.day(date(2026, 11, 25), now.date()) == "11-25 Wed"
    assert fmt.day(date(2026, 11, 23), now.date()) == "today"
    apply_language(qapp, "zh_CN")
    assert fmt.when(now, now) == "今天 14:06"
    assert fmt.day(date(2026, 11, 25), now.date()) == "11-25 周三"


@pytest.mark.parametrize("lang", ["en", "zh_CN"])
def test_every_code_has_a_word_of_its_own(qapp: QApplication, lang: str) -> None:
    apply_language(qapp, lang)  # type: ignore[arg-type]
    groups = [
        [terms.outcome_text(o) for o in Outcome],
        [terms.relation_text(r) for r in Relation],
        [terms.contact_state_text(s) for s in ContactState],
        [terms.role_text(r) for r in Role],
        [terms.timeline_text(k) for k in TimelineKind],
        [terms.promise_state_text(s) for s in PromiseState],
    ]
    for words in groups:
        assert len(set(words)) == len(words)
        assert all(words)
        assert lang == "en" or all(not w.isascii() or w == "QA" for w in words)


@pytest.mark.parametrize("lang", ["en", "zh_CN"])
def test_every_problem_has_one_sentence(qapp: QApplication, lang: str) -> None:
    apply_language(qapp, lang)  # type: ignore[arg-type]
    sentences = {p: problem_text(p) for p in Problem}
    assert len(set(sentences.values())) == len(Problem)
    end = "." if lang == "en" else "。"
    assert all(s.endswith(end) for s in sentences.values())


def test_what_is_not_ours_shows_no_detail() -> None:
    assert sentence(OSError("/home/liting/13801016021")) == problem_text(Problem.UNEXPECTED)
    assert "token" not in sentence(DeskError(Problem.SERVER_ERROR, "token abc"))


HOME = NumberPlace("江苏省连云港市", "Lianyungang, Jiangsu", "中国移动", "China Mobile", "mobile", True)
CAPITAL = NumberPlace("北京市", "Beijing", kind="landline", valid=True)


def test_home_location_is_put_short(qapp: QApplication) -> None:
    assert (place(HOME), region(HOME)) == ("Lianyungang · Mobile", "Lianyungang")
    apply_language(qapp, "zh_CN")
    assert (place(HOME), region(HOME)) == ("江苏 连云港 移动", "江苏 连云港")
    assert (place(CAPITAL), place(NumberPlace()), place(None)) == ("北京", "", "")
    assert region(NumberPlace("广西壮族自治区南宁市")) == "广西 南宁"
    assert region(NumberPlace("新疆乌鲁木齐市")) == "新疆 乌鲁木齐"
    assert region(NumberPlace("内蒙古呼和浩特市")) == "内蒙古 呼和浩特"
    assert region(NumberPlace("西藏自治区")) == "西藏"
    assert region(NumberPlace("吉林省吉林市")) == "吉林 吉林"


def test_places_answer_later_and_then_from_memory(qtbot: QtBot, qapp: QApplication) -> None:
    apply_language(qapp, "zh_CN")
    asked: list[str] = []

    def find(number: str) -> NumberPlace:
        asked.append(f"{number} {threading.current_thread() is threading.main_thread()}")
        return HOME

    places = Places(find)
    with qtbot.waitSignal(places.changed, timeout=10_000):
        assert places.line("+8613812346021") == ""
    assert places.line("+8613812346021") == "江苏 连云港 移动"
    assert places.city("+8613812346021") == "江苏 连云港"
    apply_language(qapp, "en")
    assert places.line("+8613812346021") == "Lianyungang · Mobile"
    assert places.city("1001") == ""
    assert asked == ["+8613812346021 False"]


@pytest.mark.parametrize(
    ("state", "recording", "said"),
    [
        ("active", "recording", "Recording · two channels · sealed to 03:27"),
        ("ended", "recording", "Recorded · two channels · sealed to 03:27"),
        ("ended", "sealed", "Recording sealed · 03:27"),
        ("ended", "failed", "This call is not being recorded"),
        ("dialing", "", ""),
    ],
)
def test_a_call_that_has_ended_is_not_said_to_be_recording(state: str, recording: str, said: str) -> None:
    started = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
    view = CallView(
        "id", Direction.OUTBOUND, "+8613801016021", state, started, recording_state=recording, sealed_ms=207_000
    )
    assert recording_text.standing(view)[0] == said
