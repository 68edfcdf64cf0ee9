"""The portal's web application; a request that carries a boundary dies there.

`gunicorn tests.chaos.mortal_web:application`: one process among others, and whatever its
other threads were at dies with it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.db import connections

from hrportal.wsgi import application as portal
from tests.chaos.boundaries import DIES_AT, Deaths, dying_at

# Gunicorn's processes are forks of the one that has loaded this.
connections.close_all()
_deaths = Deaths(Path(os.environ["CHAOS_DEATHS"]))


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    key = environ.pop(f"HTTP_{DIES_AT.upper().replace('-', '_')}", "")
    if not key:
        return portal(environ, start_response)
    with dying_at(key, _deaths):
        return portal(environ, start_response)
