"""A bar that shows how far a command has come, where somebody is looking."""

from __future__ import annotations

import sys

WIDTH = 30


def show(label: str, done: int, of: int | None) -> None:
    """Draw it over the one before. `of`: how many there will be, None when nobody knows."""
    if not sys.stdout.isatty():
        return
    filled = min(WIDTH, WIDTH * done // of) if of else WIDTH
    bar = "█" * filled + "·" * (WIDTH - filled) if of else "…"
    sys.stdout.write(f"\r{label:<14} {bar} {done}{f'/{of}' if of else ''} ")
    sys.stdout.flush()


def clear() -> None:
    """Leave the line to what is said next."""
    if sys.stdout.isatty():
        sys.stdout.write("\r\033[K")
