"""From an exchange on the wire to what a caller gets: a result, data, or an exception."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lifecycle.feishu.calls import Call
from lifecycle.feishu.endpoints import Endpoint
from lifecycle.feishu.envelope import Envelope, log_id_in, read_envelope
from lifecycle.feishu.errors import (
    AuthRefused,
    FeishuError,
    NoAnswer,
    NotSent,
    Refused,
    ScopeMissing,
    Throttled,
)
from lifecycle.feishu.outcomes import Outcome, classify
from lifecycle.feishu.transport import Exchange

EVIDENCE_BYTES = 4096
SCOPE_CODES = frozenset({99991672, 99991676, 99991679})


@dataclass(frozen=True, slots=True)
class SendResult:
    """What is known after one attempt to write.

    `problem` is one word when no readable answer came. `evidence` is the start of the
    answer as text, for support; like `msg`, `data` and `error` it stays out of repr().
    """

    outcome: Outcome
    http_status: int | None = None
    code: int | None = None
    msg: str = field(default="", repr=False)
    log_id: str | None = None
    data: dict[str, Any] = field(default_factory=dict, repr=False)
    error: dict[str, Any] = field(default_factory=dict, repr=False)
    reset_after_s: float | None = None
    problem: str | None = None
    elapsed_ms: int = 0
    evidence: str = field(default="", repr=False)


def send_result(call: Call, exchange: Exchange) -> SendResult:
    """What one attempt to write came to."""
    if exchange.problem or exchange.http_status is None:
        return SendResult(
            outcome=Outcome.UNKNOWN if exchange.was_sent else Outcome.NOT_SENT,
            http_status=exchange.http_status,
            log_id=log_id_in(exchange.headers),
            problem=exchange.problem,
            elapsed_ms=exchange.elapsed_ms,
            evidence=_evidence(exchange.body),
        )
    envelope = read_envelope(exchange.http_status, exchange.headers, exchange.body)
    return SendResult(
        outcome=classify(call.endpoint, envelope, call=call),
        http_status=envelope.http_status,
        code=envelope.code,
        msg=envelope.msg,
        log_id=envelope.log_id,
        data=envelope.data,
        error=envelope.error,
        reset_after_s=envelope.reset_after_s,
        problem=envelope.problem,
        elapsed_ms=exchange.elapsed_ms,
        evidence=_evidence(exchange.body),
    )


def without_token(error: FeishuError) -> SendResult:
    """The result of a write that never left, because no token could be had."""
    if isinstance(error, Refused):
        throttled = isinstance(error, Throttled)
        return SendResult(
            outcome=Outcome.NOT_SENT if throttled else Outcome.AUTH,
            http_status=error.envelope.http_status,
            code=error.code,
            msg=error.envelope.msg,
            log_id=error.log_id,
            reset_after_s=error.envelope.reset_after_s,
            problem="no-token",
        )
    return SendResult(outcome=Outcome.NOT_SENT, problem="no-token")


def data_or_raise(
    endpoint: Endpoint, exchange: Exchange, *, every_code_is_auth: bool = False
) -> dict[str, Any]:
    """The data of a successful answer.

    Raises NotSent, NoAnswer, Throttled, ScopeMissing, AuthRefused, Refused. With
    `every_code_is_auth`, as for the token endpoint, any refusal is AuthRefused.
    """
    status = exchange.http_status
    if status is None and not exchange.was_sent:
        raise NotSent(endpoint, exchange.problem or "no-connection")
    if exchange.problem or status is None:
        problem = exchange.problem or "no-answer"
        raise NoAnswer(endpoint, problem, http_status=status, log_id=log_id_in(exchange.headers))
    envelope = read_envelope(status, exchange.headers, exchange.body)
    if envelope.is_success and not 300 <= status < 400:
        return envelope.data
    raise _refusal(endpoint, envelope, every_code_is_auth=every_code_is_auth)


def _refusal(endpoint: Endpoint, envelope: Envelope, *, every_code_is_auth: bool) -> FeishuError:
    outcome = classify(endpoint, envelope)
    if outcome is Outcome.THROTTLED:
        return Throttled(endpoint, envelope)
    if envelope.readable and envelope.code in SCOPE_CODES:
        return ScopeMissing(endpoint, envelope)
    is_answer = envelope.readable and envelope.http_status < 500
    if outcome is Outcome.AUTH or (every_code_is_auth and is_answer):
        return AuthRefused(endpoint, envelope)
    if not envelope.readable or envelope.code == 0:
        return NoAnswer(
            endpoint,
            envelope.problem or "redirect",
            http_status=envelope.http_status,
            log_id=envelope.log_id,
        )
    return Refused(endpoint, envelope)


def _evidence(body: bytes) -> str:
    return body[:EVIDENCE_BYTES].decode("utf-8", "replace").replace("\x00", "\ufffd")
