"""A phone for the demo: the messages of each person, and buttons that can be pressed.

Plain HTML that works without scripts, in the language of the browser. Only what the portal's
cards use is drawn.
"""

import json
import re
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlencode

from .phone import press
from .store import Record
from .tenant import Tenant

PATH = "/sandbox/phone"
_PRESS, _STYLE = f"{PATH}/press", f"{PATH}/style.css"
_MOST_SHOWN = 40

_WORDS = {
    "title": ("手机上的飞书（演示）", "Feishu on a phone (demo)"),
    "hint": (
        "选择一个人，查看门户发给他的消息卡片；按钮会真的调用门户。",
        "Choose somebody to see what the portal has sent them; the buttons really call it.",
    ),
    "nobody": ("还没有消息。", "No messages yet."),
    "ok": ("确定", "OK"),
    "cancel": ("取消", "Cancel"),
    "group": ("群聊", "Group"),
    "edited": ("已更新", "updated"),
    "refresh": ("刷新", "Refresh"),
}

_CSS = """
:root { color-scheme: light dark; --bg: #eef0f4; --card: #fff; --text: #1f2329; --muted: #5d6470;
  --line: #d9dde4; --blue: #1456f0; --green: #1f7a3d; --orange: #a85400; --red: #c02a26; --grey: #5d6470; }
@media (prefers-color-scheme: dark) { :root { --bg: #17191d; --card: #24272d; --text: #ebeef3;
  --muted: #a4abb8; --line: #3b404a; --blue: #6c9bff; --green: #5cc07f; --orange: #f0a24a; --red: #ff8a80; --grey: #a4abb8; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--text); font: 15px/1.55 system-ui, sans-serif; }
main { max-width: 64rem; margin: 0 auto; padding: 1.25rem; display: grid; gap: 1.25rem; grid-template-columns: 15rem 1fr; }
header { grid-column: 1 / -1; } h1 { font-size: 1.25rem; margin: 0; } header p { margin: 0.25rem 0 0; color: var(--muted); }
nav a { display: flex; justify-content: space-between; gap: 0.5rem; padding: 0.6rem 0.75rem; border-radius: 0.5rem; color: inherit; text-decoration: none; }
nav a[aria-current] { background: var(--card); font-weight: 600; } nav span { color: var(--muted); }
.chat { display: grid; gap: 1rem; align-content: start; max-width: 30rem; }
article { background: var(--card); border: 1px solid var(--line); border-radius: 0.75rem; overflow: hidden; }
article > h2 { margin: 0; padding: 0.7rem 1rem; font-size: 1rem; color: var(--tone); border-bottom: 2px solid var(--tone); }
.body { padding: 0.9rem 1rem; display: grid; gap: 0.75rem; } .body p { margin: 0; overflow-wrap: anywhere; }
.row { display: flex; flex-wrap: wrap; gap: 0.5rem; }
hr { width: 100%; border: 0; border-top: 1px solid var(--line); margin: 0; }
button, .link { font: inherit; min-height: 2.75rem; padding: 0.4rem 1rem; border: 1px solid var(--line); border-radius: 0.5rem; background: none; color: inherit; cursor: pointer; text-decoration: none; display: inline-flex; align-items: center; }
button[data-look=primary] { border-color: var(--blue); color: var(--blue); } button[data-look=danger] { border-color: var(--red); color: var(--red); }
label { display: grid; gap: 0.25rem; color: var(--muted); font-size: 0.875rem; }
input { font: inherit; color: var(--text); background: var(--bg); border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.5rem 0.75rem; min-height: 2.75rem; width: 100%; }
.form { display: grid; gap: 0.75rem; } .toast, .ask { padding: 0.6rem 0.9rem; border-radius: 0.5rem; border: 1px solid var(--tone); color: var(--tone); }
.meta { color: var(--muted); font-size: 0.8rem; margin: 0; } .blue { --tone: var(--blue); } .green { --tone: var(--green); }
.orange { --tone: var(--orange); } .red { --tone: var(--red); } .grey { --tone: var(--grey); }
:focus-visible { outline: 3px solid var(--blue); outline-offset: 2px; }
@media (max-width: 40rem) { main { grid-template-columns: 1fr; padding: 0.75rem; } nav { display: flex; overflow-x: auto; } }
"""
_TONES = {"success": "green", "info": "blue", "error": "red", "warning": "orange"}

