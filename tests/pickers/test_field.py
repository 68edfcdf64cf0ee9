"""A form with such fields: what it takes, what it says, with script and without."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django import forms
from django.utils import translation

from lifecycle import organisation
from lifecycle.forms.pick_field import PickField
from lifecycle.models import CatalogueEntry
from tests.pickers.conftest import store_catalogue

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("company")]


def a_form(what: str, data: dict[str, str] | None, *, present: str = "", **options: Any):
    class OneField(forms.Form):
        it = PickField(what=what, label="It", present=present, **options)

    return OneField(data, initial={"it": present})


def cleaned(what: str, data: dict[str, str], **options: Any) -> str:
    form = a_form(what, data, **options)
    assert form.is_valid(), form.errors
    return form.cleaned_data["it"]


def problem(what: str, data: dict[str, str], **options: Any) -> str:
    form = a_form(what, data, **options)
    assert not form.is_valid(), form.cleaned_data
    (error,) = form.errors.as_data()["it"]
    with translation.override("en"):
        assert str(error.messages[0]).endswith(".")
        form["it"].as_widget()
    return error.code


class TestId:
    def test_that_is_offered_is_taken(self):
        assert cleaned("contact", {"it": "ou_01"}) == "ou_01"
        posted = {"it": "ou_01", "it_text": "王伟", "it_was": "王伟"}
        assert cleaned("contact", posted) == "ou_01"

    def test_that_nobody_knows_is_refused(self):
        assert problem("contact", {"it": "ou_77"}) == "unknown"

    def test_of_what_is_no_longer_in_use_is_refused_by_name(self):
        assert problem("department", {"it": "od-9"}) == "inactive"
        form = a_form("department", {"it": "od-9"})
        assert "平台旧部" in form.errors["it"][0]

    def test_that_the_record_holds_is_kept_whatever_it_is(self):
        assert cleaned("department", {"it": "od-9"}, present="od-9") == "od-9"
        assert cleaned("contact", {"it": "ou_gone"}, present="ou_gone") == "ou_gone"

    @pytest.mark.parametrize(
        "value", ["x" * 129, "od-\x00", "od\n2", "od-\x7f", "x" * 10_000, "od\u2028-1"]
    )
    def test_that_is_none_is_refused(self, value):
        assert problem("department", {"it": value}) == "unreadable"
        assert problem("job_family", {"it": value}) == "unreadable"

    @pytest.mark.parametrize("value", ["<script>", "'; drop", "%", "\ud83d\ude00"])
    def test_of_any_other_text_is_unknown(self, value):
        text = value.encode("utf-16", "surrogatepass").decode("utf-16")
        assert problem("department", {"it": text}) == "unknown"
        assert problem("job_family", {"it": text}) == "unknown"

    def test_that_hire_knows_and_we_do_not_is_taken_where_no_list_is_complete(self):
        assert cleaned("job_family", {"it": "mga5oa8ayjlp9rb"}) == "mga5oa8ayjlp9rb"
        assert problem("job_level", {"it": "mga5oa8ayjlp9rb"}) == "unknown"

    def test_is_taken_as_it_is_where_no_list_could_be_read(self):
        assert cleaned("location", {"it": "CT_2"}) == "CT_2"
        store_catalogue(CatalogueEntry.Kind.LOCATION, ("CT_1", "北京"))
        assert problem("location", {"it": "CT_2"}) == "unknown"

    def test_may_be_left_out_where_it_is_optional(self):
        assert cleaned("contact", {"it": ""}, required=False) == ""
        assert cleaned("contact", {}, required=False) == ""
        assert problem("contact", {"it": ""}) == "required"


class TestText:
    """Without script the id does not follow the text."""

    def text(self, text: str, *, value: str = "", was: str = "") -> dict[str, str]:
        return {"it": value, "it_text": text, "it_was": was}

    @pytest.mark.parametrize("text", ["单丹", "shandan", "sd", " 单丹 ", "ou_04", "n04"])
    def test_that_is_exactly_one_of_them_is_taken(self, text):
        assert cleaned("contact", self.text(text)) == "ou_04"

    def test_that_was_changed_counts_more_than_the_id_before(self):
        assert cleaned("contact", self.text("单丹", value="ou_03", was="王伟强")) == "ou_04"

    def test_that_was_erased_clears_the_field(self):
        assert cleaned("contact", self.text("", value="ou_03", was="王伟强"), required=False) == ""

    def test_that_fits_several_comes_back_as_a_choice(self):
        form = a_form("contact", self.text("王伟"))
        assert not form.is_valid()
        page = str(form["it"])
        assert re.findall(r'<option value="(ou_\d+)"', page) == ["ou_01", "ou_02", "ou_03", "ou_06"]
        assert 'name="it_text" value="王伟"' in page
        answered = self.text("王伟", value="ou_02", was="王伟")
        assert cleaned("contact", answered) == "ou_02"

    def test_that_fits_one_only_in_part_is_asked_back(self):
        assert problem("contact", self.text("强")) == "ambiguous"

    def test_that_fits_nothing_stays_in_the_box(self):
        assert problem("contact", self.text("赵钱孙")) == "no_match"
        form = a_form("contact", self.text("赵钱孙"))
        form.is_valid()
        assert 'value="赵钱孙"' in str(form["it"])

    @pytest.mark.parametrize("text", ["x" * 10_000, "<img src=x>", "\x00", "\x01", "%%%", '"><b>'])
    def test_of_any_kind_gets_a_sentence(self, text):
        form = a_form("contact", self.text(text))
        assert not form.is_valid()
        page = str(form["it"])
        assert "<img" not in page
        assert "<b>" not in page
        assert len(page) < 5000

    def test_is_an_id_where_no_list_is_complete_and_nothing_fits(self):
        assert cleaned("job_family", self.text("mga5oa8ayjlp9rb")) == "mga5oa8ayjlp9rb"
        assert problem("job_family", self.text("序列")) == "ambiguous"
        assert problem("job_family", self.text("yanfaxulie2 ?")) == "no_match"

    def test_of_the_value_the_record_holds_is_that_value(self):
        posted = self.text("ou_gone", value="", was="")
        assert cleaned("contact", posted, present="ou_gone") == "ou_gone"


class TestShown:
    def test_by_name_with_where_it_belongs(self):
        page = str(a_form("contact", None, present="ou_01")["it"])
        assert 'value="王伟"' in page
        assert "研发中心 / 平台部 · N01" in page
        assert '<input type="hidden" name="it" value="ou_01"' in page
        assert 'role="combobox"' in page

    def test_as_a_plain_list_where_there_are_few(self):
        page = str(a_form("job_level", None, present="713")["it"])
        assert page.count("<option") == 12
        assert "<select" in page
        assert '<option value="713" selected>P3</option>' in page
        store_catalogue(CatalogueEntry.Kind.JOB_LEVEL, *((f"9{n}", f"M{n}") for n in range(13)))
        assert "<select" not in str(a_form("job_level", None)["it"])

    def test_in_a_plain_list_also_when_it_is_no_longer_offered(self):
        store_catalogue(CatalogueEntry.Kind.JOB_LEVEL, ("711", "P1"))
        page = str(a_form("job_level", None, present="713")["it"])
        assert '<option value="713" selected>P3' in page
        assert '<option value="nobody" selected>nobody' in str(
            a_form("job_level", None, present="nobody")["it"]
        )

    def test_as_a_hidden_id_on_the_way_to_the_confirmation(self):
        form = a_form("contact", {"it": "", "it_text": "单丹", "it_was": ""})
        assert form.is_valid()
        assert form["it"].as_hidden() == (
            '<input type="hidden" name="it" value="ou_04" id="id_it">'
        )

    def test_with_what_is_wrong_beside_it(self):
        page = str(a_form("contact", {"it": "ou_77"})["it"])
        assert 'aria-invalid="true"' in page
        assert 'value="ou_77"' in page

    def test_keeps_what_is_posted_to_one_form_from_the_next(self):
        first = a_form("contact", {"it": "", "it_text": "新人", "it_was": ""})
        assert not first.is_valid()
        organisation.store_contacts(
            [{"open_id": "ou_50", "name": "新人"}], asked_at=CatalogueEntry.objects.first().asked_at
        )
        second = type(first)({"it": "", "it_text": "新人", "it_was": ""})
        assert second.is_valid()

    def test_takes_a_constant_number_of_queries(self, django_assert_num_queries):
        form = a_form("contact", {"it": "", "it_text": "单丹", "it_was": ""})
        with django_assert_num_queries(6):
            assert form.is_valid()
            str(form["it"])
            form["it"].as_hidden()

    def test_says_the_name_of_an_id(self):
        assert PickField(what="job_level").words("713") == "P3"
