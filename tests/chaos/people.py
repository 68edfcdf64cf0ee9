"""People of HR at their browsers, asking for changes as fast as the portal lets them."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.boundaries import DIES_AT, rarest
from tests.chaos.browser import Away, Browser, Form, Forms, Headers, change_number
from tests.chaos.verbs import DRIVERS, SECOND_PERSON, Driver
from tests.chaos.world import USERS, Office, record_or_none

# A browser that gets no answer is reloaded until there is one.
PATIENCE_S = 90.0
# How many times out of a hundred a form is confirmed in another way than once.
TWICE, AGAIN_LATER, TWO_TABS, TWO_USERS, CANCEL, FOLLOW, DEATH = 12, 6, 8, 8, 4, 20, 8


@dataclass
class Notes:
    """What all of them have seen. `verbs`: those of this portal. `numbers`: the changes each form
    has led to."""

    wanted: int
    verbs: set[str]
    numbers: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    count: Counter[str] = field(default_factory=Counter)
    confirmed: list[int] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def enough(self) -> bool:
        return len(self.confirmed) >= self.wanted or bool(self.wrong)

    def confirm(self, verb: str, key: str, number: int) -> None:
        with self.lock:
            if number not in self.numbers[key]:
                self.confirmed.append(number)
                self.asked[verb] += 1
            self.numbers[key].add(number)

    def tell(self, what: str) -> None:
        with self.lock:
            self.count[what] += 1


class HrPerson(threading.Thread):
    """One of them. `number` decides who, and with `seed` what they do."""

    def __init__(
        self,
        office: Office,
        notes: Notes,
        subjects: dict[str, list[str]],
        numbers: dict[str, dict[str, int]],
        *,
        number: int,
        seed: int,
    ) -> None:
        super().__init__(name=f"hr-{number}", daemon=True)
        self._office, self._notes, self._subjects, self._numbers = office, notes, subjects, numbers
        self._chance = random.Random(f"{seed}/{number}")
        names = USERS[number % len(USERS)], USERS[(number + 1) % len(USERS)]
        self._me, self._colleague = (Browser(office.base_url, name) for name in names)
        self._drivers = [driver for driver in DRIVERS if driver.verb in notes.verbs]

    def sign_in(self) -> None:
        """Before anything breaks: who signs in again and again is taken for a guesser."""
        for browser in (self._me, self._colleague):
            browser.get("/")

    def run(self) -> None:
        try:
            while not self._notes.enough:
                self._do_something()
        except BaseException as error:
            self._notes.wrong.append(f"{self.name}: {type(error).__name__}: {error}")
            raise

    def _do_something(self) -> None:
        (driver,) = self._chance.choices(self._drivers, [each.weight for each in self._drivers])
        subject = self._chance.choice(self._subjects[driver.kind])
        number = self._numbers[driver.path].get(subject)
        record = record_or_none(self._office.tenant, driver.kind, subject)
        if number is None or record is None or not driver.fits(record):
            return
        try:
            self._ask(driver, f"/{driver.path}/{number}/{driver.step}/", record)
            if self._chance.randrange(100) < FOLLOW:
                self._follow()
        except Away as away:
            self._notes.tell(f"no page: {away}")
            time.sleep(0.2)

    def _ask(self, driver: Driver, address: str, record: dict[str, Any]) -> None:
        values = driver.values(self._chance, record)
        plan = self._plan(self._me, address, values)
        if plan is None:
            return
        way = self._chance.randrange(100)
        if way < TWICE:
            self._confirm_together([(self._me, plan), (self._me, plan)], driver, address)
        elif way < TWICE + TWO_TABS:
            other = self._plan(self._me, address, values)
            self._confirm_together([(self._me, p) for p in (plan, other) if p], driver, address)
        elif way < TWICE + TWO_TABS + TWO_USERS:
            other = self._plan(self._colleague, address, values)
            both = [(self._me, plan), *([(self._colleague, other)] if other else [])]
            self._confirm_together(both, driver, address)
        else:
            number = self._confirm(self._me, plan, driver, address)
            if number and self._chance.randrange(100) < CANCEL:
                self._me.post(f"/changes/{number}/cancel/", self._token(number))
            if self._chance.randrange(100) < AGAIN_LATER:
                time.sleep(self._chance.random())
                self._confirm(self._me, plan, driver, address)

    def _plan(self, browser: Browser, address: str, values: dict[str, str]) -> Form | None:
        """The form of a plan that can be confirmed; None when something stands in the way."""
        answer = browser.get(address)
        form = Forms(answer.text).to(address)
        if form is None:
            self._notes.tell(f"no form: {answer.status_code}")
            return None
        fields: dict[str, str | list[str]] = {**form.fields, **values, "step": "plan"}
        answer = browser.post(address, fields)
        plan = Forms(answer.text).to(address)
        if plan is None or "confirm" not in plan.steps:
            verb = address.split("/")[-2]
            self._notes.tell(
                f"{verb}: wrong values" if answer.status_code == 422 else f"{verb}: blocked"
            )
            return None
        return plan

    def _confirm_together(
        self, plans: list[tuple[Browser, Form]], driver: Driver, address: str
    ) -> None:
        with ThreadPoolExecutor(len(plans)) as pool:
            for result in [
                pool.submit(self._confirm, browser, plan, driver, address)
                for browser, plan in plans
            ]:
                result.result()

    def _confirm(self, browser: Browser, plan: Form, driver: Driver, address: str) -> int | None:
        """Posted until there is an answer, as with a browser's reload; the change's number."""
        end = time.monotonic() + PATIENCE_S
        headers = self._death("confirm", driver.verb)
        while True:
            try:
                fields = {**plan.fields, "step": "confirm"}
                answer = browser.post(address, fields, headers=headers)
                break
            except Away as away:
                self._notes.tell(f"confirmed into nothing: {away}")
                if time.monotonic() > end:
                    raise
                headers = {}
                time.sleep(0.3)
        number = change_number(answer)
        if number is None:
            self._notes.tell(f"not taken: {answer.status_code}")
            return None
        self._notes.confirm(driver.verb, str(plan.fields["submission_key"]), number)
        if driver.verb == SECOND_PERSON:
            self._judge(number, self._me if browser is self._colleague else self._colleague)
        return number

    def _death(self, step: str, verb: str) -> Headers:
        """Now and then the web process dies of it, where it did least often so far."""
        if self._chance.randrange(100) >= DEATH:
            return {}
        key, _ = rarest(step, verb, self._office.deaths.count(), self._chance)
        return {DIES_AT: key}

    def _judge(self, number: int, second: Browser) -> None:
        """Mostly agrees, now and then refuses, or leaves it for another day."""
        page = Forms(second.get(f"/changes/{number}/").text)
        form = page.to(f"/changes/{number}/approval/")
        verdict = self._chance.choices(["approve", "reject", ""], [90, 5, 5])[0]
        if form is None or not verdict:
            return
        fields = form.fields | {"verdict": verdict, "reason": "看过了"}
        headers = self._death("approve", SECOND_PERSON) if verdict == "approve" else {}
        answer = second.post(form.action, fields, headers=headers)
        self._notes.tell(f"second person: {verdict} {answer.status_code}")

    def _follow(self) -> None:
        """A look at an older change; where a decision is wanted: look again, or give it up."""
        if not self._notes.confirmed:
            return
        number = self._chance.choice(self._notes.confirmed)
        page = Forms(self._colleague.get(f"/changes/{number}/").text)
        decide, cancel = (
            page.to(f"/changes/{number}/decide/"),
            page.to(f"/changes/{number}/cancel/"),
        )
        if decide is not None:
            fields = decide.fields | {"verdict": "look_again", "reason": "再看一次"}
            self._colleague.post(decide.action, fields)
            self._notes.tell("looked at again")
        elif cancel is not None:
            self._colleague.post(cancel.action, cancel.fields)
            self._notes.tell("given up")

    def _token(self, number: int) -> dict[str, str | list[str]]:
        form = Forms(self._me.get(f"/changes/{number}/").text).to(f"/changes/{number}/cancel/")
        return form.fields if form else {}
