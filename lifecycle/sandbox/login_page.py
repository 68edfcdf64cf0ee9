"""The page of L1 as people see it: whom to sign in as. Chinese or English, light or dark."""

from html import escape
from urllib.parse import urlencode

from .store import Record

TENANT_KEY = "2f6b1c0d9e8a4751"

_MOST_SHOWN = 30
_STYLE = """
:root { color-scheme: light dark; --line: light-dark(#dee0e3, #373c43); --soft: light-dark(#646a73, #a6abb3);
  --blue: light-dark(#1456f0, #7ea6ff); }
* { box-sizing: border-box; margin: 0; }
body { display: grid; justify-items: center; min-height: 100dvh; padding: 2rem 1rem; color: light-dark(#1f2329, #ebebeb);
  background: light-dark(#f2f3f5, #141414); font: 1rem/1.5 -apple-system, "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
main { display: grid; gap: 1rem; align-content: start; width: min(27rem, 100%); padding: 1.75rem; border-radius: 12px;
  background: light-dark(#fff, #1f2022); box-shadow: 0 4px 24px #0002; height: fit-content; }
h1 { font-size: 1.25rem; } p { color: var(--soft); font-size: .9rem; }
form { display: flex; gap: .5rem; } input { flex: 1; min-width: 0; }
input, button { min-height: 2.5rem; padding: 0 .75rem; border: 1px solid light-dark(#8f959e, #70757d); border-radius: 8px; background: transparent; color: inherit; font: inherit; }
ul { display: grid; padding: 0; list-style: none; border-top: 1px solid var(--line); }
li a { display: flex; justify-content: space-between; gap: 1rem; padding: .6rem .25rem; border-bottom: 1px solid var(--line); color: inherit; text-decoration: none; }
li a:hover, li a:focus-visible { background: light-dark(#eaf0ff, #26314d); }
li span { color: var(--soft); font-size: .875rem; text-align: end; } a { color: var(--blue); }
"""

_WORDS = {
    "zh": {
        "title": "沙盒飞书登录",
        "lead": "这是本机的沙盒租户，人员均为虚构。请选择以谁的身份登录。",
        "search": "按姓名查找",
        "go": "查找",
        "refuse": "拒绝授权",
        "none": "没有找到。",
        "more": "只显示前 {shown} 人，请按姓名查找。",
        "wrong": "无法授权",
        "code": "错误码 {code}：{why}",
    },
    "en": {
        "title": "Sandbox Feishu sign-in",
        "lead": "A tenant of invented people on this machine. Choose whom to sign in as.",
        "search": "Find by name",
        "go": "Find",
        "refuse": "Refuse",
        "none": "Nobody was found.",
        "more": "The first {shown} only; find others by name.",
        "wrong": "This cannot be authorised",
        "code": "Code {code}: {why}",
    },
}


def choice(people: list[Record], asked: dict[str, str], *, language: str) -> bytes:
    """The people to choose from: those named in `q`, else the portal's own staff first."""
    words = _WORDS[_short(language)]
    wanted = asked.get("q", "").strip().casefold()
    found = [one for one in people if wanted in f"{one['name']} {one['en_name']}".casefold()]
    found.sort(key=lambda one: one["name"] not in PORTAL_STAFF)
    kept = {name: value for name, value in asked.items() if name not in ("q", "choose", "refuse")}
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in kept.items()
    )
    rows = "".join(
        f'<li><a href="?{escape(urlencode({**kept, "choose": one["id"]}))}">'
        f"{escape(one['name'])}<span>{escape(one['job_title'])}</span></a></li>"
        for one in found[:_MOST_SHOWN]
    )
    more = words["more"].format(shown=_MOST_SHOWN) if len(found) > _MOST_SHOWN else ""
    return _page(
        language,
        words["title"],
        f"<p>{words['lead']}</p>"
        f'<form role="search">{hidden}<input type="search" name="q" value="{escape(asked.get("q", ""))}"'
        f' aria-label="{words["search"]}" placeholder="{words["search"]}"><button>{words["go"]}</button></form>'
        + (f"<ul>{rows}</ul>" if rows else f"<p>{words['none']}</p>")
        + (f"<p>{more}</p>" if more else "")
        + f'<p><a href="?{escape(urlencode({**kept, "refuse": "1"}))}">{words["refuse"]}</a></p>',
    )


def refused(code: int, why: str, *, language: str) -> bytes:
    words = _WORDS[_short(language)]
    told = words["code"].format(code=code, why=escape(why))
    return _page(language, words["wrong"], f"<p>{told}</p>")


def _page(language: str, title: str, content: str) -> bytes:
    lang = "zh-Hans" if _short(language) == "zh" else "en"
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{title}</h1>{content}</main></body></html>"
    ).encode()


def _short(language: str) -> str:
    return "en" if language.strip().lower().startswith("en") else "zh"


# Those of every company who work with the portal, with open ids that are the same in each, so
# that the demo can know them (seed/company.py).
PORTAL_STAFF = {
    "王人事": "ou_d5a02091ae48d6736ad122ae62c997a1",
    "陈审计": "ou_ab6cc91d0e5f098e0decdf6d580f37cb",
    "周管理": "ou_3627a2bbfe9901cd4cc2e32cab1620a6",
}
