"""Telephone numbers and e-mail addresses: as they are compared, and as they are shown."""

from __future__ import annotations

CHINA = "86"
MOBILE_LENGTH = 11
TAIL = 4


def phone_key(phone: str) -> str:
    """The digits of a number, without China's country code before a mobile number."""
    digits = "".join(sign for sign in phone if sign.isascii() and sign.isdecimal())
    digits = digits.removeprefix("00")
    is_chinese = digits.startswith(CHINA) and len(digits) == len(CHINA) + MOBILE_LENGTH
    return digits.removeprefix(CHINA) if is_chinese else digits


def email_key(email: str) -> str:
    return email.strip().lower()


def masked_phone(phone: str) -> str:
    """138****1234; of a number that is no Chinese mobile number, the last digits only."""
    digits = phone_key(phone)
    if not digits:
        return ""
    if len(digits) == MOBILE_LENGTH:
        return f"{digits[:3]}****{digits[-TAIL:]}"
    return f"****{digits[-TAIL:]}" if len(digits) > TAIL + 2 else "****"


def masked_email(email: str) -> str:
    """l***@example.com."""
    name, at, domain = email.strip().rpartition("@")
    if not at:
        return "***" if email.strip() else ""
    return f"{name[:1]}***@{domain}"
