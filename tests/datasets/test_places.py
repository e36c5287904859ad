"""Where files go: two of them never to one place, and nothing over what the user gave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from logminer import pipeline
from logminer.errors import UsageError

from .corpus import many, store_with


@pytest.fixture
def store(tmp_path: Path) -> str:
    return store_with(tmp_path, many(20))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"held_out_path": "train.jsonl", "held_out": 0.5}, "--held-out-path"),
        ({"held_out_path": "train.jsonl.manifest.json", "held_out": 0.5}, "--held-out-path"),
        ({"held_out_path": "elsewhere/../train.jsonl", "held_out": 0.5}, "--held-out-path"),
        ({"rejects": "train.jsonl"}, "--rejects"),
        ({"rejects": "train.jsonl.pairs.jsonl"}, "--rejects"),
        ({"rejects": "train.held-out.jsonl", "held_out": 0.5}, "--rejects"),
        ({"rejects": "a link"}, "--rejects"),
        ({"save_recipe": "train.jsonl"}, "--save-recipe"),
        ({"save_recipe": "rejects", "rejects": "rejects"}, "--save-recipe"),
        ({"system": "train.jsonl"}, "--system"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else value,
)
def test_one_place_for_two_files(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "train.jsonl").write_text("mine")
    (tmp_path / "a link").symlink_to("train.jsonl")
    with pytest.raises(UsageError, match=rf"{said} .*: is where .* is, too"):
        pipeline.export("train.jsonl", store, allow_few=True, **options)
    assert (tmp_path / "train.jsonl").read_text() == "mine"
    assert not (tmp_path / "train.jsonl.manifest.json").exists()


def test_where_the_recipe_goes_is_looked_at_first(store: str, tmp_path: Path) -> None:
    for path in (tmp_path / "no" / "set.toml", tmp_path):
        with pytest.raises(UsageError, match="folder"):
            pipeline.export(str(tmp_path / "train.jsonl"), store, allow_few=True, save_recipe=str(path))
    assert not (tmp_path / "train.jsonl").exists()


def test_a_recipe_may_be_written_over_the_one_that_was_read(store: str, tmp_path: Path) -> None:
    recipe, train = tmp_path / "set.toml", tmp_path / "train.jsonl"
    recipe.write_text("allow_few = true\n")
    pipeline.export(str(train), store, recipe=str(recipe), save_recipe=str(recipe), max_lines=7)
    assert "max = 7" in recipe.read_text()
