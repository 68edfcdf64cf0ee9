"""What was read of the environment is remembered as the text that counts in the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hrportal.environment import Environment

Read = Callable[[Environment], Any]
SQLITE, CACHE = "sqlite:////srv/hr.sqlite3", "dbcache://hrportal_cache"
READ: dict[str, Read] = {
    "text": lambda env: env.text("X", default="as usual"),
    "words": lambda env: env.words("X", default=["a", "b"]),
    "flag": lambda env: env.flag("X", default=True),
    "number": lambda env: env.number("X", default=60, least=1),
    "whole": lambda env: env.whole("X", default=3, most=23),
    "wholes": lambda env: env.wholes("X"),
    "choice": lambda env: env.choice("X", default="INFO", choices=["INFO", "DEBUG"]),
    "zone": lambda env: env.zone("X", default="Asia/Shanghai"),
    "database": lambda env: env.database("X", default=SQLITE),
    "cache": lambda env: env.cache("X", default=CACHE),
    "email": lambda env: env.email("X"),
}
DEFAULTS = {
    "text": "as usual",
    "words": "a, b",
    "flag": "1",
    "number": "60",
    "whole": "3",
    "wholes": "",
    "choice": "INFO",
    "zone": "Asia/Shanghai",
    "database": SQLITE,
    "cache": CACHE,
    "email": "smtp://localhost:25",
}


def in_force(kind: str, **values: str) -> str:
    environment = Environment(values)
    READ[kind](environment)
    return environment.in_force["X"]


class TestInForce:
    @pytest.mark.parametrize("kind", READ)
    def test_is_the_default_when_nothing_is_given(self, kind):
        assert in_force(kind) == DEFAULTS[kind]

    @pytest.mark.parametrize(
        ("kind", "given", "text"),
        [
            ("text", "  other ", "other"),
            ("text", " ", "as usual"),
            ("words", "b ,, a", "b, a"),
            ("words", "", ""),
            ("flag", "No", "0"),
            ("flag", "TRUE", "1"),
            ("number", "60.0", "60"),
            ("number", "1234567.25", "1234567.25"),
            ("whole", "007", "7"),
            ("wholes", "b=2, a = 1", "a=1, b=2"),
            ("choice", "DEBUG", "DEBUG"),
            ("zone", "UTC", "UTC"),
            ("database", "postgres://u:p@h/n", "postgres://u:p@h/n"),
            ("cache", "redis://h:6379/0", "redis://h:6379/0"),
            ("email", "smtp+tls://u:p@h:587", "smtp+tls://u:p@h:587"),
        ],
    )
    def test_is_what_was_given(self, kind, given, text):
        assert in_force(kind, X=given) == text

    @pytest.mark.parametrize(
        ("kind", "given"),
        [
            ("flag", "maybe"),
            ("number", "0.5"),
            ("number", "nan"),
            ("whole", "24"),
            ("whole", "x"),
            ("wholes", "a=1,b=x"),
            ("choice", "LOUD"),
            ("zone", "Mars/Base"),
            ("database", "mysql://u:p@h/n"),
            ("cache", "ftp://x"),
            ("email", "ftp://x"),
        ],
    )
    def test_is_the_default_when_what_was_given_is_refused(self, kind, given):
        assert in_force(kind, X=given) == DEFAULTS[kind]
