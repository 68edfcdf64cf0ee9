"""What each Feishu code means for a write: one row, one outcome, one reason.

Looked up in this order, so the narrower meaning wins: the endpoint's own row, then the
family's (all of Hire or all of CoreHR), then the gateway's. The same number can mean
different things on two endpoints, and neither the HTTP status nor the word "error" tells
whether something was done: 1160103 comes with HTTP 400 and may have been applied, 1002908
comes with HTTP 500 and was certainly not.

`already` marks codes that a repeat would get once an earlier, silent attempt has worked:
after such an attempt they are a reason to look, not a failure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lifecycle.feishu import endpoints

A1 = endpoints.TALENT_ONBOARD_STATUS.key
A2 = endpoints.EMPLOYEE_PATCH.key
A3 = endpoints.APPLICATION_TRANSFER_ONBOARD.key
A4 = endpoints.OFFBOARDING_EDIT.key
A5 = endpoints.PRE_HIRE_PATCH.key
HIRE = "/hire/"
COREHR = "/corehr/"
IM = "/im/"
GATEWAY = "*"


class Outcome(StrEnum):
    """What is known after one write was tried."""

    APPLIED = "applied"
    REJECTED = "rejected"
    THROTTLED = "throttled"
    AUTH = "auth"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CodeRow:
    where: str
    code: int
    outcome: Outcome
    reason: str
    already: bool = False


def _no(where: str, code: int, reason: str) -> CodeRow:
    return CodeRow(where, code, Outcome.REJECTED, reason)


def _already(where: str, code: int, reason: str) -> CodeRow:
    return CodeRow(where, code, Outcome.REJECTED, reason, already=True)


def _unknown(where: str, code: int, reason: str) -> CodeRow:
    return CodeRow(where, code, Outcome.UNKNOWN, reason)


def _auth(code: int, reason: str) -> CodeRow:
    return CodeRow(GATEWAY, code, Outcome.AUTH, reason)


def _throttled(where: str, code: int, reason: str) -> CodeRow:
    return CodeRow(where, code, Outcome.THROTTLED, reason)


ROWS: tuple[CodeRow, ...] = (
    # A1, a talent's employment status.
    _unknown(A1, 1002001, "system error: may have been applied"),
    _already(A1, 1002002, "bad request; also the likely answer to a talent already there"),
    _already(A1, 1002103, "talent is employed, by Hire's general list"),
    # A2, a Hire employee's status.
    _unknown(A2, 1002001, "system error: may have been applied"),
    _no(A2, 1002002, "bad request"),
    _already(A2, 1002902, "the employee's state does not allow it, perhaps not any more"),
    _already(A2, 1002903, "no such employee, perhaps since sent back to pre-hire"),
    _no(A2, 1002905, "illegal time"),
    _already(A2, 1002907, "no departure to undo, perhaps not any more"),
    _no(A2, 1002908, "e-HR switch is off"),
    _no(A2, 1002910, "person already lives in CoreHR"),
    # A3, onboarding a candidate.
    _unknown(A3, 1002001, "system error: may have been applied"),
    _no(A3, 1002002, "bad request"),
    _no(A3, 1002901, "no such application"),
    _already(A3, 1002902, "not at the pre-hire stage, perhaps not any more"),
    _already(A3, 1002904, "already onboarded"),
    _no(A3, 1002905, "illegal time"),
    _no(A3, 1002908, "e-HR switch is off, although the status is 500"),
    _no(A3, 1002210, "talent locked by another application, although the status is 500"),
    # A4, editing an offboarding record. Everything comes with HTTP 400.
    _no(A4, 1160102, "bad request"),
    _unknown(A4, 1160103, "internal error although the status is 400: may have been applied"),
    _no(A4, 1160200, "a job change is in approval"),
    _no(A4, 1160203, "no valid contract on the departure date"),
    _no(A4, 1160204, "a later contract exists"),
    _no(A4, 1160205, "the contract has an actual end date"),
    _no(A4, 1160300, "department disabled on the departure date"),
    _no(A4, 1160304, "no such company"),
    _no(A4, 1160601, "departure before onboarding"),
    _no(A4, 1160602, "departure before probation"),
    _no(A4, 1160603, "departure before the last job change"),
    _no(A4, 1160604, "explanation too long"),
    _no(A4, 1160607, "departure before the contract starts"),
    _no(A4, 1160608, "departure after the contract ends"),
    _no(A4, 1160610, "outside the app's data scope"),
    _no(A4, 1160617, "malformed link"),
    _no(A4, 1160618, "text too long"),
    _no(A4, 1160619, "no such option"),
    _no(A4, 1160623, "record or field may not be edited"),
    _no(A4, 1160624, "no such operator"),
    _no(A4, 1160625, "no such record"),
    _no(A4, 1160630, "malformed number"),
    _already(A4, 1160631, "employee absent or already left"),
    _no(A4, 1160636, "no such person in a person field"),
    _no(A4, 1160637, "attachments cannot be edited"),
    _no(A4, 1160638, "malformed date"),
    _no(A4, 1160639, "malformed boolean"),
    _no(A4, 1160700, "illegal non-compete field"),
    _no(A4, 1160710, "illegal block-list field"),
    _unknown(A4, 1161000, "unknown error although the status is 400: may have been applied"),
    _no(A4, 1161001, "a change to the record is in approval (newer edition of the page)"),
    _no(A4, 1161002, "a withdrawal is in approval (newer edition of the page)"),
    # A5, a pre-hire.
    _no(A5, 1161019, "same cost center twice"),
    _no(A5, 1161020, "share is not a whole number from 1 to 100"),
    _no(A5, 1161021, "incomplete cost center"),
    _no(A5, 1161022, "no such cost center"),
    _no(A5, 1161023, "shares do not add up to 100"),
    _no(A5, 1161024, "cost center deactivated"),
    _no(A5, 1161025, "cost center about to be disabled"),
    _unknown(A5, 1160025, "the page does not say what it means"),
    # All of Hire.
    _unknown(HIRE, 1002001, "system error"),
    _unknown(HIRE, 1020001, "system error as Hire's general list prints it"),
    _no(HIRE, 1002002, "bad request"),
    _no(HIRE, 1002102, "no such talent"),
    _no(HIRE, 1002201, "no such application"),
    _no(HIRE, 1002210, "talent locked"),
    # All of CoreHR.
    _no(COREHR, 1160001, "bad request"),
    _no(COREHR, 1160102, "bad request"),
    _unknown(COREHR, 1160103, "internal error or no permission, depending on the endpoint"),
    _unknown(COREHR, 1161000, "server error"),
    _unknown(COREHR, 1161204, "timeout inside Feishu: may have been applied"),
    _throttled(COREHR, 1161604, "CoreHR's own limiter, before anything is done"),
    # Messages (发送消息, 更新已发送的消息卡片). The same uuid within an hour is one message, so
    # what is not known is simply sent again.
    _no(IM, 230001, "bad request, or no such message"),
    _no(IM, 230006, "the app is no bot"),
    _no(IM, 230011, "message recalled"),
    _no(IM, 230013, "receiver outside the app's availability, or left"),
    _throttled(IM, 230020, "limit of messages, among them 5 a second to one receiver"),
    _no(IM, 230022, "sensitive content"),
    _no(IM, 230025, "message too long"),
    _no(IM, 230027, "app lacks a permission"),
    _no(IM, 230028, "content refused by the audit"),
    _no(IM, 230029, "receiver has left"),
    _no(IM, 230031, "message older than 14 days"),
    _no(IM, 230034, "no such receiver"),
    _no(IM, 230035, "no permission to send to this receiver"),
    _no(IM, 230038, "receiver of another tenant"),
    _unknown(IM, 230049, "the same message is being sent in this moment"),
    _no(IM, 230053, "receiver has blocked the bot"),
    _no(IM, 230099, "the card cannot be built"),
    _no(IM, 230110, "message deleted"),
    # The gateway refuses these before the endpoint sees the request, except 2200.
    _throttled(GATEWAY, 99991400, "rate limit, with HTTP 429 or on older endpoints 400"),
    _auth(99991661, "no token"),
    _auth(99991662, "app disabled"),
    _auth(99991663, "tenant token expired or invalid"),
    _auth(99991664, "app token invalid"),
    _auth(99991665, "tenant token invalid"),
    _auth(99991666, "same family of token codes"),
    _auth(99991667, "same family of token codes"),
    _auth(99991668, "user token invalid, or not taken here"),
    _auth(99991669, "refresh token invalid"),
    _auth(99991671, "token malformed"),
    _auth(99991677, "user token expired"),
    _no(GATEWAY, 99991672, "app lacks a permission"),
    _no(GATEWAY, 99991673, "app not usable in this tenant"),
    _no(GATEWAY, 99991676, "token carries no such permission"),
    _no(GATEWAY, 99991679, "user has not granted the permission"),
    _no(GATEWAY, 99991401, "address not on the app's allow-list"),
    _no(GATEWAY, 99991403, "monthly quota used up"),
    _no(GATEWAY, 99991201, "no such path"),
    _no(GATEWAY, 99991301, "wrong method"),
    _no(GATEWAY, 99991543, "no such app"),
    _no(GATEWAY, 99991675, "malformed user id"),
    _no(GATEWAY, 99992351, "no such open_id"),
    _no(GATEWAY, 99992360, "no such user_id"),
    _no(GATEWAY, 99992361, "open_id of another app"),
    _no(GATEWAY, 99992363, "no such union_id"),
    _no(GATEWAY, 99992364, "union_id unknown or user_id of another tenant"),
    _no(GATEWAY, 99992379, "no such department"),
    _no(GATEWAY, 99992380, "no such department"),
    _no(GATEWAY, 99992381, "union_id of another tenant"),
    _no(GATEWAY, 99992402, "bad request, see the error object"),
    _no(GATEWAY, 9499, "bad request"),
    _no(GATEWAY, 10014, "app not usable"),
    _unknown(GATEWAY, 2200, "internal error of the gateway"),
)

BY_PLACE: dict[tuple[str, int], CodeRow] = {(row.where, row.code): row for row in ROWS}
