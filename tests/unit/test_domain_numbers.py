"""Telephone numbers as received and typed, as kept, and what is known of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_desktop.domain.numbers import NumberPlan, clean, tail

plan = NumberPlan("CN")
shanghai = NumberPlan("CN", "021", "9")
MOBILE = "+8613800006021"
BEIJING = "+861088887777"


@pytest.mark.parametrize(
    "text",
    [
        "13800006021",
        "013800006021",
        "+8613800006021",
        "008613800006021",
        "8613800006021",
        "138 0000 6021",
        "138-0000-6021",
        "138.0000.6021",
        "138 0000-6021",
        "138—0000—6021",
        "138−0000‑6021",
        "（138）00006021",
        "１３８００００６０２１",
        "＋８６ １３８－００００－６０２１",
        "+86 (0) 138 0000 6021",
        "86-138-0000-6021",
        "(86)13800006021",
        "tel:+86-138-0000-6021",
        "手机：13800006021",
        "联系电话 138 0000 6021",
        "\u202d138\u00a00000\u00a06021\u202c",
        "\ufeff13800006021\u200b",
        "1795113800006021",
        "12593 13800006021",
        " 13800006021\t",
    ],
)
def test_every_form_of_a_mobile_is_one_number(text: str) -> None:
    number = plan.read(text)
    assert (number.kept, number.kind, number.extension) == (MOBILE, "mobile", "")


@pytest.mark.parametrize(
    "text",
    [
        "01088887777",
        "010-88887777",
        "010 8888 7777",
        "(010) 8888-7777",
        "（010）88887777",
        "1088887777",
        "+861088887777",
        "+86 10 8888 7777",
        "+86 (0)10 8888 7777",
        "+8601088887777",
        "0086-10-8888-7777",
        "86-10-88887777",
        "座机:010-88887777",
    ],
)
def test_every_form_of_a_landline_is_one_number(text: str) -> None:
    number = plan.read(text)
    assert (number.kept, number.kind, number.extension) == (BEIJING, "landline", "")


@pytest.mark.parametrize(
    ("text", "kept", "extension"),
    [
        ("010-88887777-8001", BEIJING, "8001"),
        ("01088887777转8001", BEIJING, "8001"),
        ("010-88887777 转 8001", BEIJING, "8001"),
        ("010-88887777转分机8001", BEIJING, "8001"),
        ("010-88887777 分机：801", BEIJING, "801"),
        ("(010)88887777 ext. 8001", BEIJING, "8001"),
        ("010-88887777 Ext8001", BEIJING, "8001"),
        ("010-88887777x12", BEIJING, "12"),
        ("01088887777#8001", BEIJING, "8001"),
        ("01088887777,8001", BEIJING, "8001"),
        ("+861088887777;ext=8001", BEIJING, "8001"),
        ("０１０－８８８８７７７７－８００１", BEIJING, "8001"),
        ("400-800-1234-8", "+864008001234", "8"),
        ("400-800-1234转805", "+864008001234", "805"),
        ("0571-88887777-1", "+8657188887777", "1"),
        ("13800006021-2", MOBILE, "2"),
    ],
)
def test_an_extension_behind_a_number_is_told_apart(text: str, kept: str, extension: str) -> None:
    number = plan.read(text)
    assert (number.kept, number.extension) == (kept, extension)


@pytest.mark.parametrize(
    ("text", "kept", "kind"),
    [
        ("65551234", "+862165551234", "landline"),
        ("6555-1234", "+862165551234", "landline"),
        ("６５５５１２３４", "+862165551234", "landline"),
        ("6555 1234转8001", "+862165551234", "landline"),
        ("02165551234", "+862165551234", "landline"),
        ("01088887777", BEIJING, "landline"),
        ("96596551", "96596551", "service"),
        ("10101234", "+8610101234", "service"),
        ("913800006021", MOBILE, "mobile"),
        ("9013800006021", MOBILE, "mobile"),
        ("965551234", "+862165551234", "landline"),
        ("995588", "95588", "service"),
        ("9110", "9110", "extension"),
        ("8001", "8001", "extension"),
    ],
)
def test_a_line_completes_local_numbers_and_takes_off_its_outside_prefix(text: str, kept: str, kind: str) -> None:
    number = shanghai.read(text)
    assert (number.kept, number.kind) == (kept, kind)


def test_without_an_area_code_a_local_number_stays_as_it_is() -> None:
    assert plan.kept("6555-1234") == "65551234"
    assert plan.read("6555-1234").kind == "unknown"


@pytest.mark.parametrize(
    ("text", "kept", "kind"),
    [
        ("400-800-1234", "+864008001234", "service"),
        ("4008001234", "+864008001234", "service"),
        ("800 810 1234", "+868008101234", "service"),
        ("168 00001", "+8616800001", "premium"),
        ("95588", "95588", "service"),
        ("9 5 5 8 8", "95588", "service"),
        ("12345", "12345", "service"),
        ("10086", "10086", "service"),
        ("12306", "12306", "service"),
        ("12580", "12580", "service"),
        ("96110", "96110", "service"),
        ("962288", "962288", "service"),
        ("114", "114", "service"),
        ("110", "110", "emergency"),
        ("120", "120", "emergency"),
        ("1001", "1001", "extension"),
        ("8888", "8888", "extension"),
        ("*72", "*72", "extension"),
        ("*98#1001", "*98#1001", "extension"),
        ("+1 202-555-0123", "+12025550123", "international"),
        ("0012025550123", "+12025550123", "international"),
        ("00852 2345 6789", "+85223456789", "international"),
        ("+44 (0)20 7946 0958", "+442079460958", "international"),
        ("+886 912 345 678", "+886912345678", "international"),
    ],
)
def test_what_a_number_is(text: str, kept: str, kind: str) -> None:
    number = plan.read(text)
    assert (number.kept, number.kind) == (kept, kind)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "anonymous",
        "telephone",
        "sip:alice@example.com",
        "13800006021;phone-context=x",
        "1380000602",
        "138000060211",
        "+86138",
        "+999123456789",
        "9" * 30,
        "转8001",
        "，，",
    ],
)
def test_what_is_no_number_is_kept_as_received(text: str) -> None:
    number = plan.read(text)
    assert (number.e164, number.kind, number.kept) == ("", "unknown", clean(text))


@pytest.mark.parametrize("region", ["GB", "US", "HK"])
def test_other_regions_have_their_own_rules(region: str) -> None:
    here = {"GB": "020 7946 0958", "US": "(202) 555-0123", "HK": "2345 6789"}[region]
    number = NumberPlan(region).read(here)
    assert (number.kind, number.e164 != "") == ("landline", True)
    assert NumberPlan(region).read("+8613800006021").kind == "international"


def test_tail_tells_two_forms_to_be_the_same() -> None:
    assert tail("+8613800006021") == tail("13800006021") == "800006021"
    assert tail("1001") == ""


ODD = st.text(alphabet="0123456789+-()*# .,;:—－转分机ext０９１３８８（）\u202d\u00a0", max_size=30)


@given(st.one_of(st.text(max_size=40), ODD), st.sampled_from([plan, shanghai, NumberPlan("GB")]))
def test_no_text_makes_it_fail_and_reading_again_changes_nothing(text: str, reader: NumberPlan) -> None:
    number = reader.read(text)
    assert reader.kept(number.kept) == number.kept
    assert number.extension == "" or number.extension.isdigit()


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.sampled_from(["", "0", "+86", "0086", "86", "+86 0"]))
def test_prefixes_do_not_change_whose_mobile_it_is(text: str, prefix: str) -> None:
    assert plan.kept(prefix + text) == plan.kept(text) or not plan.e164(text)


@given(st.from_regex(r"0(10|2[0-57-9])[2-8][0-9]{7}", fullmatch=True), st.from_regex(r"[0-9]{1,6}", fullmatch=True))
def test_any_landline_with_any_extension(number: str, extension: str) -> None:
    whole = plan.read(number)
    for text in (f"{number}转{extension}", f"{number} ext.{extension}", f"{number}-{extension}"):
        read = plan.read(text)
        assert not whole.e164 or (read.e164, read.extension) == (whole.e164, extension)
