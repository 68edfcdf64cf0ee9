"""Transactions that stand in each other's way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from lifecycle.models import Person
from lifecycle.transactions import whole

ON_POSTGRES = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite lets one transaction write after the other"
)


@ON_POSTGRES
@pytest.mark.usefixtures("lifted_log")
class TestWhole:
    def test_both_of_two_that_wait_for_each_other_are_done_in_the_end(self):
        first, second = Person.objects.create(name=""), Person.objects.create(name="")
        meet = Barrier(2)

        def write(name: str, one: Person, other: Person) -> int:
            tries = 0

            @whole
            def both() -> None:
                nonlocal tries
                tries += 1
                for person in (one, other):
                    kept = Person.objects.select_for_update().get(pk=person.pk)
                    Person.objects.filter(pk=person.pk).update(name=kept.name + name)
                    if tries == 1 and person == one:
                        meet.wait(timeout=20)

            try:
                both()
            finally:
                connection.close()
            return tries

        with ThreadPoolExecutor(2) as threads:
            tried = [
                threads.submit(write, "a", first, second),
                threads.submit(write, "b", second, first),
            ]
            assert sorted(one.result() for one in tried) == [1, 2]
        names = set(Person.objects.values_list("name", flat=True))
        assert names in ({"ab"}, {"ba"})

    def test_both_of_two_that_make_the_same_person_are_done_in_the_end(self):
        meet = Barrier(2)

        def make() -> None:
            tries = 0

            @whole
            def one() -> None:
                nonlocal tries
                tries += 1
                if not Person.objects.filter(talent_id="t").exists():
                    if tries == 1:
                        meet.wait(timeout=20)
                    Person.objects.create(talent_id="t")

            try:
                one()
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as threads:
            for one in [threads.submit(make), threads.submit(make)]:
                one.result()
        assert Person.objects.get().talent_id == "t"


class TestRefusal:
    def test_part_of_a_transaction_is_not_repeated(self, db):
        tries = 0

        @whole
        def twice() -> None:
            nonlocal tries
            tries += 1
            Person.objects.create(talent_id="t")
            Person.objects.create(talent_id="t")

        with transaction.atomic(), pytest.raises(IntegrityError):
            twice()
        assert tries == 1

    def test_what_never_succeeds_ends(self, lifted_log):
        @whole
        def twice() -> None:
            Person.objects.create(talent_id="t")
            Person.objects.create(talent_id="t")

        with pytest.raises(DatabaseError):
            twice()
        assert not Person.objects.exists()
