"""The index behind the search for people: any part of a name, its pinyin or an id, in
milliseconds among a million.

Neither database does that by itself: a trigram index has nothing for names of two
characters, and splitting a text into single letters finds everybody. Here each place of the
text gives a token, the few characters that begin there. A word of the search is then the
beginning of a token, or its last characters are one. Feishu's numeric ids, most of the text
and never typed by heart, give a token at every third place only; a part of one is looked for
in the three ways it can lie upon those.

The index finds at least everybody whose text holds the words, and now and then somebody more:
whoever asks it compares the text as well. Triggers (SQLite) or PostgreSQL itself keep it in
step, whoever writes. On SQLite it needs the function that `add_function` gives to each of our
connections.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

WINDOW, NUMBER_WINDOW, STEP = 6, 8, 3
# A shorter number is part of too many ids for the index to help.
LEAST_DIGITS = NUMBER_WINDOW - STEP
LONG_NUMBER = re.compile(r"[0-9]{12,}")
NUMBER = re.compile(r"[0-9]+")

PEOPLE = "lifecycle_person"
TABLE = "lifecycle_personindex"
FUNCTION = "lifecycle_person_tokens"


# -- what is kept ---------------------------------------------------------------------------


def tokens(text: str) -> list[str]:
    """The tokens of a search text, line by line."""
    found: dict[str, None] = {}
    for line in text.split("\n"):
        width, step = (NUMBER_WINDOW, STEP) if LONG_NUMBER.fullmatch(line) else (WINDOW, 1)
        for start in range(0, len(line), step):
            found[line[start : start + width]] = None
    return list(found)


def _as_words(text: str | None) -> str:
    """The tokens for SQLite, whose tokenizer must not meet a sign or a space in them. ASCII
    letters in lower case, because LIKE does not tell them apart there."""
    return " ".join(_hex(token) for token in tokens(text or ""))


def _hex(token: str) -> str:
    return token.encode().lower().hex()


# -- what is asked --------------------------------------------------------------------------


def can_find(word: str) -> bool:
    """False for what stands in the index under too many names to be worth the question."""
    return bool(word) and (not NUMBER.fullmatch(word) or len(word) >= LEAST_DIGITS)


def parts(word: str) -> list[str]:
    """What the index looks for, to be counted beforehand: of a number, its parts within ids;
    outside of them numbers are rare."""
    ways = [part for [(part, _), *_] in _ways(word)]
    return ways[1:] or ways


def condition(connection: BaseDatabaseWrapper, words: list[str]) -> tuple[str, list[str]]:
    """What is true of everybody who may have all these words, on the table of people, with its
    parameters. On PostgreSQL no subquery: where the server's statistics are old, it would join
    the table with itself and make the tokens of each row anew for each other row."""
    if connection.vendor == "sqlite":
        asked = " AND ".join(_any_of(word, _sqlite_term) for word in words)
        return f"{PEOPLE}.id IN (SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s)", [asked]
    asked = " & ".join(_any_of(word, _postgres_term, " | ", " & ") for word in words)
    return f"{FUNCTION}({PEOPLE}.search_text) @@ %s::tsquery", [asked]


def _any_of(word: str, term: Any, either: str = " OR ", both: str = " AND ") -> str:
    alternatives = (both.join(term(*part) for part in parts) for parts in _ways(word))
    return "(" + either.join(f"({one})" for one in alternatives) + ")"


def _ways(word: str) -> Iterator[list[tuple[str, bool]]]:
    """Each way the word can stand in the index: the tokens it needs, and whether only their
    beginning is known."""
    ends = range(len(word), WINDOW - 1, -WINDOW)[:2]
    yield [(word[end - WINDOW : end], False) for end in ends] or [(word, True)]
    if NUMBER.fullmatch(word):
        first = max(0, len(word) - NUMBER_WINDOW - STEP + 1)
        for start in range(first, first + STEP):
            part = word[start : start + NUMBER_WINDOW]
            yield [(part, len(part) < NUMBER_WINDOW)]


def _sqlite_term(token: str, is_beginning: bool) -> str:
    return f'"{_hex(token)}"' + ("*" if is_beginning else "")


def _postgres_term(token: str, is_beginning: bool) -> str:
    quoted = token.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}'" + (":*" if is_beginning else "")


# -- in the database ------------------------------------------------------------------------

_SQLITE_ADD = f"INSERT INTO {TABLE} (rowid, tokens) VALUES (new.id, {FUNCTION}(new.search_text));"
_SQLITE_REMOVE = (
    f"INSERT INTO {TABLE} ({TABLE}, rowid, tokens)"
    f" VALUES ('delete', old.id, {FUNCTION}(old.search_text));"
)
SQLITE_TRIGGERS = {
    "person_index_insert": f"AFTER INSERT ON {PEOPLE} BEGIN {_SQLITE_ADD} END",
    "person_index_delete": f"AFTER DELETE ON {PEOPLE} BEGIN {_SQLITE_REMOVE} END",
    "person_index_update": (
        f"AFTER UPDATE OF id, search_text ON {PEOPLE}"
        " WHEN old.search_text IS NOT new.search_text OR old.id IS NOT new.id"
        f" BEGIN {_SQLITE_REMOVE} {_SQLITE_ADD} END"
    ),
}
# No content of its own and no positions: the text is compared anyway.
SQLITE_TABLE = (
    f"CREATE VIRTUAL TABLE {TABLE}"
    " USING fts5(tokens, content='', columnsize=0, detail=none, tokenize='ascii')"
)
SQLITE_FILL = (
    f"INSERT INTO {TABLE} (rowid, tokens) SELECT id, {FUNCTION}(search_text) FROM {PEOPLE}"
)
POSTGRES_INSTALL = (
    f"""CREATE OR REPLACE FUNCTION {FUNCTION}(given text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(
        pg_catalog.array_to_tsvector(
            array_agg(DISTINCT substr(line, place, CASE WHEN is_number THEN {NUMBER_WINDOW}
                                                        ELSE {WINDOW} END))),
        ''::pg_catalog.tsvector)
    FROM (SELECT line, line ~ '^{LONG_NUMBER.pattern}$' AS is_number
          FROM unnest(string_to_array(given, E'\\n')) AS line) AS lines,
         generate_series(1, length(line), CASE WHEN is_number THEN {STEP} ELSE 1 END) AS place
    $$""",
    f"CREATE INDEX IF NOT EXISTS {TABLE} ON {PEOPLE} USING gin ({FUNCTION}(search_text))",
)
POSTGRES_LIFT = (f"DROP INDEX IF EXISTS {TABLE}", f"DROP FUNCTION IF EXISTS {FUNCTION}(text)")


def install(connection: BaseDatabaseWrapper) -> None:
    """Make the index, or mend it where it is not whole; repeatable. An SQLite without FTS5 has
    none: the search reads all the texts there."""
    if connection.vendor != "sqlite":
        return _execute(connection, POSTGRES_INSTALL)
    if is_whole(connection):
        return None
    lift(connection)
    try:
        _execute(connection, [SQLITE_TABLE])
    except OperationalError as error:
        if "no such module" not in str(error):
            raise
        return None
    _execute(connection, [f"CREATE TRIGGER {n} {what}" for n, what in SQLITE_TRIGGERS.items()])
    return _execute(connection, [SQLITE_FILL])


def lift(connection: BaseDatabaseWrapper) -> None:
    """Take the index away."""
    if connection.vendor != "sqlite":
        return _execute(connection, POSTGRES_LIFT)
    triggers = [f"DROP TRIGGER IF EXISTS {name}" for name in SQLITE_TRIGGERS]
    return _execute(connection, [*triggers, f"DROP TABLE IF EXISTS {TABLE}"])


def is_whole(connection: BaseDatabaseWrapper) -> bool:
    """True when the index is there and kept in step. A migration that makes the table of
    people anew on SQLite drops its triggers without a word."""
    if connection.vendor == "sqlite":
        return _has(connection, "sqlite_master", "name", TABLE, *SQLITE_TRIGGERS)
    return _has(connection, "pg_class", "relname", TABLE)


def can_ask(connection: BaseDatabaseWrapper) -> bool:
    """The same, asked once by each process."""
    database = str(connection.settings_dict["NAME"])
    if database not in _whole and is_whole(connection):
        _whole.add(database)
    return database in _whole


_whole: set[str] = set()


def mend(connection: BaseDatabaseWrapper) -> None:
    """Make the index anew where its triggers were lost."""
    if connection.vendor == "sqlite" and _has(connection, "sqlite_master", "name", TABLE):
        install(connection)


def _has(connection: BaseDatabaseWrapper, catalogue: str, column: str, *names: str) -> bool:
    places = ", ".join(["%s"] * len(names))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {catalogue} WHERE {column} IN ({places})", names)
        return bool(cursor.fetchone()[0] >= len(names))


def add_function(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Teach a new connection to SQLite to split a text."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(FUNCTION, 1, _as_words, deterministic=True)


def _execute(connection: BaseDatabaseWrapper, statements: Any) -> None:
    with connection.cursor() as cursor:
        for one in statements:
            cursor.execute(one)