_ANSWER = tuple[int, bytes, str, tuple[tuple[str, str], ...]]
_HTML = "text/html; charset=utf-8"


def answer(tenant: Tenant, method: str, target: str, raw: bytes, language: str) -> _ANSWER:
    """Status, body, content type and headers."""
    path, _, query = target.partition("?")
    asked = {name: values[0] for name, values in parse_qs(query).items()}
    if path == _STYLE:
        return 200, _CSS.encode(), "text/css; charset=utf-8", ()
    if path == _PRESS and method == "POST":
        return _pressed(tenant, raw)
    if path != PATH or method not in ("GET", "HEAD"):
        return 404, b"no such page", "text/plain; charset=utf-8", ()
    is_english = not language.lower().startswith("zh")
    return 200, _Page(tenant, asked, is_english=is_english).html().encode(), _HTML, ()


def _pressed(tenant: Tenant, raw: bytes) -> _ANSWER:
    given = {name: values[0] for name, values in parse_qs(raw.decode("utf-8", "replace")).items()}
    form = {name[5:]: value for name, value in given.items() if name.startswith("form:")}
    for name, value in form.items():
        # A date picker says which zone its reader is in.
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            form[name] = f"{value} +0800"
    try:
        press(tenant, given.get("message", ""), name=given.get("name", ""), form=form)
    except ValueError as error:
        return 409, escape(str(error)).encode(), _HTML, ()
    there = f"{PATH}?{urlencode({'who': given.get('who', '')})}"
    return 303, b"", _HTML, (("Location", there),)


