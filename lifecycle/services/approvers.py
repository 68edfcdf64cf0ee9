"""Whom a request is addressed to at each of its steps.

The leader is the one in Feishu, or the next one up with an account; the leader's leader is found
from there; the HRBP is an HR user of the employee's department, or of the nearest one above it.
Nobody decides on what they asked for, on themselves, or at two steps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from lifecycle import policies
from lifecycle.models import ApprovalStep, Contact, ConversionRequest, Employee, User

# A line of leaders longer than this leads in a circle.
LONGEST_LINE = 30


def first_approver(
    employee: Employee,
    *,
    requested_by: User | None,
    role: str = ApprovalStep.LEADER,
    agreed: Collection[int] = (),
) -> User | None:
    """Who decides at a step of this role; None when there is nobody who may. `agreed`: the
    numbers of those who have decided at earlier steps."""
    able = _candidates(employee, role, requested_by, agreed)
    return next(able, None)


def next_approver(request: ConversionRequest) -> User | None:
    """The next one up from whom the request lies with now; None at the end of the line."""
    agreed = agreed_at_steps(request)
    if request.step_role == ApprovalStep.HRBP:
        able = _candidates(request.employee, request.step_role, request.requested_by, agreed)
        everyone = list(able)
        places = [place for place, user in enumerate(everyone) if user.pk == request.approver_id]
        after = places[0] + 1 if places else 0
        return next(iter(everyone[after:]), None)
    present = request.approver.open_id if request.approver else ""
    leader = _leader_of(present) or request.employee.leader_open_id
    able = _able(request.employee, leader, request.requested_by, agreed)
    return next((user for user in able if user.pk != request.approver_id), None)


def agreed_at_steps(request: ConversionRequest) -> set[int]:
    """Who has agreed to this request at its earlier steps."""
    return set(request.agreements.values_list("by", flat=True))


def may_be_approver(
    user: User,
    employee: Employee,
    *,
    requested_by: User | None,
    role: str = ApprovalStep.LEADER,
    agreed: Collection[int] = (),
) -> bool:
    """Of a role that may decide at this step, and neither the employee, nor whoever asked, nor
    one who has decided at an earlier step."""
    if requested_by is not None and user.pk == requested_by.pk:
        return False
    if user.pk in agreed or policies.is_self(user, employee):
        return False
    if role == ApprovalStep.HRBP:
        return any(other.pk == user.pk for other in policies.hrbps_of(employee))
    return policies.deciders().filter(pk=user.pk).exists()


def _candidates(
    employee: Employee, role: str, requested_by: User | None, agreed: Collection[int]
) -> Iterator[User]:
    if role == ApprovalStep.HRBP:
        asked = requested_by.pk if requested_by is not None else None
        near = policies.hrbps_of(employee)
        return (user for user in near if user.pk != asked and user.pk not in agreed)
    leader = employee.leader_open_id
    if role == ApprovalStep.ABOVE:
        leader = _leader_of(leader)
    return _able(employee, leader, requested_by, agreed)


def _able(
    employee: Employee, leader: str, requested_by: User | None, agreed: Collection[int] = ()
) -> Iterator[User]:
    for open_id in _line_from(leader):
        for user in policies.deciders().filter(open_id=open_id).order_by("pk"):
            if may_be_approver(user, employee, requested_by=requested_by, agreed=agreed):
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
