"""Deliberately broken protocols: a few changed words each, and the promises they break.

`old` has to stand exactly once in its file, so that a mutant stays true to the code it is made
of. One that is not caught is a hole in the property test, not a reason to take it out.
"""

from __future__ import annotations

from dataclasses import dataclass

PROTOCOL = "lifecycle/changes/protocol.py"
SETTLE = "lifecycle/changes/settle.py"
GUARDS = "lifecycle/changes/guards.py"
APPROVALS = "lifecycle/services/approvals.py"
POLICIES = "lifecycle/policies.py"
CODES = "lifecycle/feishu/code_rows.py"
OUTCOMES = "lifecycle/feishu/outcomes.py"


@dataclass(frozen=True, slots=True)
class Edit:
    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """`fells`: invariants of which at least one has to be named. `is_of_schema`: it changes the
    database, which is then made anew."""

    name: str
    fells: frozenset[str]
    edits: tuple[Edit, ...]
    is_of_schema: bool = False


def _mutant(name: str, fells: str, *edits: tuple[str, str, str], schema: bool = False) -> Mutant:
    return Mutant(name, frozenset(fells.split()), tuple(Edit(*edit) for edit in edits), schema)


MUTANTS: tuple[Mutant, ...] = (
    # -- waiting and reading back
    _mutant(
        "no settle time", "I16",
        (PROTOCOL, "max(at, attempt.deadline_at + settings.SETTLE_AFTER[endpoint.name])", "at"),
    ),
    _mutant(
        "one settle time for all endpoints", "I16",
        (PROTOCOL, "settings.SETTLE_AFTER[endpoint.name]", "min(settings.SETTLE_AFTER.values())"),
    ),
    _mutant(
        "one reading is enough", "I16",
        (SETTLE, "if first is None or at - first < settings.SETTLE_READ_GAP:", "if False:"),
    ),
    _mutant(
        "two readings at once are enough", "I16",
        (SETTLE, "if first is None or at - first < settings.SETTLE_READ_GAP:", "if first is None:"),
        (SETTLE, "facts, first + settings.SETTLE_READ_GAP, first)", "facts, at, first)"),
    ),
    _mutant(
        "what is not due is looked at as well", "I16 I8",
        (
            PROTOCOL,
            "status__in=(Status.APPROVED.value, Status.VERIFYING.value),\n"
            "            next_run_at__lte=at,",
            "status__in=(Status.APPROVED.value, Status.VERIFYING.value),",
        ),
    ),
    _mutant(
        "a conflict counts as not applied", "I6",
        (
            SETTLE,
            "    if image_hash(facts) != change.pre_image_hash:\n        return Look(",
            "    if False:\n        return Look(",
        ),
    ),
    _mutant(
        "what is read back counts as never sent", "I2",
        (PROTOCOL, "return Via.READBACK if in_doubt else Via.ALREADY", "return Via.ALREADY"),
    ),
    _mutant(
        "what nobody has done counts as read back", "I2",
        (SETTLE, "return Look(Verdict.NOT_APPLIED, facts)", "return Look(Verdict.APPLIED, facts)"),
    ),
    # -- looking first
    _mutant(
        "no reading before the send", "I6",
        (
            PROTOCOL,
            "facts = _look_first(change, kind)",
            "facts = kind.facts(kind.known(kind.subject.find(change.subject_id)))",
        ),
    ),
    _mutant(
        "the reading before the send is ignored", "I6",
        (
            PROTOCOL,
            "    if image_hash(facts) != change.pre_image_hash:\n        return need_attention",
            "    if False:\n        return need_attention",
        ),
    ),
    # -- silence
    _mutant(
        "a timeout is tried again", "I1 I3 I9",
        (
            PROTOCOL,
            "if result.outcome in BACKGROUND_OUTCOMES:",
            "if result.outcome in BACKGROUND_OUTCOMES | {Outcome.UNKNOWN}:",
        ),
    ),
    _mutant(
        "silence counts as a failure", "I3",
        (
            PROTOCOL,
            "return _verify(change, attempt, data=answer, private=beside, uses_attempt=True)",
            'return _fail(change, "feishu.silent", data=answer, uses_attempt=True)',
        ),
    ),
    _mutant(
        "silence counts as a success", "I2",
        (
            PROTOCOL,
            "if result.outcome is Outcome.APPLIED:",
            "if result.outcome in (Outcome.APPLIED, Outcome.UNKNOWN):",
        ),
    ),
    _mutant(
        "a lease that ran out is sent again", "I1 I3 I16",
        (
            PROTOCOL,
            "        _verify(\n            attempt.change,\n            attempt,\n"
            '            data=data | {"outcome": Outcome.UNKNOWN.value},\n'
            "            uses_attempt=True,\n        )",
            '        _move(attempt.change, Status.APPROVED, event="change.postponed", at=at,\n'
            "              data=data, uses_attempt=True, next_run_at=at)",
        ),
    ),
    _mutant(
        "leases never run out", "I12",
        (PROTOCOL, "finished_at=None, lease_until__lte=at)", "finished_at=None, pk=0)"),
    ),
    _mutant(
        "a lease ends before the request may", "I16",
        (PROTOCOL, "attempt.deadline_at + settings.SETTLE_AFTER", "at + 0 * settings.SETTLE_AFTER"),
        (
            PROTOCOL,
            "lease_until=at + settings.ATTEMPT_LEASE",
            "lease_until=at",
        ),
    ),
    _mutant(
        "already done after silence is a failure", "I3",
        (
            PROTOCOL,
            "    if not remote.outcomes.is_already(endpoint, result.code):",
            "    if True:",
        ),
    ),
    _mutant(
        "a server error of Hire counts as a refusal", "I3",
        (CODES, '_unknown(A2, 1002001, "system', '_no(A2, 1002001, "system'),
    ),
    _mutant(
        "an internal error of CoreHR counts as a refusal", "I3",
        (CODES, "_unknown(A4, 1160103,", "_no(A4, 1160103,"),
    ),
    _mutant(
        "what is not documented counts as a refusal", "I3",
        (
            OUTCOMES,
            "        return Outcome.AUTH\n    return Outcome.UNKNOWN",
            "        return Outcome.AUTH\n    return Outcome.REJECTED",
        ),
    ),
    # -- attempts
    _mutant(
        "sent before the attempt is committed", "I4",
        (
            PROTOCOL,
            "        attempt = _begin_attempt(change)\n    except",
            "        result = remote.client().send(call, ends_at=ends_at)\n"
            "        attempt = _begin_attempt(change)\n    except",
        ),
        (
            PROTOCOL,
            "    result = remote.client().send(call, ends_at=ends_at)\n    return _take_answer",
            "    return _take_answer",
        ),
    ),
    _mutant(
        "attempts are not counted", "I9",
        (
            PROTOCOL,
            '        fields["attempts_used"] = change.attempts_used + 1',
            '        fields["attempts_used"] = change.attempts_used',
        ),
    ),
    _mutant(
        "attempts without end", "I9",
        (SETTLE, "change.attempts_used < settings.ATTEMPT_BUDGET", "True"),
    ),
    _mutant(
        "being slowed down uses up an attempt", "I9",
        (
            PROTOCOL,
            'data=answer | {"problem": problem, "next_run_at": next_run_at.isoformat()},',
            'data=answer | {"problem": problem, "next_run_at": next_run_at.isoformat()},\n'
            "        uses_attempt=True,",
        ),
    ),
    _mutant(
        "Feishu's wish for rest is ignored", "I14",
        (
            PROTOCOL,
            "        remote.limiter().pause(kind.endpoint, max(1.0, result.reset_after_s or 1.0))",
            "        pass",
        ),
    ),
    _mutant(
        "another client token for each attempt", "I4 I13",
        (
            PROTOCOL,
            "    call = remote.Call.from_canonical(change.payload)\n    if kind.holds",
            "    call = remote.Call.from_canonical(change.payload.replace(\n"
            '        str(change.submission_key), str(__import__("uuid").uuid4())))\n'
            "    if kind.holds",
        ),
    ),
    _mutant(
        "one client token for all changes", "I13 I2",
        (
            "lifecycle/changes/kinds/update_pre_hire.py",
            "client_token=key,",
            'client_token="00000000-0000-4000-8000-000000000000",',
        ),
    ),
    # -- one at a time, in order, when due
    _mutant(
        "two of one person at a time", "I7",
        (
            "lifecycle/migrations/0001_initial.py",
            "models.UniqueConstraint(condition=models.Q(('status__in', ['in_flight',"
            " 'needs_attention', 'verifying'])), fields=('person',),",
            "models.UniqueConstraint(condition=models.Q(('status__in', ['in_flight',"
            " 'needs_attention', 'verifying'])), fields=('id',),",
        ),
        schema=True,
    ),
    _mutant(
        "sent although another one is under way", "I4",
        (
            PROTOCOL,
            "    if attempt is None:\n        return postpone",
            "    if attempt is None:\n        remote.client().send(call, ends_at=ends_at)\n"
            "        return postpone",
        ),
    ),
    _mutant(
        "no order among the changes of a person", "I8",
        (
            PROTOCOL,
            "waiting = Q(status=Status.APPROVED.value) & earlier",
            "waiting = Q(pk=None)",
        ),
    ),
    _mutant(
        "the effective date is ignored", "I8",
        (
            PROTOCOL,
            '"next_run_at": None if awaits else plan.effective_at',
            '"next_run_at": None if awaits else at',
        ),
    ),
    _mutant(
        "agreed to is sent at once", "I8",
        (
            PROTOCOL,
            '        next_run_at=change.effective_at,\n        problem="",',
            '        next_run_at=at,\n        problem="",',
        ),
    ),
    _mutant(
        "each post of a form is a change", "I15",
        (
            PROTOCOL,
            "        submission_key=submission_key,\n        defaults={",
            '        submission_key=__import__("uuid").uuid4(),\n        defaults={',
        ),
    ),
    # -- steps and log
    _mutant(
        "a step and its entry are committed apart", "I11",
        (
            PROTOCOL,
            "    with transaction.atomic(durable=True), differences.told_last():\n        _write_a",
            "    if True:\n        _write_a",
        ),
        # The entry in a transaction of its own; within the test's that is a savepoint.
        ("lifecycle/action_log/writer.py", "atomic(savepoint=False)", "atomic()"),
    ),
    _mutant(
        "one step has no entry", "I11",
        (
            PROTOCOL,
            "    action_log.record(event, actor=actor, at=at, change=change",
            "    target is Status.VERIFYING or action_log.record(\n"
            "        event, actor=actor, at=at, change=change",
        ),
    ),
    _mutant(
        "hashes of something else than the entry", "I11",
        ("lifecycle/action_log/writer.py", "prev, entry.body)", 'prev, entry.body + " ")'),
    ),
    _mutant(
        "compared without the version", "I10",
        (
            PROTOCOL,
            "pk=change.pk, status=current.value, version=change.version\n    ).update(",
            "pk=change.pk, status=current.value\n    ).update(",
        ),
    ),
    _mutant(
        "not compared at all", "I10",
        (
            PROTOCOL,
            "pk=change.pk, status=current.value, version=change.version\n    ).update(",
            "pk=change.pk\n    ).update(",
        ),
    ),
    _mutant(
        "what is final is moved", "I10",
        (PROTOCOL, "    if not may_move(current, target, by=by):", "    if False:"),
    ),
    _mutant(
        "what is in doubt can be cancelled", "I3 I10",
        (
            PROTOCOL,
            "    if change.status == Status.NEEDS_ATTENTION and change.attempts.exists():",
            "    if False:",
        ),
    ),
    # -- two pairs of eyes, and the switch
    _mutant(
        "agreed to whatever was shown", "I5",
        (
            APPROVALS,
            "    if (payload_hash, pre_image_hash) != (change.payload_hash,",
            "    if False and (payload_hash, pre_image_hash) != (change.payload_hash,",
        ),
    ),
    _mutant(
        "agreed to over other facts", "I6",
        (
            APPROVALS,
            "if image_hash(facts) != change.pre_image_hash or not kind.is_legal(record):",
            "if not kind.is_legal(record):",
        ),
    ),
    _mutant(
        "one's own request is agreed to", "I5",
        (POLICIES, "    if change.requested_by_id == user.pk:\n", "    if False:\n"),
    ),
    _mutant(
        "agreed to by the one it is about", "I5",
        (
            POLICIES,
            "    if isinstance(user, User) and user.open_id and user.open_id =="
            " change.person.open_id:\n        return False\n    return visible_changes",
            "    return visible_changes",
        ),
    ),
    _mutant(
        "the daily limit does not count", "I5", (GUARDS, "row.count += 1", "row.count += 0"),
    ),
    _mutant(
        "the switch is read outside the transaction", "STOP",
        (
            PROTOCOL,
            "        with transaction.atomic(durable=True):\n"
            "            guards.check_writes_go_on()\n",
            "        guards.check_writes_go_on()\n"
            "        with transaction.atomic(durable=True):\n",
        ),
    ),
    _mutant(
        "the switch is not read again", "STOP",
        (GUARDS, "    if locked_switch().is_stopped:\n        raise WritesStopped", "    pass"),
    ),
)  # fmt: skip
