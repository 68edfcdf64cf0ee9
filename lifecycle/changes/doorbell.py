"""Ringing for the worker. The message is a bare id and may be lost: what is due stands in
the change's own row, and the sweeper finds it there."""

from __future__ import annotations

from django_q.tasks import async_task


def ring(change_id: int) -> None:
    """Ask a worker to look at a change now. In a transaction, the bell rings on commit."""
    async_task("lifecycle.jobs.run_change", change_id)


def ring_reminders() -> None:
    """Ask a worker to tell people at once what waits for them. In a transaction, on commit."""
    async_task("lifecycle.jobs.remind_deciders", save=False)


def ring_messages() -> None:
    """Ask a worker to send what waits, and to bring cards up to date."""
    async_task("lifecycle.jobs.tend_messages", save=False)
