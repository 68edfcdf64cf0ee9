"""A person's browser: signs in, reads the forms of pages, sends them as they stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

PASSWORD = "correct horse"
TIMEOUT_S = 60.0

Headers = dict[str, str]


@dataclass
class Form:
    """`fields`: what the browser would send. `steps`: values of its buttons named step."""

    action: str
    fields: dict[str, str | list[str]] = field(default_factory=dict)
    steps: set[str] = field(default_factory=set)


class Forms(HTMLParser):
    """All forms of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._form: Form | None = None
        self._select = self._area = ""
        self._options: list[tuple[str, bool]] = []
        self.feed(html)

    def to(self, path: str) -> Form | None:
        """The last form that is sent to this address."""
        return next((form for form in reversed(self.found) if form.action == path), None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(has.get("action", ""))
            self.found.append(self._form)
        if self._form is None or "disabled" in has:
            return
        name = has.get("name", "")
        if tag == "button" and name == "step":
            self._form.steps.add(has.get("value", ""))
        elif tag == "input" and name:
            self._input(name, has)
        elif tag == "select" and name:
            self._select, self._options = name, []
        elif tag == "option" and self._select:
            self._options.append((has.get("value", ""), "selected" in has))
        elif tag == "textarea" and name:
            self._area = name
            self._form.fields[name] = ""

    def _input(self, name: str, has: dict[str, str]) -> None:
        assert self._form is not None
        if has.get("type") in ("checkbox", "radio"):
            if "checked" in has:
                self._form.fields[name] = has.get("value", "on")
        elif has.get("type") not in ("submit", "button", "file"):
            self._form.fields[name] = has.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._area and self._form is not None:
            self._form.fields[self._area] = f"{self._form.fields[self._area]}{data}"

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._area = ""
        elif tag == "select" and self._select and self._form is not None:
            chosen = [value for value, selected in self._options if selected]
            first = [value for value, _ in self._options[:1]]
            self._form.fields[self._select] = (chosen or first or [""])[0]
            self._select = ""


class Away(Exception):
    """The web server did not answer, or answered that something of its own is broken."""


class Browser:
    def __init__(self, base_url: str, username: str) -> None:
        self.base_url, self.username = base_url, username
        self._session = requests.Session()
        self._session.trust_env = False

    def get(self, path: str) -> requests.Response:
        return self._asked("GET", path)

    def post(
        self, path: str, fields: dict[str, str | list[str]], *, headers: Headers | None = None
    ) -> requests.Response:
        return self._asked("POST", path, fields, headers)

    def _asked(self, method: str, path: str, fields=None, headers=None) -> requests.Response:
        answer = self._send(method, path, fields, headers)
        if answer.status_code in (301, 302) and "/sign-in/" in answer.headers["Location"]:
            self._sign_in()
            answer = self._send(method, path, fields)
        return answer

    def _send(self, method: str, path: str, fields=None, headers=None) -> requests.Response:
        try:
            answer = self._session.request(
                method,
                urljoin(self.base_url, path),
                data=fields,
                headers=headers,
                allow_redirects=False,
                timeout=TIMEOUT_S,
            )
        except requests.RequestException as error:
            raise Away(type(error).__name__) from error
        if answer.status_code >= 500:
            raise Away(str(answer.status_code))
        return answer

    def _sign_in(self) -> None:
        form = Forms(self._send("GET", "/sign-in/").text).to("/sign-in/")
        if form is None:
            form = Forms(self._send("GET", "/sign-in/").text).found[-1]
        fields = form.fields | {"username": self.username, "password": PASSWORD}
        answer = self._send("POST", "/sign-in/", fields)
        if answer.status_code != 302:
            raise Away(f"sign-in: {answer.status_code}")


def change_number(answer: requests.Response) -> int | None:
    """The change an answer sends the browser to, None when it shows a page instead."""
    if answer.status_code != 303:
        return None
    return int(urlsplit(answer.headers["Location"]).path.strip("/").split("/")[1])
