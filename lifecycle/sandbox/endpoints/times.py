"""Bounds of times. Only "not in the future" (A3) is documented; the rest keeps nonsense out."""

_YEAR_2100_MS = 4_102_444_800_000


def is_plausible_ms(value: int) -> bool:
    return 0 < value <= _YEAR_2100_MS
