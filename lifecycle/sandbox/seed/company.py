"""The whole company in the order its parts depend on each other."""

from datetime import date

from ..login_page import PORTAL_STAFF
from ..store import Store
from .builder import Builder
from .catalogues import add_catalogues
from .core_hr import add_offboardings, add_pre_hires
from .employees import add_employees
from .organisation import add_organisation
from .people import Place, add_staff
from .recruiting import add_candidates, add_jobs
from .specials import add_specials

SETTINGS = {
    "id": "tenant",
    "ehr_sync_switch": True,
    "job_requirement_required": False,
    "clock_offset_s": 0,
}


def make_company(store: Store, *, seed: int, people: int, today: date) -> None:
    build = Builder(store, seed=seed, people=people, today=today)
    build.add("settings", dict(SETTINGS))
    lists = add_catalogues(build)
    places: list[Place] = add_organisation(build, lists)
    jobs = add_jobs(build, lists, places)
    hires = add_employees(build, lists, jobs)
    recruiting = add_candidates(build, lists, jobs)
    add_pre_hires(build, lists, recruiting, hires)
    add_offboardings(build, lists, places, hires)
    known = list(PORTAL_STAFF.items())
    for number in range(max(3, people // 20)):
        facts = {"known_as": known[number]} if number < len(known) else {}
        add_staff(build, lists, build.rng.choice(places), **facts)
    add_specials(build, store, lists, places[0])
    build.finish()
