"""What the programs share: their arguments, a database of their own, and the table they print."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`ratio`: how often the floor fits into the product's time, or the other way round where
    more is better; `goal`: in words, from docs."""

    what: str
    floor: str
    product: str
    ratio: float
    goal: str
    is_met: bool

    @classmethod
    def at_most(cls, what: str, product: float, floor: float, times: float) -> Figure:
        """Seconds; the product may take so many times the floor."""
        ratio = product / floor
        return cls(what, _ms(floor), _ms(product), ratio, f"<= {times:g}x", ratio <= times)

    @classmethod
    def faster(cls, what: str, product: float, other: float, times: float) -> Figure:
        """Seconds; the product is at least so many times as fast."""
        ratio = other / product
        return cls(what, _ms(other), _ms(product), ratio, f">= {times:g}x faster", ratio >= times)

    @classmethod
    def below(cls, what: str, value: float, most: float, unit: str) -> Figure:
        return cls(
            what, "", f"{value:g} {unit}", value / most, f"<= {most:g} {unit}", value <= most
        )


def interleaved(*ways: Callable[[], object], repeats: int) -> list[float]:
    """The median seconds of each way, measured in turns so that a busy moment meets all."""
    seconds: list[list[float]] = [[] for _ in ways]
    for number in range(repeats + 1):
        for way, taken in zip(ways, seconds, strict=True):
            start = time.perf_counter()
            way()
            if number:  # the first turn warms up
                taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in seconds]


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def main(measure: Callable[[int, int], list[Figure]], *, size: int, quick: int) -> None:
    """Run a program by its arguments and print its figures."""
    parser = argparse.ArgumentParser(description=sys.modules[measure.__module__].__doc__)
    parser.add_argument("--size", type=int, default=size, help="rows (default: %(default)s)")
    parser.add_argument("--quick", action="store_const", const=quick, dest="size")
    parser.add_argument("--repeats", type=int, default=9)
    given = parser.parse_args()
    print_table(measure(given.size, given.repeats))


def set_up() -> None:
    """Settings and tables. The database is var/bench/hrportal.sqlite3, or the one DATABASE_URL
    names; its name must then say that it is for this."""
    os.environ.setdefault("HRPORTAL_VAR_DIR", "var/bench")
    os.environ.setdefault("HRPORTAL_LOCAL", "1")
    os.environ.setdefault("DJANGO_HTTPS_ONLY", "0")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hrportal.settings")
    url = os.environ.get("DATABASE_URL", "bench")
    if "bench" not in url.rsplit("/", 1)[-1]:
        sys.exit("The database is emptied and filled: its name must have “bench” in it.")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)


def print_table(figures: Sequence[Figure]) -> None:
    from django.db import connection

    print(f"\n{connection.vendor}\n")
    print("| what | floor | product | ratio | goal | met |\n|---|---|---|---|---|---|")
    for one in figures:
        met = "yes" if one.is_met else "**no**"
        print(
            f"| {one.what} | {one.floor} | {one.product} | {one.ratio:.2f} | {one.goal} | {met} |"
        )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms" if seconds < 10 else f"{seconds:.1f} s"