class _Page:
    def __init__(self, tenant: Tenant, asked: dict[str, str], *, is_english: bool) -> None:
        self._english = is_english
        with tenant.lock:
            messages = tenant.store.all("messages")
            self._names = {
                who: (tenant.store.get("contacts", who) or {}).get("name") or self._word("group")
                for who in {message["receiver"] for message in messages}
            }
        self._counts: dict[str, int] = {}
        for message in messages:
            self._counts[message["receiver"]] = self._counts.get(message["receiver"], 0) + 1
        newest = messages[-1]["receiver"] if messages else ""
        self._who = asked.get("who") or newest
        self._asks = (asked.get("ask", ""), asked.get("name", ""))
        mine = [message for message in messages if message["receiver"] == self._who]
        self._messages = mine[::-1][:_MOST_SHOWN]

    def html(self) -> str:
        people = "".join(self._person(who, count) for who, count in sorted(self._counts.items()))
        chat = "".join(self._message(message) for message in self._messages)
        empty = f"<p>{self._word('nobody')}</p>"
        language = "en" if self._english else "zh-CN"
        return (
            f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
            f'<title>{self._word("title")}</title><link rel="stylesheet" href="{_STYLE}"></head>'
            f"<body><main><header><h1>{self._word('title')}</h1><p>{self._word('hint')} "
            f'<a href="{self._here()}">{self._word("refresh")}</a></p></header>'
            f"<nav>{people}</nav><section class='chat'>{chat or empty}</section></main></body></html>"
        )

    def _person(self, who: str, count: int) -> str:
        current = ' aria-current="page"' if who == self._who else ""
        there = f"{PATH}?{urlencode({'who': who})}"
        return f'<a href="{there}"{current}>{escape(self._names[who])}<span>{count}</span></a>'

    def _message(self, message: Record) -> str:
        inner = json.loads(message["content"])
        toast = message.get("toast")
        said = ""
        if toast:
            tone = _TONES.get(toast["type"], "grey")
            said = f'<p class="toast {tone}" role="status">{escape(self._toast(toast))}</p>'
        changed = message["updated_ms"] != message["sent_ms"]
        meta = (
            f'<p class="meta">{message["id"]}{" · " + self._word("edited") if changed else ""}</p>'
        )
        if message["msg_type"] != "interactive":
            text = escape(inner.get("text", "")).replace("\n", "<br>")
            return f'<article id="{message["id"]}"><div class="body"><p>{text}</p>{meta}</div></article>'
        header = inner["header"]
        parts = "".join(self._part(part, message, "") for part in inner["body"]["elements"])
        return (
            f'<article id="{message["id"]}" class="{header["template"]}">'
            f"<h2>{self._text(header['title'])}</h2>"
            f'<div class="body">{said}{parts}{meta}</div></article>'
        )

    def _part(self, part: dict[str, Any], message: Record, form: str) -> str:
        match part["tag"]:
            case "markdown":
                return f"<p>{_marked(self._words(part))}</p>"
            case "hr":
                return "<hr>"
            case "form":
                name = f"{message['id']}-{part['name']}"
                inner = "".join(self._part(child, message, name) for child in part["elements"])
                hidden = self._hidden(message)
                return (
                    f'<form class="form" id="{name}" method="post" action="{_PRESS}">'
                    f"{hidden}{inner}</form>"
                )
            case "column_set":
                inner = "".join(
                    self._part(child, message, form)
                    for column in part["columns"]
                    for child in column["elements"]
                )
                return f'<div class="row">{inner}</div>'
            case "date_picker":
                return self._input(part, "date", f'value="{part.get("initial_date", "")}"')
            case "input":
                required = "required" if part.get("required") else ""
                return self._input(part, "text", f'{required} maxlength="{part["max_length"]}"')
            case "button":
                return self._button(part, message, form)
        return ""

    def _input(self, part: dict[str, Any], kind: str, more: str) -> str:
        label = self._text(part["placeholder"])
        return (
            f'<label>{label}<input type="{kind}" name="form:{escape(part["name"])}" {more}></label>'
        )

    def _button(self, part: dict[str, Any], message: Record, form: str) -> str:
        behaviour, label = part["behaviors"][0], self._text(part["text"])
        if behaviour["type"] == "open_url":
            address = escape(behaviour["default_url"])
            return f'<a class="link" href="{address}">{label}</a>'
        name, look = escape(part["name"]), escape(part.get("type", "default"))
        if form:
            return f'<button name="name" value="{name}" data-look="{look}">{label}</button>'
        if part.get("confirm") and self._asks != (message["id"], part["name"]):
            ask = urlencode({"who": self._who, "ask": message["id"], "name": part["name"]})
            return (
                f'<form action="{PATH}">'
                + "".join(
                    f'<input type="hidden" name="{key}" value="{escape(values[0])}">'
                    for key, values in parse_qs(ask).items()
                )
                + f'<button data-look="{look}" data-name="{name}">{label}</button></form>'
            )
        return f'<form method="post" action="{_PRESS}">{self._hidden(message)}' + (
            self._question(part, name)
            if part.get("confirm")
            else f'<button name="name" value="{name}" data-look="{look}">{label}</button></form>'
        )

    def _question(self, part: dict[str, Any], name: str) -> str:
        question = part["confirm"]
        return (
            f'<div class="ask form"><strong>{self._text(question["title"])}</strong>'
            f"<span>{self._text(question['text'])}</span><div class='row'>"
            f'<button name="name" value="{name}" data-look="primary">{self._word("ok")}</button>'
            f'<a class="link" href="{self._here()}">{self._word("cancel")}</a></div></div></form>'
        )

    def _hidden(self, message: Record) -> str:
        return (
            f'<input type="hidden" name="message" value="{message["id"]}">'
            f'<input type="hidden" name="who" value="{escape(self._who)}">'
        )

    def _here(self) -> str:
        return f"{PATH}?{urlencode({'who': self._who})}"

    def _toast(self, toast: dict[str, Any]) -> str:
        words = toast.get("i18n", {}).get("en_us" if self._english else "zh_cn")
        return str(words or toast["content"])

    def _words(self, text: dict[str, Any]) -> str:
        known = text.get("i18n_content", {}).get("en_us" if self._english else "zh_cn")
        return str(known or text["content"])

    def _text(self, text: dict[str, Any]) -> str:
        return escape(self._words(text))

    def _word(self, name: str) -> str:
        return _WORDS[name][self._english]


def _marked(text: str) -> str:
    """Bold, line breaks and escaped characters; everything else is shown as it is."""
    safe = escape(text, quote=False)
    safe = re.sub(r"&amp;#(\d{1,6});", lambda found: escape(chr(int(found[1]))), safe)
    safe = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", safe)
    return safe.replace("&lt;br&gt;", "<br>").replace("\n", "<br>")
