"""The programs that measure the portal run, on a handful of rows; what they find is not judged."""

from __future__ import annotations

from importlib import import_module

import pytest

pytestmark = pytest.mark.thorough

SIZES = {"lists": 60, "search": 60, "sync": 40, "transition": 3, "export": 60, "log": 20}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", SIZES)
def test_measures(name, settings, lifted_log):
    settings.SECURE_SSL_REDIRECT = False
    figures = import_module(f"bench.{name}").measure(SIZES[name], 1)
    assert figures
    assert all(figure.ratio >= 0 for figure in figures)
