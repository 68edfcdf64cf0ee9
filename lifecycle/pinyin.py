"""Turning a name into what people type to find it: itself, pinyin, initials."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice, product

from pypinyin import Style, pinyin

# Readings a surname has that differ from the character's usual one.
SURNAMES = {
    "单": "shan", "曾": "zeng", "仇": "qiu", "查": "zha", "解": "xie", "朴": "piao", "区": "ou",
    "盖": "ge", "乐": "yue", "员": "yun", "尉": "wei", "逄": "pang", "缪": "miao", "覃": "qin",
    "翟": "zhai", "洗": "xian", "冼": "xian", "种": "chong", "重": "chong", "秘": "bi",
    "繁": "po", "折": "she", "黑": "he", "盛": "sheng", "石": "shi", "宁": "ning", "贾": "jia",
    "沈": "shen", "任": "ren", "华": "hua", "纪": "ji", "应": "ying", "万": "wan", "牟": "mu",
    "车": "che", "召": "shao", "要": "yao", "隗": "wei", "过": "guo",
}  # fmt: skip
COMPOUND_SURNAMES = {
    "尉迟": ("yu", "chi"), "万俟": ("mo", "qi"), "长孙": ("zhang", "sun"),
    "单于": ("chan", "yu"), "澹台": ("tan", "tai"), "令狐": ("ling", "hu"),
}  # fmt: skip
MOST_READINGS = 8


def search_text(name: str, *ids: str) -> str:
    """Everything a person can be found by, in lower case, separated by line breaks."""
    parts = [name, *_readings(name), *ids]
    return "\n".join(dict.fromkeys(part.lower() for part in parts if part))


def _readings(name: str) -> list[str]:
    """Full pinyin and initials, for each common reading of the characters."""
    if not any("\u4e00" <= character <= "\u9fff" for character in name):
        return [name.replace(" ", "")]
    syllables: list[Iterable[str]] = [
        list(dict.fromkeys(choices)) for choices in pinyin(name, style=Style.NORMAL, heteronym=True)
    ]
    first = COMPOUND_SURNAMES.get(name[:2])
    if first is not None:
        syllables[:2] = [[first[0]], [first[1]]]
    elif name[0] in SURNAMES:
        syllables[0] = [SURNAMES[name[0]]]
    texts: list[str] = []
    for reading in islice(product(*syllables), MOST_READINGS):
        texts += ["".join(reading), "".join(syllable[:1] for syllable in reading)]
    return texts
