"""Figures for Prometheus: how old the copy of Feishu is, and what waits. No personal data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from lifecycle.models import DriftCase, PushedEvent, SyncCase, WorkerBeat
from lifecycle.services import polling, sync

Sample = tuple[dict[str, str], float]


def exposition(*, at: datetime) -> str:
    """Prometheus' text format, version 0.0.4."""
    return "".join(_family(*family) for family in _families(at))


def _families(at: datetime) -> Iterator[tuple[str, str, list[Sample]]]:
    health, plans = sync.mirror_health(), polling.plans(at=at)

    def of_kinds(read: Callable[[sync.KindHealth], float | None]) -> list[Sample]:
        values = [({"kind": kind.kind}, read(kind)) for kind in health]
        return [(labels, float(value)) for labels, value in values if value is not None]

    def age(kind: sync.KindHealth) -> float | None:
        success = kind.last_success_at
        return None if success is None else (at - success).total_seconds()

    def until_next(kind: sync.KindHealth) -> float | None:
        next_at = plans[kind.kind].next_at
        return None if next_at is None else (next_at - at).total_seconds()

    yield "sync_age_seconds", "Since the last pass that succeeded.", of_kinds(age)
    yield "sync_next_seconds", "Until the next pass; absent when paused.", of_kinds(until_next)
    yield "sync_stale", "1 when the pages call it out of date.", of_kinds(lambda k: k.is_stale)
    yield "sync_failed", "1 when the last pass failed.", of_kinds(lambda k: bool(k.problem))
    yield "sync_paused", "1 when paused.", of_kinds(lambda k: plans[k.kind].is_paused)
    yield "sync_pass_seconds", "How long the last pass took.", of_kinds(lambda k: k.seconds)
    yield "mirror_rows", "Records held.", of_kinds(lambda k: k.rows)
    yield "mirror_unreadable", "Records put aside.", of_kinds(lambda k: k.unreadable)
    yield "changes_24h", "Differences seen in 24 hours.", of_kinds(lambda k: k.changes)
    yield "sync_cases_open", "Passes that wait for a decision.", _counted(SyncCase, closed_at=None)
    yield "drift_open", "Contradictions.", _counted(DriftCase, state=DriftCase.State.OPEN)
    due = PushedEvent.objects.filter(due_at__lte=at).count()
    yield "pushes_due", "Pushed events whose record waits to be read.", [({}, float(due))]
    beats = WorkerBeat.objects.values_list("name", "beat_at")
    ages = [({"part": name}, (at - beat_at).total_seconds()) for name, beat_at in beats]
    yield "worker_beat_age_seconds", "Since this part of the worker did something.", ages


def _counted(model: type[SyncCase] | type[DriftCase], **condition: object) -> list[Sample]:
    return [({}, float(model._default_manager.filter(**condition).count()))]


def _family(name: str, text: str, samples: list[Sample]) -> str:
    lines = [f"# HELP hrportal_{name} {text}", f"# TYPE hrportal_{name} gauge"]
    for labels, value in samples:
        inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        lines.append(f"hrportal_{name}{{{inner}}} {value:g}".replace("{}", ""))
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
