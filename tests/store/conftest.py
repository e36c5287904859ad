"""Grounds for the tests of the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from .ground import Ground, record


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """An empty folder for logs, and no store yet."""
    return Ground(tmp_path)


@pytest.fixture(scope="session")
def many_logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 40 log objects with 50 records each; every object brings a metadata key, some repeat requests."""
    ground = Ground(tmp_path_factory.mktemp("many"))
    for number in range(40):
        records = [
            record(
                f"{number}-{each}" if each else f"shared-{number // 3}",
                {"project": "Support", f"key{number}": str(each)},
                timestamp=f"2026-06-0{1 + each % 2}T10:00:{each % 60:02}Z",
            )
            for each in range(50)
        ]
        ground.write(f"{number:03}", records)
    return ground.logs
