"""Telephone numbers as received, as kept and as dialled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_desktop.domain.numbers import NumberPlan, tail

plan = NumberPlan("CN")


@pytest.mark.parametrize(
    "text",
    [
        "13800006021",
        "013800006021",
        "+8613800006021",
        "008613800006021",
        "8613800006021",
        "138 0000-6021",
        "１３８００００６０２１",
    ],
)
def test_every_form_of_a_mobile_is_one_number(text: str) -> None:
    assert plan.kept(text) == "+8613800006021"


@pytest.mark.parametrize("text", ["01088887777", "+861088887777", "00861088887777", "(010) 8888-7777"])
def test_every_form_of_a_landline_is_one_number(text: str) -> None:
    assert plan.kept(text) == "+861088887777"


@pytest.mark.parametrize(
    ("number", "dialled"),
    [
        ("+8613800006021", "13800006021"),
        ("+861088887777", "01088887777"),
        ("013800006021", "13800006021"),
        ("+12025550123", "0012025550123"),
        ("1001", "1001"),
        ("95588", "95588"),
        ("*72", "*72"),
    ],
)
def test_dials_in_the_form_of_the_region(number: str, dialled: str) -> None:
    assert plan.dialled(number) == dialled


@pytest.mark.parametrize(
    "text", ["", "anonymous", "sip:alice@example.com", "1", "13800006021;phone-context=x", "9" * 30]
)
def test_what_is_no_number_is_not_dialled(text: str) -> None:
    assert plan.dialled(text) == ""


@pytest.mark.parametrize("text", ["anonymous", "1001", "95588"])
def test_what_is_no_subscribers_number_is_kept_as_received(text: str) -> None:
    assert plan.e164(text) == ""
    assert plan.kept(text) == text


def test_tail_tells_two_forms_to_be_the_same() -> None:
    assert tail("+8613800006021") == tail("13800006021") == "800006021"
    assert tail("1001") == ""


@given(st.text(max_size=40))
def test_no_text_makes_it_fail(text: str) -> None:
    plan.kept(text)
    assert all(c in "0123456789*#" for c in plan.dialled(text))


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_dialling_what_was_kept_reaches_the_same_number(text: str) -> None:
    assert plan.kept(plan.dialled(plan.kept(text))) == plan.kept(text)
