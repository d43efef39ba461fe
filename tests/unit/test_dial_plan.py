"""What a line's PBX is sent, by the practice of Chinese PBXs; and where a number is at home."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_desktop.domain.dial_plan import CLASSES, DialPlan, NumberRefused, digits_for
from agent_desktop.domain.number_places import NumberPlace, NumberPlaces, place_of, same_city
from agent_desktop.domain.numbers import NumberPlan

plan = NumberPlan("CN")

PLAIN = DialPlan()
NINE = DialPlan(outside_prefix="9", extension_lengths=(4,))
SHANGHAI = DialPlan(area_code="021", outside_prefix="9", mobile_prefix="0", own_area_code=False)
NANNING = DialPlan(area_code="0771", mobile_prefix="0")
TRUNK = DialPlan(number_format="e164")
IMS = DialPlan(number_format="e164_digits", outside_prefix="0")
INSIDE = DialPlan(outside_prefix="9", allowed=("extension", "local"), area_code="021")
BRITISH = DialPlan(national_prefix="", international_prefix="00")
CARRIER_CODE = DialPlan(national_prefix="0", international_prefix="17909")

SHANGHAI_MOBILE, BEIJING_MOBILE = "13818881234", "13800006021"


def dialled(text: str, dial_plan: DialPlan, region: str = "CN") -> str:
    reader = NumberPlan(region, dial_plan.area_code, dial_plan.outside_prefix)
    return digits_for(reader.read(text), dial_plan)


@pytest.mark.parametrize(
    ("dial_plan", "number", "digits"),
    [
        # As a PBX without prefixes wants it.
        (PLAIN, "+8613800006021", "13800006021"),
        (PLAIN, "013800006021", "13800006021"),
        (PLAIN, "+861088887777", "01088887777"),
        (PLAIN, "010-88887777转8001", "01088887777"),
        (PLAIN, "+12025550123", "0012025550123"),
        (PLAIN, "4008001234", "4008001234"),
        (PLAIN, "95588", "95588"),
        (PLAIN, "110", "110"),
        (PLAIN, "1001", "1001"),
        (PLAIN, "60012", "60012"),
        (PLAIN, "*72", "*72"),
        (PLAIN, "65551234", "65551234"),
        # 9 for an outside line; extensions and star codes stay inside.
        (NINE, BEIJING_MOBILE, "913800006021"),
        (NINE, "913800006021", "913800006021"),
        (NINE, "01088887777", "901088887777"),
        (NINE, "+85223456789", "90085223456789"),
        (NINE, "95588", "995588"),
        (NINE, "110", "9110"),
        (NINE, "1001", "1001"),
        (NINE, "*98#1001", "*98#1001"),
        (NINE, "114", "9114"),
        (NINE, "60012", "960012"),
        # A line at home in Shanghai: local without area code, 0 before mobiles from elsewhere.
        (SHANGHAI, SHANGHAI_MOBILE, "913818881234"),
        (SHANGHAI, BEIJING_MOBILE, "9013800006021"),
        (SHANGHAI, "17012345678", "9017012345678"),  # whose home the tables do not know
        (SHANGHAI, "65551234", "965551234"),
        (SHANGHAI, "021-65551234", "965551234"),
        (SHANGHAI, "010-88887777", "901088887777"),
        (SHANGHAI, "400-800-1234", "94008001234"),
        (SHANGHAI, "12345", "912345"),
        (SHANGHAI, "010-12345", "901012345"),
        (SHANGHAI, "8001", "8001"),
        (SHANGHAI, "119", "9119"),
        # One area code, two cities.
        (NANNING, "07715551234", "07715551234"),
        (NANNING, BEIJING_MOBILE, "013800006021"),
        # Trunks that want E.164.
        (TRUNK, BEIJING_MOBILE, "+8613800006021"),
        (TRUNK, "+12025550123", "+12025550123"),
        (TRUNK, "95588", "95588"),
        (TRUNK, "1001", "1001"),
        (IMS, BEIJING_MOBILE, "08613800006021"),
        # IP carrier code for abroad.
        (CARRIER_CODE, "+12025550123", "1790912025550123"),
        (CARRIER_CODE, "010-88887777", "01088887777"),
    ],
)
def test_what_the_peer_is_sent(dial_plan: DialPlan, number: str, digits: str) -> None:
    assert dialled(number, dial_plan) == digits


@pytest.mark.parametrize(
    ("region", "number", "digits"),
    [
        ("GB", "+442079460958", "02079460958"),
        ("GB", "+447400123456", "07400123456"),
        ("US", "+12025550123", "2025550123"),
        ("GB", "+8613800006021", "008613800006021"),
    ],
)
def test_the_trunk_prefix_is_the_countrys_own(region: str, number: str, digits: str) -> None:
    assert dialled(number, BRITISH, region) == digits


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (BEIJING_MOBILE, "mobile"),
        ("010-88887777", "national"),
        ("400-800-1234", "service"),
        ("95588", "service"),
        ("16800001", "premium"),
        ("+12025550123", "international"),
        ("0085223456789", "international"),
        # What is no valid number must not get round the classes.
        ("00120255501", "international"),
        ("0108888", "national"),
    ],
)
def test_a_class_that_is_not_allowed_is_refused(number: str, kind: str) -> None:
    with pytest.raises(NumberRefused) as refused:
        dialled(number, INSIDE)
    assert refused.value.kind == kind
    assert number not in str(refused.value)


@pytest.mark.parametrize(
    ("number", "digits"),
    [("65551234", "902165551234"), ("1001", "1001"), ("110", "9110"), ("120", "9120"), ("*72", "*72")],
)
def test_what_is_allowed_goes_and_emergency_calls_always_go(number: str, digits: str) -> None:
    assert dialled(number, INSIDE) == digits


@pytest.mark.parametrize(
    "text", ["", "anonymous", "sip:alice@example.com", "1", "+999123456789", "9" * 30, "13800006021;x=y", "+86"]
)
def test_what_is_no_number_is_not_dialled(text: str) -> None:
    with pytest.raises(NumberRefused) as refused:
        dialled(text, PLAIN)
    assert refused.value.kind == ""


@pytest.mark.parametrize(("length", "digits"), [(3, "100"), (4, "9100"), (5, "12345"), (5, "95588")])
def test_a_known_code_of_five_digits_is_no_extension(length: int, digits: str) -> None:
    five = DialPlan(outside_prefix="8", extension_lengths=(length,))
    assert dialled(digits, five) == (digits if length < 5 else f"8{digits}")


ALL_PLANS = [PLAIN, NINE, SHANGHAI, NANNING, TRUNK, IMS, INSIDE, CARRIER_CODE]


@given(st.text(alphabet="0123456789+-()*# 转", max_size=24), st.sampled_from(ALL_PLANS))
def test_only_digits_leave_and_only_a_refusal_is_raised(text: str, dial_plan: DialPlan) -> None:
    try:
        digits = dialled(text, dial_plan)
    except NumberRefused as refused:
        assert refused.kind in ("", *CLASSES)
    else:
        assert set(digits.removeprefix("+")) <= set("0123456789*#")


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.sampled_from([PLAIN, NINE, SHANGHAI, TRUNK]))
def test_dialling_what_is_sent_reaches_the_same_number(text: str, dial_plan: DialPlan) -> None:
    reader = NumberPlan("CN", dial_plan.area_code, dial_plan.outside_prefix)
    number = reader.read(text)
    if number.e164:
        assert reader.read(digits_for(number, dial_plan)).e164 == number.e164


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (BEIJING_MOBILE, NumberPlace("北京市", "Beijing", "中国移动", "China Mobile", "mobile", True)),
        ("0571-88887777", NumberPlace("浙江省杭州市", "Hangzhou, Zhejiang", "", "", "landline", True)),
        ("17012345678", NumberPlace("", "", "中国电信", "China Telecom", "mobile", True)),
        ("400-800-1234", NumberPlace(kind="service", valid=True)),
        ("95588", NumberPlace(kind="service", valid=True)),
        ("1001", NumberPlace(kind="extension", valid=True)),
        ("110", NumberPlace(kind="emergency", valid=True)),
        ("+85223456789", NumberPlace("香港", "Hong Kong", "", "", "international", True)),
        ("138000060211", NumberPlace()),
        ("anonymous", NumberPlace()),
        ("", NumberPlace()),
    ],
)
def test_home_location_and_carrier(text: str, place: NumberPlace) -> None:
    assert place_of(plan.read(text)) == place


def test_places_are_known_once_the_tables_are_loaded() -> None:
    places = NumberPlaces()
    assert places.at_once(plan.read(BEIJING_MOBILE)) is None
    places.warm_up()
    found = places.at_once(plan.read(BEIJING_MOBILE))
    assert found is not None
    assert found.region_zh == "北京市"


@pytest.mark.parametrize(
    ("number", "area", "same"),
    [
        (BEIJING_MOBILE, "010", True),
        (BEIJING_MOBILE, "10", True),
        (BEIJING_MOBILE, "021", False),
        ("07715551234", "0771", True),
        ("17012345678", "010", None),
        (BEIJING_MOBILE, "0999999", None),
        ("1001", "010", None),
    ],
)
def test_whether_a_number_is_at_home_in_an_area(number: str, area: str, same: bool | None) -> None:
    assert same_city(plan.read(number), area) is same
