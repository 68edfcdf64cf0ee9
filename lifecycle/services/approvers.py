"""Whom a request is addressed to: the leader in Feishu, or the next one up with an account."""

from __future__ import annotations

from collections.abc import Iterator

from lifecycle import policies
from lifecycle.models import Contact, ConversionRequest, Employee, User

# A line of leaders longer than this leads in a circle.
LONGEST_LINE = 30


def first_approver(employee: Employee, *, requested_by: User | None) -> User | None:
    """The leader of this employee, or the next one up who may decide; None when there is none."""
    return next(_able(employee, employee.leader_open_id, requested_by), None)


def next_approver(request: ConversionRequest) -> User | None:
    """The next one up from whom the request lies with now; None at the end of the line."""
    present = request.approver.open_id if request.approver else ""
    leader = _leader_of(present) or request.employee.leader_open_id
    able = _able(request.employee, leader, request.requested_by)
    return next((user for user in able if user.pk != request.approver_id), None)


def may_be_approver(user: User, employee: Employee, *, requested_by: User | None) -> bool:
    """Of a role that may decide, and neither the employee nor whoever asked."""
    if requested_by is not None and user.pk == requested_by.pk:
        return False
    if policies.is_self(user, employee):
        return False
    return policies.deciders().filter(pk=user.pk).exists()


def _able(employee: Employee, leader: str, requested_by: User | None) -> Iterator[User]:
    for open_id in _line_from(leader):
        for user in policies.deciders().filter(open_id=open_id).order_by("pk"):
            if may_be_approver(user, employee, requested_by=requested_by):
                yield user


def _line_from(leader: str) -> Iterator[str]:
    """This leader, the leader's leader and so on."""
    seen: set[str] = set()
    while leader and leader not in seen and len(seen) < LONGEST_LINE:
        seen.add(leader)
        yield leader
        leader = _leader_of(leader)


def _leader_of(open_id: str) -> str:
    if not open_id:
        return ""
    found = Contact.objects.filter(feishu_id=open_id).values_list("leader_open_id", flat=True)
    return found.first() or ""
