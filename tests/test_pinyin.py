"""What a name can be found by."""

from __future__ import annotations

import pytest

from lifecycle.pinyin import MOST_READINGS, search_text


def found_by(name: str, *ids: str) -> list[str]:
    return search_text(name, *ids).split("\n")


class TestSearchText:
    @pytest.mark.parametrize(
        ("name", "wanted"),
        [
            ("王小明", {"王小明", "wangxiaoming", "wxm"}),
            ("单博", {"shanbo", "sb"}),
            ("单于婧", {"chanyujing", "cyj"}),
            ("仇英", {"qiuying"}),
            ("Ana López", {"ana lópez", "analópez"}),
        ],
    )
    def test_holds_name_pinyin_and_initials(self, name, wanted):
        assert wanted <= set(found_by(name))

    def test_reads_a_surname_as_a_surname(self):
        assert "danbo" not in found_by("单博")

    def test_holds_every_common_reading_of_the_other_characters(self):
        assert {"wangle", "wangyue"} <= set(found_by("王乐"))

    def test_stays_short_for_a_name_of_many_readings(self):
        readings = [text for text in found_by("王" + "乐" * 12) if text.isascii()]
        assert len(readings) <= 2 * MOST_READINGS

    def test_is_made_at_once_of_any_number_of_them(self):
        assert len(found_by("重乐" * 100)) <= 1 + 2 * MOST_READINGS

    def test_holds_each_id_once_and_no_empty_line(self):
        assert found_by("", "7100", "", "7100") == ["7100"]

    @pytest.mark.parametrize("name", ["", " ", "·", "1", "李\n雷"])
    def test_takes_any_name(self, name):
        assert isinstance(search_text(name), str)
