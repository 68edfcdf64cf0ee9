"""One exact request to Feishu, as it is planned, approved, stored and sent.

The canonical form is what an approval signs and what the database keeps: JSON with
sorted keys, no spaces, characters as they are, whole numbers only. The same call always
has the same text and the same hash.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from lifecycle.feishu import endpoints
from lifecycle.feishu.endpoints import Endpoint
from lifecycle.feishu.errors import InvalidCall, InvalidId, InvalidValue

ID = re.compile(r"[0-9A-Za-z_=-]{1,64}")
PLACEHOLDER = re.compile(r":([a-z_]+)")

Query = tuple[tuple[str, str], ...]
Json = None | bool | int | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True, repr=False)
class Call:
    """Endpoint, path parameters, query (names may repeat) and JSON body of one request.

    Raises InvalidId for an id outside `^[0-9A-Za-z_=-]{1,64}$` or one missing from the
    path, InvalidValue for anything JSON cannot carry exactly (floats, odd text).
    """

    endpoint: Endpoint
    path_params: Mapping[str, str]
    query: Query = ()
    body: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        names = set(PLACEHOLDER.findall(self.endpoint.path))
        if names != set(self.path_params):
            raise InvalidId(f"{self.endpoint.name} needs exactly the ids {sorted(names)}.")
        ids = {name: checked_id(name, value) for name, value in self.path_params.items()}
        pairs = tuple((_text(name), _text(value)) for name, value in self.query)
        object.__setattr__(self, "path_params", ids)
        object.__setattr__(self, "query", pairs)
        if not isinstance(self.body, Mapping | None):
            raise InvalidValue("A body has to be an object.")
        object.__setattr__(self, "body", _plain(self.body))

    def __repr__(self) -> str:
        return f"<Call {self.endpoint.name} {self.hash[:12]}>"

    def __hash__(self) -> int:
        return hash(self.canonical())

    @property
    def path(self) -> str:
        """The path with its ids in place, percent-encoded."""
        return PLACEHOLDER.sub(
            lambda found: quote(self.path_params[found[1]], safe=""), self.endpoint.path
        )

    @property
    def body_bytes(self) -> bytes | None:
        """The body as sent: UTF-8 JSON, or None for a request without one."""
        return None if self.body is None else _dumps(self.body).encode()

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical text, in hex."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

    def canonical(self) -> str:
        """The one text that stands for this call."""
        return _dumps(
            {
                "endpoint": self.endpoint.name,
                "path": dict(self.path_params),
                "query": [list(pair) for pair in self.query],
                "body": self.body,
            }
        )

    @classmethod
    def from_canonical(cls, text: str) -> Call:
        """The call a canonical text stands for. Raises InvalidCall when it is none."""
        try:
            stored = json.loads(text)
            call = cls(
                endpoint=endpoints.ALL[stored["endpoint"]],
                path_params=stored["path"],
                query=tuple((name, value) for name, value in stored["query"]),
                body=stored["body"],
            )
        except InvalidCall:
            raise
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            raise InvalidValue("This text does not describe a call.") from error
        if call.canonical() != text:
            raise InvalidValue("This text is not the canonical form of its call.")
        return call


def checked_id(name: str, value: object) -> str:
    """The id itself. Raises InvalidId when it could not stand in a path."""
    if not isinstance(value, str) or not ID.fullmatch(value):
        raise InvalidId(f"{name} has to be 1 to 64 letters, digits, _, = or -.")
    return value


def query_of(**values: str | int | Sequence[str | int] | None) -> Query:
    """Query parameters in the order given: None is left out, a list repeats its name."""
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        if value is None:
            continue
        items = [value] if isinstance(value, str | int) else value
        pairs += [(name, str(item)) for item in items]
    return tuple(pairs)


def body_of(**values: object) -> dict[str, Any]:
    """A body of the values that are given: None is left out."""
    return {name: value for name, value in values.items() if value is not None}


def _dumps(value: object) -> str:
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def _plain(value: object) -> Json:
    """A deep copy made of plain JSON types, so a call never shares state with its maker."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return {_text(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    raise InvalidValue(f"A call cannot carry a {type(value).__name__}.")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidValue(f"Text is needed where a {type(value).__name__} was given.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidValue("A text holds half of a character.") from error
    return str(value)
