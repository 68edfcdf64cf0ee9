"""A browser in words, from what it says of itself: for people, never for a decision."""

from __future__ import annotations

from django.utils.translation import gettext as _

# The first that is found counts: Edge and others also call themselves Chrome, all Safari.
BROWSERS = (
    ("Lark/", "Feishu"),
    ("Feishu/", "Feishu"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("MicroMessenger/", "WeChat"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("python-requests/", "Python"),
    ("curl/", "curl"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("OpenHarmony", "HarmonyOS"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_words(agent: str) -> str:
    """Such as “Chrome · Windows”."""
    browser, system = _first(agent, BROWSERS), _first(agent, SYSTEMS)
    return " · ".join(word for word in (browser, system) if word) or _("Unknown browser")


def _first(agent: str, known: tuple[tuple[str, str], ...]) -> str:
    return next((word for mark, word in known if mark in agent), "")
