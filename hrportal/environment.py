"""Reads settings from the environment.

A malformed value is noted in `problems` and its default used: `lifecycle/checks.py` then says
in a sentence what to mend and refuses to start, instead of a traceback on import.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import environ

_YES, _NO = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}
_DATABASES = {"sqlite", "postgres", "postgresql"}


class Environment:
    """`in_force`: every setting that was read, by name, as the text that counts in the end; the
    secrets are among them."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.problems: list[str] = []
        self.in_force: dict[str, str] = {}

    def text(self, name: str, *, default: str) -> str:
        """An empty value counts as none given."""
        self.in_force[name] = self._values.get(name, "").strip() or default
        return self.in_force[name]

    def words(self, name: str, *, default: list[str]) -> list[str]:
        """Words with commas between them."""
        words = default
        if name in self._values:
            words = [word.strip() for word in self._values[name].split(",") if word.strip()]
        self.in_force[name] = ", ".join(words)
        return words

    def flag(self, name: str, *, default: bool) -> bool:
        given = self.text(name, default="1" if default else "0").lower()
        is_on = given in _YES
        if given not in _YES | _NO:
            self._note(name, "must be 1 or 0")
            is_on = default
        self.in_force[name] = "1" if is_on else "0"
        return is_on

    def number(self, name: str, *, default: float, least: float = 0.0) -> float:
        """`least` itself is allowed; whoever must exclude it does so in checks.py."""
        try:
            number = float(self.text(name, default=str(default)))
        except ValueError:
            number = float("nan")
        if not least <= number < float("inf"):
            self._note(name, f"must be a number of at least {least:g}")
            number = default
        self.in_force[name] = f"{number:.15g}"
        return number

    def whole(self, name: str, *, default: int, least: int = 0, most: int = 10_000_000) -> int:
        given = self.text(name, default=str(default))
        number = int(given) if given.isdecimal() else -1
        if not least <= number <= most:
            self._note(name, f"must be a whole number from {least} to {most}")
            number = default
        self.in_force[name] = str(number)
        return number

    def wholes(self, name: str) -> dict[str, int]:
        """Names with whole numbers, as in `convert_employee=200,offboard_employee=0`."""
        found: dict[str, int] = {}
        for word in self.words(name, default=[]):
            key, _, number = (part.strip() for part in word.partition("="))
            if not key or not number.isdecimal() or int(number) > 10_000_000:
                self._note(name, "must be names with whole numbers, such as offboard_employee=50")
                found = {}
                break
            found[key] = int(number)
        self.in_force[name] = ", ".join(f"{key}={found[key]}" for key in sorted(found))
        return found

    def choice(self, name: str, *, default: str, choices: Sequence[str]) -> str:
        given = self.text(name, default=default)
        if given in choices:
            return given
        self._note(name, f"must be one of {', '.join(choices)}")
        self.in_force[name] = default
        return default

    def zone(self, name: str, *, default: str) -> str:
        given = self.text(name, default=default)
        try:
            zoneinfo.ZoneInfo(given)
        except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
            self._note(name, "must be a time zone such as Asia/Shanghai")
            self.in_force[name] = default
            return default
        return given

    def database(self, name: str, *, default: str) -> dict[str, Any]:
        url = self.text(name, default=default)
        if url.partition(":")[0] in _DATABASES:
            with suppress(ValueError, KeyError, IndexError, environ.ImproperlyConfigured):
                database = dict(environ.Env.db_url_config(url))
                if database["NAME"]:
                    return database
        # The address may hold a password, so it is not repeated.
        self._note(
            name, "must be sqlite:///path or postgres://user:password@host:5432/name", hide=True
        )
        self.in_force[name] = default
        return dict(environ.Env.db_url_config(default))

    def cache(self, name: str, *, default: str) -> dict[str, Any]:
        url = self.text(name, default=default)
        with suppress(ValueError, KeyError, IndexError, environ.ImproperlyConfigured):
            return dict(environ.Env.cache_url_config(url))
        self._note(name, "must be dbcache://table or redis://host:6379/0", hide=True)
        self.in_force[name] = default
        return dict(environ.Env.cache_url_config(default))

    def email(self, name: str) -> dict[str, Any]:
        """A mail server: `smtp+tls://user:password@host:587`; this machine's own otherwise."""
        default = "smtp://localhost:25"
        url = self.text(name, default=default)
        with suppress(ValueError, KeyError, IndexError, environ.ImproperlyConfigured):
            return dict(environ.Env.email_url_config(url))
        self._note(name, "must be smtp+tls://user:password@host:587", hide=True)
        self.in_force[name] = default
        return dict(environ.Env.email_url_config(default))

    def _note(self, name: str, rule: str, *, hide: bool = False) -> None:
        given = "" if hide else f", not “{self._values.get(name, '')}”"
        self.problems.append(f"{name} {rule}{given}.")
