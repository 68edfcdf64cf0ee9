"""Lists that Feishu hands out page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from lifecycle.feishu.endpoints import Endpoint
from lifecycle.feishu.errors import NoAnswer

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page. `next_token` is None on the last one."""

    endpoint: Endpoint
    items: list[Item] = field(repr=False)
    next_token: str | None

    @property
    def records(self) -> list[Item]:
        """The items, each of which is an object. Raises NoAnswer when one is not: what cannot
        be read must never pass for something that is not there."""
        if not all(isinstance(item, dict) for item in self.items):
            raise NoAnswer(self.endpoint, "item-not-an-object")
        return self.items


def page_in(endpoint: Endpoint, data: Mapping[str, Any]) -> Page[Any]:
    """The page in an answer's data.

    The last page is the one whose `has_more` is not true; a missing token says nothing.
    Raises NoAnswer for a page that promises more without telling where, and for items
    that are no list: half a list must never pass for a whole one.
    """
    items = data.get("items")
    if items is None:
        items = []
    if not isinstance(items, list):
        raise NoAnswer(endpoint, "items-not-a-list")
    if data.get("has_more") is not True:
        return Page(endpoint, items, None)
    token = data.get("page_token")
    if not isinstance(token, str) or not token:
        raise NoAnswer(endpoint, "page-token-missing")
    return Page(endpoint, items, token)


def pages(method: Callable[..., Page[Item]], **kwargs: Any) -> Iterator[Page[Item]]:
    """All pages of a list method of the client, called with `kwargs`.

    Raises NoAnswer when Feishu hands out a page token a second time, which would go on
    for ever, and whatever the method raises.
    """
    seen: set[str] = set()
    token: str | None = None
    while True:
        page = method(page_token=token, **kwargs)
        yield page
        token = page.next_token
        if token is None:
            return
        if token in seen:
            raise NoAnswer(page.endpoint, "page-token-repeats")
        seen.add(token)


def record_in(endpoint: Endpoint, data: Mapping[str, Any], holder: str) -> dict[str, Any]:
    """The single record an answer holds. Raises NoAnswer when it is not there."""
    record = data.get(holder)
    if not isinstance(record, dict):
        raise NoAnswer(endpoint, "record-missing")
    return record
