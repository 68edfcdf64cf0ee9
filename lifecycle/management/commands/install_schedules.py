"""`manage.py install_schedules`: what the queue does at regular times. Repeatable."""

from datetime import timedelta
from typing import Any, NamedTuple

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone
from django_q.models import Schedule


class Regular(NamedTuple):
    name: str
    function: str
    minutes: int
    # Longer than the queue's own limit: a large tenant takes a while to read. Delivered again
    # meanwhile, the job finds its own lease and leaves.
    seconds_at_most: int


# Due and leased changes are not here: the worker sweeps those itself, with the queue dead too.
REGULAR = [
    # What is due of it is looked at every minute (POLL_MINUTES); a pass that takes longer than
    # the limit goes on where it was cut off.
    Regular("poll-often", "lifecycle.jobs.poll_often", minutes=1, seconds_at_most=1800),
    Regular("poll-rest", "lifecycle.jobs.poll_rest", minutes=1, seconds_at_most=1800),
    Regular("tend-requests", "lifecycle.jobs.tend_requests", minutes=5, seconds_at_most=600),
    Regular(
        "erase-private-values",
        "lifecycle.jobs.erase_private_values",
        minutes=24 * 60,
        seconds_at_most=1800,
    ),
    Regular("check-changes", "lifecycle.jobs.check_changes", minutes=24 * 60, seconds_at_most=3600),
    Regular("forget-sessions", "lifecycle.jobs.forget_sessions", minutes=60, seconds_at_most=600),
    Regular("tend-drift", "lifecycle.jobs.tend_drift", minutes=15, seconds_at_most=600),
    Regular("send-digest", "lifecycle.jobs.send_digest", minutes=10, seconds_at_most=600),
    # Whether a checkpoint is due is looked at every minute (LOG_CHECKPOINT_ENTRIES, _MINUTES).
    Regular("sign-checkpoints", "lifecycle.jobs.sign_checkpoints", minutes=1, seconds_at_most=1800),
]


class Command(BaseCommand):
    help = "Installs the schedules of the background work; running it again changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        for regular in REGULAR:
            _install(regular)
        Schedule.objects.exclude(name__in=[regular.name for regular in REGULAR]).delete()


@transaction.atomic
def _install(regular: Regular) -> None:
    """Of several with the name, the first stays: nothing keeps two workers that start at the same
    moment from making one each."""
    what = {
        "func": regular.function,
        "kwargs": f"q_options={{'timeout': {regular.seconds_at_most}}}",
        "schedule_type": Schedule.MINUTES,
        "minutes": regular.minutes,
        "repeats": -1,
    }
    named = Schedule.objects.filter(name=regular.name).order_by("pk")
    kept = named.values_list("pk", flat=True).first()
    if kept is None:
        first_run = timezone.now() + timedelta(minutes=regular.minutes)
        Schedule.objects.create(name=regular.name, next_run=first_run, **what)
        return
    named.filter(pk=kept).update(**what)
    named.exclude(pk=kept).delete()
