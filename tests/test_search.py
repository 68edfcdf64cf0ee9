"""The search for people: the index finds exactly whom comparing all the texts finds."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecycle import person_index
from lifecycle.models import Person
from lifecycle.pinyin import search_text
from lifecycle.queries import narrowing
from lifecycle.queries.narrowing import search_condition

pytestmark = pytest.mark.django_db

NAMES = [
    "王伟",
    "王伟强",
    "张王伟",
    "单田芳",
    "欧阳娜娜",
    "Ann Lee",
    "O'Brien",
    "麦克·李",
    "İnan",
    "𠮷野",
]
IDS = [
    "6960663240925956111",
    "6960663240925956112",
    "7006632409259561116",
    "123456789012",
    "ou_7f3",
]

names = st.one_of(
    st.sampled_from(NAMES),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\n"), max_size=9),
)
people = st.lists(
    st.builds(lambda name, ids: search_text(name, *ids), names, st.lists(st.sampled_from(IDS))),
    min_size=1,
    max_size=6,
)


@st.composite
def texts_and_query(draw: st.DrawFn) -> tuple[list[str], str]:
    """Texts, and words of which most are cut out of one of them."""
    texts = draw(people)
    words = []
    for _ in range(draw(st.integers(1, 3))):
        text = draw(st.sampled_from(texts))
        start = draw(st.integers(0, len(text)))
        words.append(text[start : start + draw(st.integers(1, 22))])
    words.append(
        draw(st.sampled_from(["", "", "王", "w", "6", "66", "5956111", "%", '"', "\\", "*"]))
    )
    return texts, " ".join(words)


def compared(query: str) -> set[int]:
    """Whom comparing every text finds."""
    found = Person.objects.all()
    for word in query.lower().split():
        found = found.filter(search_text__contains=word)
    return set(found.values_list("pk", flat=True))


def found(query: str) -> set[int]:
    return set(
        Person.objects.filter(search_condition(query, "search_text")).values_list("pk", flat=True)
    )


def indexed(query: str) -> set[int]:
    """Whom the index alone finds, for the words it knows."""
    words = [word for word in query.lower().split() if person_index.can_find(word)]
    if not words:
        return compared(query)
    with connection.cursor() as cursor:
        where, params = person_index.condition(connection, words)
        cursor.execute(f"SELECT id FROM {person_index.PEOPLE} WHERE {where}", params)  # noqa: S608
        return {pk for (pk,) in cursor.fetchall()}


def store(texts: list[str]) -> list[Person]:
    return Person.objects.bulk_create(Person(search_text=text) for text in texts)


class TestTheIndex:
    @pytest.mark.thorough
    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(texts_and_query())
    def test_misses_nobody(self, drawn):
        texts, query = drawn
        with transaction.atomic():
            store(texts)
            assert compared(query) <= indexed(query)
            assert found(query) == compared(query)
            transaction.set_rollback(True)

    @pytest.mark.parametrize(
        "query",
        ["王伟", "王", "伟", "wangwei", "angw", "ww", "WW", "6960663240925956111", "956111",
         "56111", "111", "0663240925", "王 111", "伟 wei 6", "没有", "qk"],
    )  # fmt: skip
    def test_finds_names_pinyin_initials_ids_and_parts_of_them(self, query):
        store(
            [search_text("王伟", "6960663240925956111"), search_text("李娜", "7006632409259561116")]
        )
        assert found(query) == compared(query)
        assert bool(found(query)) == (query not in ("没有", "qk"))

    def test_follows_every_way_of_writing(self):
        [wang] = store([search_text("王伟")])
        wang.search_text = search_text("李娜")
        wang.save()
        assert (indexed("王伟"), indexed("李娜")) == (set(), {wang.pk})
        Person.objects.bulk_update([Person(pk=wang.pk, search_text="赵敏")], ["search_text"])
        assert (indexed("李娜"), indexed("赵敏")) == (set(), {wang.pk})
        Person.objects.bulk_create(
            [Person(pk=wang.pk, search_text="周涛")],
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=["search_text"],
        )
        assert (indexed("赵敏"), indexed("周涛")) == (set(), {wang.pk})
        Person.objects.all().delete()
        assert indexed("周涛") == set()

    def test_is_mended_when_the_table_was_made_anew(self):
        if connection.vendor != "sqlite":
            pytest.skip("PostgreSQL keeps an index with its table.")
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER person_index_insert")
        [wang] = store([search_text("王伟")])
        assert indexed("王伟") == set()
        person_index.mend(connection)
        assert indexed("王伟") == {wang.pk}

    def test_is_made_and_taken_away(self):
        person_index.lift(connection)
        assert not person_index.is_whole(connection)
        [wang] = store([search_text("王伟")])
        person_index.install(connection)
        assert person_index.is_whole(connection)
        assert indexed("王伟") == {wang.pk}


class TestTheSearch:
    def test_common_words_compare_texts(self):
        store([search_text("王伟", str(number)) for number in range(narrowing.COMMON)])
        condition = search_condition("王伟", "search_text")
        assert condition.children == [("search_text__contains", "王伟")]
        assert len(found("王伟")) == narrowing.COMMON

    def test_few_people_are_looked_up(self):
        [wang] = store([search_text("王伟")])
        condition = search_condition("王伟", "person__search_text")
        assert condition.children == [("person__pk__in", [wang.pk])]

    def test_a_common_word_beside_a_rare_one(self):
        store([search_text("王伟", str(number)) for number in range(narrowing.COMMON)])
        [wang] = store([search_text("王强", "6960663240925956111")])
        assert found("王 强") == {wang.pk}
        assert found("wang 956111") == {wang.pk}

    def test_more_than_the_sample_tells(self):
        few = [search_text("李娜")] * narrowing.SAMPLE
        store([*few, *[search_text("王伟")] * (narrowing.MOST_FOUND + 1)])
        assert search_condition("王伟", "search_text").children == [
            ("search_text__contains", "王伟")
        ]

    def test_works_without_the_index(self):
        [wang] = store([search_text("王伟")])
        person_index.lift(connection)
        person_index._whole.clear()
        try:
            assert found("王伟") == {wang.pk}
        finally:
            person_index.install(connection)
