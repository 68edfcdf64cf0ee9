"""Deterministic ids that look like Feishu's: 19 digits, ou_, on_, od- and short user ids."""

import hashlib

PREFIXES = {
    "talents": 69,
    "applications": 70,
    "employees": 71,
    "offboardings": 72,
    "pre_hires": 73,
    "jobs": 67,
    "employments": 68,
    "persons": 66,
    "cost_centers": 75,
    "job_levels": 61,
    "job_families": 62,
    "employee_types": 63,
    "job_processes": 64,
    "stages": 65,
    "job_requirements": 74,
    "locations": 76,
    "companies": 77,
    "offers": 78,
    "departments": 60,
    "retiring": 50,
    "contact_forms": 57,
    "processes": 79,
}
_STRIDE = 104_729


def seed_hash(seed: int, text: str) -> str:
    return hashlib.sha256(f"{seed}:{text}".encode()).hexdigest()


class Ids:
    """Numbers of one tenant: they grow with n, so sorting by id is sorting by creation."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._tenant = int(seed_hash(seed, "tenant")[:8], 16) % 100_000

    def number(self, kind: str, n: int) -> str:
        scatter = (n * 2_654_435_761) % _STRIDE
        return str(PREFIXES[kind] * 10**17 + self._tenant * 10**12 + n * _STRIDE + scatter)

    def open_id(self, n: int) -> str:
        return "ou_" + seed_hash(self.seed, f"open:{n}")[:32]

    def union_id(self, n: int) -> str:
        return "on_" + seed_hash(self.seed, f"union:{n}")[:32]

    def user_id(self, n: int) -> str:
        return seed_hash(self.seed, f"user:{n}")[:8]

    def message_id(self, n: int) -> str:
        return "om_" + seed_hash(self.seed, f"message:{n}")[:32]

    def open_department_id(self, n: int) -> str:
        return "od-" + seed_hash(self.seed, f"department:{n}")[:32]

    def department_id(self, n: int) -> str:
        return seed_hash(self.seed, f"department-short:{n}")[:16]
