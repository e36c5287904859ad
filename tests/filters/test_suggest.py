from __future__ import annotations

import time

import pytest

from logminer.filters import near_keys, near_values


@pytest.mark.parametrize(
    ("meant", "known", "near"),
    [
        ("project", ["Project", "priority"], ("Project",)),
        (
            "costCenter",
            ["cost_center", "cost-center", "cost center", "region"],
            ("cost center", "cost-center", "cost_center"),
        ),
        ("priorty", ["priority", "project"], ("priority",)),
        ("CustomerServices", ["CustomerService", "Billing"], ("CustomerService",)),
        ("project", ["project"], ()),
        ("a", ["b", "c"], ()),
        ("a", [], ()),
        ("", ["_", "a"], ("_",)),
        ("env", ["Env", "ENV", "eNv", "enV"], ("ENV", "Env", "eNv")),
        ("teams", ["team", "Teams", "region"], ("Teams", "team")),
    ],
)
def test_near_spellings_are_found_nearest_first(meant: str, known: list[str], near: tuple[str, ...]) -> None:
    assert near_keys(meant, known) == near
    assert near_values(meant, iter(known)) == near


def test_a_long_census_takes_no_long_time() -> None:
    start = time.monotonic()
    near_keys("k" * 256, (f"{number:0256}" for number in range(1_000_000)))
    near_keys("key", ("k" * 1_000_000 for _ in range(100_000)))
    assert time.monotonic() - start < 20
