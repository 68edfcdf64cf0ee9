"""Phone numbers and e-mail addresses, compared and shown."""

import pytest

from lifecycle.masking import email_key, masked_email, masked_phone, phone_key


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("13812341234", "138****1234"),
        ("+8613812341234", "138****1234"),
        ("0086 138-1234-1234", "138****1234"),
        ("+1 415 555 2671", "141****2671"),
        ("02155512", "****5512"),
        ("1234", "****"),
        ("", ""),
        ("ask reception", ""),
    ],
)
def test_a_masked_phone(phone, shown):
    assert masked_phone(phone) == shown


@pytest.mark.parametrize(
    ("email", "shown"),
    [
        ("lin.wei@example.com", "l***@example.com"),
        ("l@example.com", "l***@example.com"),
        ("nobody", "***"),
        ("", ""),
    ],
)
def test_a_masked_email(email, shown):
    assert masked_email(email) == shown


def test_the_same_number_however_it_is_written():
    numbers = ("138 1234 1234", "+86 13812341234", "86-138-1234-1234", "008613812341234")
    assert {phone_key(number) for number in numbers} == {"13812341234"}
    assert email_key(" Lin@Example.com ") == "lin@example.com"
