"""Field values: two endpoints, two encodings, each against its page's own samples."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.feishu.errors import InvalidValue
from lifecycle.feishu.values import (
    Boolean,
    Choice,
    Choices,
    Day,
    FieldKind,
    Link,
    Number,
    Person,
    Text,
    TypedValue,
    decode_offboarding_value,
    decode_pre_hire_value,
    encode_offboarding_value,
    encode_pre_hire_value,
)

SAMPLES = [
    (Text("Sandy"), FieldKind.TEXT, "Sandy", '"Sandy"'),
    (Text('He said "转正"'), FieldKind.TEXT, 'He said "转正"', '"He said \\"转正\\""'),
    (Text(""), FieldKind.TEXT, "", '""'),
    (Boolean(True), FieldKind.BOOLEAN, "true", '"true"'),
    (Boolean(False), FieldKind.BOOLEAN, "false", '"false"'),
    (Number(123), FieldKind.NUMBER, "123", "123"),
    (Number(Decimal("123.23")), FieldKind.NUMBER, "123.23", "123.23"),
    (Number(Decimal("-0.50")), FieldKind.NUMBER, "-0.50", "-0.50"),
    (Choice("option_1"), FieldKind.CHOICE, "option_1", '"option_1"'),
    (
        Choices(("option_1", "option_2")),
        FieldKind.CHOICES,
        '["option_1","option_2"]',
        '["option_1","option_2"]',
    ),
    (Day(date(2024, 6, 30)), FieldKind.DAY, "2024-06-30", '"2024-06-30 00:00:00"'),
    (Link("https://a.cn/x"), FieldKind.LINK, "https://a.cn/x", '"https://a.cn/x"'),
    (
        Person("7200000000000000001"),
        FieldKind.PERSON,
        "7200000000000000001",
        '"7200000000000000001"',
    ),
]
IDS = [f"{type(value).__name__}-{number}" for number, (value, *_) in enumerate(SAMPLES)]
BAD = [
    Text(1),  # type: ignore[arg-type]
    Boolean("true"),  # type: ignore[arg-type]
    Boolean(1),  # type: ignore[arg-type]
    Number(True),
    Number(1.5),  # type: ignore[arg-type]
    Number(Decimal("NaN")),
    Number(Decimal("Infinity")),
    Choice(""),
    Choices(("a", " ")),
    Day(datetime(2024, 6, 30)),
    Day("2024-06-30"),  # type: ignore[arg-type]
    Link("javascript:alert(1)"),
    Link("a.cn/x"),
    Link("https://a b"),
    Link("http://[::1"),
    Person(""),
    Person(7200000000000000001),  # type: ignore[arg-type]
]


class TestEncodeOffboardingValue:
    @pytest.mark.parametrize(("value", "kind", "text", "_"), SAMPLES, ids=IDS)
    def test_is_bare(self, value: TypedValue, kind: FieldKind, text: str, _: str) -> None:
        assert encode_offboarding_value(value) == text
        assert decode_offboarding_value(text, kind) == value

    def test_makes_the_json_of_the_page(self) -> None:
        value = encode_offboarding_value(Choices(("option_1", "option_2")))
        assert json.dumps(value) == r'"[\"option_1\",\"option_2\"]"'

    @pytest.mark.parametrize("value", BAD, ids=repr)
    def test_refuses_the_wrong_type(self, value: TypedValue) -> None:
        with pytest.raises(InvalidValue):
            encode_offboarding_value(value)


class TestEncodePreHireValue:
    @pytest.mark.parametrize(("value", "kind", "_", "text"), SAMPLES, ids=IDS)
    def test_is_json_encoded(self, value: TypedValue, kind: FieldKind, _: str, text: str) -> None:
        assert encode_pre_hire_value(value) == text
        assert decode_pre_hire_value(text, kind) == value

    def test_makes_the_json_of_the_page(self) -> None:
        assert json.dumps(encode_pre_hire_value(Text("Sandy"))) == r'"\"Sandy\""'

    @pytest.mark.parametrize("value", BAD, ids=repr)
    def test_refuses_the_wrong_type(self, value: TypedValue) -> None:
        with pytest.raises(InvalidValue):
            encode_pre_hire_value(value)


class TestDecode:
    def test_takes_a_day_with_a_time(self) -> None:
        assert decode_offboarding_value("2006-01-02 15:04:05", FieldKind.DAY) == Day(
            date(2006, 1, 2)
        )
        assert decode_pre_hire_value('"2006-01-02"', FieldKind.DAY) == Day(date(2006, 1, 2))

    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            ("maybe", FieldKind.BOOLEAN),
            ("1e5", FieldKind.NUMBER),
            ("١٢٣", FieldKind.NUMBER),
            ("option_1", FieldKind.CHOICES),
            ("[1]", FieldKind.CHOICES),
            ("30/06/2024", FieldKind.DAY),
            ("2024-02-30", FieldKind.DAY),
        ],
    )
    def test_refuses_what_an_offboarding_record_never_prints(
        self, text: str, kind: FieldKind
    ) -> None:
        with pytest.raises(InvalidValue):
            decode_offboarding_value(text, kind)

    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            ("Sandy", FieldKind.TEXT),
            ("1", FieldKind.TEXT),
            ("true", FieldKind.NUMBER),
            ("NaN", FieldKind.NUMBER),
            ('"maybe"', FieldKind.BOOLEAN),
            ("[1]", FieldKind.CHOICES),
            ('"30/06/2024"', FieldKind.DAY),
            ("[" * 100_000, FieldKind.TEXT),
        ],
    )
    def test_refuses_what_a_pre_hire_never_prints(self, text: str, kind: FieldKind) -> None:
        with pytest.raises(InvalidValue):
            decode_pre_hire_value(text, kind)

    @given(st.text(), st.sampled_from(FieldKind))
    def test_only_ever_raises_invalid_value(self, text: str, kind: FieldKind) -> None:
        for decode in (decode_offboarding_value, decode_pre_hire_value):
            try:
                decode(text, kind)
            except InvalidValue:
                continue

    @given(st.text(st.characters(exclude_categories=["Cs"])))
    def test_gives_any_text_back(self, text: str) -> None:
        value = Text(text)
        assert decode_pre_hire_value(encode_pre_hire_value(value), FieldKind.TEXT) == value
        assert decode_offboarding_value(encode_offboarding_value(value), FieldKind.TEXT) == value
