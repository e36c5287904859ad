"""Grounds for the tests of maintenance."""

from __future__ import annotations

from pathlib import Path

import pytest
from store.ground import Ground


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """An empty folder for logs, and no store yet."""
    return Ground(tmp_path)
