"""Telephone numbers, e-mail addresses and secrets: as they are compared, and as they are shown."""

from __future__ import annotations

from typing import Any

from django.utils.crypto import salted_hmac

# Parts of the names under which records of Feishu hold what is never shown whole.
PHONES, EMAILS = ("phone", "mobile"), ("email",)
HIDDEN = ("bank", "identification", "id_number", "national_id", "passport", "secret", "token")
CHINA = "86"
MOBILE_LENGTH = 11
TAIL = 4


def fingerprint(name: str, text: str) -> str:
    """Tells two texts of this name apart, and nothing else of them; "" for none. Made with
    DJANGO_SECRET_KEY: with another key it is another one."""
    if not text:
        return ""
    return salted_hmac(f"lifecycle.{name}", text, algorithm="sha256").hexdigest()[:16]


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


def masked_record(value: Any, name: str = "") -> Any:
    """A record or an answer of Feishu with what stands under such names masked, at any depth.
    `name`: under which the value itself stands."""
    if isinstance(value, dict):
        return {key: masked_record(one, f"{name}/{key}".lower()) for key, one in value.items()}
    if isinstance(value, list):
        return [masked_record(one, name) for one in value]
    if value is None or isinstance(value, bool) or value == "":
        return value
    if any(part in name for part in HIDDEN):
        return "***"
    if any(part in name for part in PHONES):
        return masked_phone(str(value))
    return masked_email(str(value)) if any(part in name for part in EMAILS) else value
