"""Transactions that PostgreSQL may end so that another one can go on.

All of them lock in one order, so that this is rare: the rows of the mirror by their Feishu
ids, then people, then whatever is the transaction's own, and the end of the action log last.
A reading of Feishu touches hundreds of rows at once, though, and some only by a condition.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, connection, transaction

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

TRIES = 5
# deadlock_detected, serialization_failure, unique_violation (PostgreSQL, appendix A): the last
# one is two readings that meet the same new person at the same moment.
TRY_AGAIN = ("40P01", "40001", "23505")


def whole(function: Callable[P, T]) -> Callable[P, T]:
    """Run in a transaction, from its beginning again when PostgreSQL has ended it in favour of
    another one. Within a caller's transaction it is a part of that one and is not repeated.

    Raises DatabaseError after five tries.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        for left in reversed(range(TRIES)):
            is_part = connection.in_atomic_block
            try:
                with transaction.atomic():
                    return function(*args, **kwargs)
            except DatabaseError as error:
                if is_part or not left or not _may_succeed_again(error):
                    raise
                log.info("another transaction went first; once more")
        raise AssertionError("unreachable")

    return run


def _may_succeed_again(error: DatabaseError) -> bool:
    return getattr(error.__cause__, "sqlstate", "") in TRY_AGAIN
