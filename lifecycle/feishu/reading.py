"""What all reads share: one page of a list, id types, bounded lists of ids."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from lifecycle.feishu.calls import Call, Query, query_of
from lifecycle.feishu.endpoints import Endpoint
from lifecycle.feishu.errors import InvalidValue
from lifecycle.feishu.id_types import (
    COREHR_DEPARTMENT_ID_TYPES,
    COREHR_USER_ID_TYPES,
    checked_id_type,
)
from lifecycle.feishu.pages import Page, page_in


class Reader(ABC):
    """Something that can send a read and make a page of its answer."""

    @abstractmethod
    def read(
        self, call: Call, *, background: bool = False, give_up_after_s: float | None = None
    ) -> dict[str, Any]:
        """Send a read; see Client.read."""

    def _page(
        self,
        endpoint: Endpoint,
        query: Query,
        body: dict[str, Any] | None = None,
        *,
        background: bool,
    ) -> Page[Any]:
        data = self.read(Call(endpoint, {}, query, body), background=background)
        return page_in(endpoint, data)


def corehr_id_types(user_id_type: str, department_id_type: str | None = None) -> Query:
    """The id types of a CoreHR call. Raises InvalidValue for one not on its page."""
    department = department_id_type and checked_id_type(
        "department_id_type", department_id_type, COREHR_DEPARTMENT_ID_TYPES
    )
    user = checked_id_type("user_id_type", user_id_type, COREHR_USER_ID_TYPES)
    return query_of(user_id_type=user, department_id_type=department)


def at_most(most: int, name: str, values: Sequence[str] | None) -> list[str] | None:
    """The values as a list. Raises InvalidValue when there are too many."""
    if values is not None and len(values) > most:
        raise InvalidValue(f"{name} holds at most {most} entries.")
    return listed(values)


def listed(values: Sequence[str] | None) -> list[str] | None:
    """The values as a list, None for none."""
    return None if values is None else list(values)
