"""A sentence in both languages, kept together so that neither can be forgotten."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """The same thing said in Chinese and in English. `{name}` fields are filled by `fill`."""

    zh: str
    en: str

    def fill(self, **values: object) -> Words:
        """Both sentences with the values in place."""
        return Words(zh=self.zh.format(**values), en=self.en.format(**values))

    def as_json(self) -> dict[str, str]:
        return {"zh": self.zh, "en": self.en}


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person has to know: a stable code, a sentence, and what to do about it."""

    code: str
    sentence: Words
    advice: Words

    def as_json(self) -> dict[str, object]:
        return {
            "code": self.code,
            "sentence": self.sentence.as_json(),
            "advice": self.advice.as_json(),
        }
