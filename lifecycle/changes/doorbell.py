"""Ringing for the worker. The message is a bare id and may be lost: what is due stands in
the change's own row, and the sweeper finds it there."""

from __future__ import annotations

from django_q.tasks import async_task


def ring(change_id: int) -> None:
    """Ask a worker to look at a change now. In a transaction, the bell rings on commit."""
    async_task("lifecycle.jobs.run_change", change_id)
