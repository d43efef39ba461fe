"""Amounts as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_desktop.domain.amounts import AmountError, parse_amount
from agent_desktop.domain.models import Money


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("3000", 300_000),
        ("3,000", 300_000),
        ("3000.5", 300_050),
        ("3000.05", 300_005),
        ("¥3,000.00", 300_000),
        ("￥ 3，000", 300_000),
        ("３０００．５元", 300_050),
        ("cny 12", 1_200),
        ("0.01", 1),
        ("1,234,567.89", 123_456_789),
        ("90071992547409.93"[-15:], 7_199_254_740_993),  # a float would round it
    ],
)
def test_reads_what_people_type(text: str, minor: int) -> None:
    assert parse_amount(text) == Money(minor)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "missing"),
        ("  ¥ ", "missing"),
        ("三千", "not_a_number"),
        ("3,00", "not_a_number"),
        ("3000,50", "not_a_number"),
        ("1.234", "not_a_number"),
        ("1e5", "not_a_number"),
        ("nan", "not_a_number"),
        ("٣٠٠٠", "not_a_number"),
        ("3000.", "not_a_number"),
        ("9" * 13, "not_a_number"),
        ("0", "not_positive"),
        ("0.00", "not_positive"),
        ("-5", "not_positive"),
    ],
)
def test_refuses_what_is_no_amount(text: str, code: str) -> None:
    with pytest.raises(AmountError) as caught:
        parse_amount(text)
    assert caught.value.code == code


@given(st.integers(1, 10**13), st.booleans())
def test_every_amount_survives_being_written(minor: int, grouped: bool) -> None:
    whole, cents = divmod(minor, 100)
    assert parse_amount(f"{whole:,}.{cents:02}" if grouped else f"{whole}.{cents:02}") == Money(minor)


@given(st.text(max_size=20))
def test_never_fails_in_another_way(text: str) -> None:
    try:
        assert parse_amount(text).minor > 0
    except AmountError as error:
        assert error.code in ("missing", "not_a_number", "not_positive")
