"""Dates and ranges in CoreHR request bodies."""

from datetime import date

from ..calls import Call, Refusal


def is_day(value: str) -> bool:
    """Strictly `YYYY-MM-DD`; Python's own parser also takes 20260131 and week dates."""
    if len(value) != 10 or value[4] != "-" or value[7] != "-":
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def check_range(
    call: Call, start_name: str, end_name: str, *, one_end: int | None = None
) -> tuple[str, str] | None:
    """Both ends or none. `one_end` is the endpoint's own code for half a range."""
    start, end = call.body_text(start_name), call.body_text(end_name)
    if not start and not end:
        return None
    if not start or not end:
        raise Refusal(
            one_end or call.endpoint.bad_parameter, f"{start_name} and {end_name} come as a pair"
        )
    for name, value in ((start_name, start), (end_name, end)):
        if not is_day(value):
            raise call.bad(name, f"{name} must be YYYY-MM-DD", value)
    return start, end
