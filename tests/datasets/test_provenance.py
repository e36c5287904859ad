"""Manifest, sidecar, recipe: what a dataset is made of, whether it still is that, and how to make it again."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logminer import pipeline
from logminer.datasets.recipe import SELECTION_SETTINGS, SETTINGS, check_recipe, format_recipe, read_recipe
from logminer.datasets.request import Request
from logminer.errors import CheckFailed, LogminerError, UsageError

from .corpus import faulty, lines_of, many, store_with

EVERYTHING: dict[str, Any] = {
    "curate": True,
    "rules": {"near_duplicates": {"threshold": 0.9}, "apologies": {"action": "off"}},
    "redact": "surrogate",
    "history": "split",
    "max_lines": 60,
    "stratify": "intent",
    "diverse": True,
    "held_out": 0.2,
    "session": "s",
    "allow_few": True,
    "filter": "intent!=nothing",
    "since": "2026-06-01",
}


@pytest.fixture
def store(tmp_path: Path) -> str:
    return store_with(tmp_path, many(120), faulty())


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return tmp_path / "train.jsonl"


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_again_is_the_same_bytes_manifest_and_all(store: str, tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        pipeline.export(
            str(folder / "train.jsonl"), store, rejects=str(folder / "rejects.jsonl"), **EVERYTHING
        )
        found.append(files(folder))
    assert found[0] == found[1]
    assert sorted(found[0]) == [
        "rejects.jsonl",
        "train.held-out.jsonl",
        "train.held-out.jsonl.pairs.jsonl",
        "train.jsonl",
        "train.jsonl.manifest.json",
        "train.jsonl.pairs.jsonl",
    ]


def test_the_manifest_says_what_is_there(store: str, train: Path) -> None:
    report = pipeline.export(str(train), store, **EVERYTHING)
    manifest = pipeline.dataset_manifest(str(train))
    for file in manifest.files:
        content = (train.parent / file.path).read_bytes()
        assert (file.sha256, file.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))
        assert file.lines == content.count(b"\n")
    assert manifest.store_version == pipeline.store_info(store).version
    assert manifest.counts["train"] == report.entry.lines
    assert manifest.tokens.input >= report.input_tokens
    assert manifest.sources.count == 2
    assert list(manifest.funnel) == list(report.funnel)
    assert manifest.recipe["rules"]["near_duplicates"]["threshold"] == 0.9
    assert "apologies" not in manifest.recipe["rules"]
    assert "status" not in manifest.selection
    for path in train.parent.glob("train*"):
        assert path.stat().st_mode & 0o777 == 0o600


def test_the_sources_digest_is_what_it_says(store: str, train: Path) -> None:
    pipeline.export(str(train), store, allow_few=True)
    rows = pipeline.select(store, columns=["source_uri", "source_etag"])
    objects = sorted({(row["source_uri"], row["source_etag"] or "") for row in rows})
    digest = blake2b("".join(f"{uri}\0{etag}\n" for uri, etag in objects).encode(), digest_size=16)
    assert pipeline.dataset_manifest(str(train)).sources.digest == digest.hexdigest()


def test_a_plain_export_has_a_sidecar_of_its_lines(store: str, train: Path) -> None:
    pipeline.export(str(train), store, allow_few=True)
    rows = {row["request_id"]: row for row in pipeline.select(store)}
    lines = train.read_bytes().splitlines()
    sides = lines_of(f"{train}.pairs.jsonl")
    assert [side["line"] for side in sides] == list(range(1, len(lines) + 1))
    for line, side in zip(lines, sides, strict=True):
        row = rows[side["request_id"]]
        same = ("source_uri", "source_position", "prompt_hash", "pair_hash")
        assert all(side[name] == row[name] for name in same)
        assert json.loads(line)["messages"][:-1] == row["messages"]
        assert side["line_hash"] == blake2b(line, digest_size=16).hexdigest()


@pytest.mark.parametrize(
    "to", ["openai-chat", "parquet", "invocation-log", "batch", "bedrock-eval", "prompt-completion"]
)
def test_every_kind_of_format_has_a_manifest(store: str, tmp_path: Path, to: str) -> None:
    path = tmp_path / "out"
    report = pipeline.export(str(path), store, to=to, curate=True, allow_few=True)
    verified = pipeline.verify_dataset(str(path))
    assert verified.ok
    assert verified.lines == report.entry.lines == len(lines_of(f"{path}.pairs.jsonl"))
    again = tmp_path / "again"
    made = pipeline.export(str(again), store, from_manifest=str(path))
    assert made.entry.sha256 == report.entry.sha256
    if to == "invocation-log":
        logs = [gzip.decompress(log.read_bytes()) for log in again.rglob("*.gz")]
        assert sum(log.count(b"\n") for log in logs) == report.entry.lines


# --- verify ---------------------------------------------------------------------------------------------------

Damage = Callable[[Path], None]
DAMAGES: dict[str, tuple[Damage, str]] = {
    "a line": (lambda p: p.write_bytes(p.read_bytes().replace(b"amber", b"AMBER")), "is not the line"),
    "a missing line": (
        lambda p: p.write_bytes(b"".join(p.read_bytes().splitlines(True)[:-1])),
        "ends before",
    ),
    "one more line": (lambda p: p.write_bytes(p.read_bytes() + b"{}\n"), "goes on after"),
    "two lines changed places": (
        lambda p: p.write_bytes(b"".join(sorted(p.read_bytes().splitlines(True)))),
        "is not the line",
    ),
    "no file": (Path.unlink, "is not there"),
    "no sidecar": (lambda p: Path(f"{p}.pairs.jsonl").unlink(), "is not there"),
    "another sidecar": (lambda p: Path(f"{p}.pairs.jsonl").write_text("{}\n"), "is no line of a sidecar"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found(store: str, train: Path, name: str) -> None:
    pipeline.export(str(train), store, allow_few=True)
    assert pipeline.verify_dataset(str(train)).ok
    damage, said = DAMAGES[name]
    damage(train)
    found = pipeline.verify_dataset(f"{train}.manifest.json")
    assert not found.ok
    assert any(said in odd.problem for odd in found.oddities), found.oddities


def test_a_dataset_can_be_moved(store: str, train: Path, tmp_path: Path) -> None:
    pipeline.export(str(train), store, **EVERYTHING)
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for path in tmp_path.glob("train*"):
        shutil.move(path, moved)
    assert pipeline.verify_dataset(str(moved / "train.jsonl")).ok


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"not JSON",
        b'{"format_version": 99}',
        b'{"format_version": "x"}',
        b"\xff",
        b"[" * 9999,
    ],
)
def test_what_is_no_manifest(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "train.jsonl.manifest.json"
    path.write_bytes(content)
    for call in (pipeline.dataset_manifest, pipeline.verify_dataset):
        with pytest.raises(UsageError):
            call(str(path))


def test_a_manifest_names_no_file_outside_of_its_folder(store: str, train: Path) -> None:
    pipeline.export(str(train), store, allow_few=True)
    path = Path(f"{train}.manifest.json")
    path.write_text(path.read_text().replace('"train.jsonl"', '"../../etc/passwd"'))
    with pytest.raises(UsageError, match="outside of its folder"):
        pipeline.verify_dataset(str(train))


# --- again ----------------------------------------------------------------------------------------------------


def test_made_again_from_its_manifest_though_logs_have_grown(store: str, train: Path, tmp_path: Path) -> None:
    pipeline.export(str(train), store, **EVERYTHING)
    store_with(tmp_path, many(50, day=4, start=500))
    again = tmp_path / "again.jsonl"
    pipeline.export(str(again), store, from_manifest=str(train))
    assert again.read_bytes() == train.read_bytes()
    assert (tmp_path / "again.held-out.jsonl").read_bytes() == (
        tmp_path / "train.held-out.jsonl"
    ).read_bytes()
    assert pipeline.diff_datasets(str(train), str(again)).same


def test_other_options_beside_a_manifest_are_refused(store: str, train: Path) -> None:
    pipeline.export(str(train), store, allow_few=True)
    with pytest.raises(UsageError, match="--max"):
        pipeline.export(str(train), store, from_manifest=str(train), max_lines=3)


def test_a_store_that_cannot_make_it_again_says_why(store: str, train: Path, tmp_path: Path) -> None:
    (tmp_path / "system.txt").write_text("Be brief.")
    options: dict[str, Any] = {"system": str(tmp_path / "system.txt"), "allow_few": True}
    pipeline.export(str(train), store, **options)
    path = Path(f"{train}.manifest.json")
    again = tmp_path / "again.jsonl"
    manifest = json.loads(path.read_bytes())

    def tried(**changes: Any) -> str:
        path.write_text(json.dumps({**manifest, **changes}))
        with pytest.raises(LogminerError) as caught:
            pipeline.export(str(again), store, from_manifest=str(train))
        assert not again.exists()
        return str(caught.value)

    other = {"train": "0" * 64}
    said = tried(digests=other, engines={"duckdb": "0.0.1"})
    assert "is not that of the manifest" in said
    assert "duckdb (0.0.1 then" in said
    assert "log objects (9 then, 2 now)" in tried(digests=other, sources={"count": 9, "digest": "0"})
    assert "other aliases" in tried(digests=other)
    assert "has no version 999" in tried(store_version=999)
    assert "no setting 'strafity'" in tried(recipe={"strafity": ["a"]})
    (tmp_path / "system.txt").write_text("Be long.")
    assert "not the one that the dataset was made with" in tried()


def test_a_vacuumed_version_is_named(store: str, train: Path, tmp_path: Path) -> None:
    pipeline.export(str(train), store, allow_few=True)
    for path in Path(store).glob("invocations/date=*/*.parquet"):
        path.rename(path.with_suffix(".gone"))
    with pytest.raises(CheckFailed, match="can no longer be read") as caught:
        pipeline.export(str(tmp_path / "again.jsonl"), store, from_manifest=str(train))
    assert "--version" not in str(caught.value), "an option that does not go with --from-manifest"
    with pytest.raises(UsageError, match="can no longer be read"):
        pipeline.export(str(tmp_path / "again.jsonl"), store, allow_few=True, version=2)


def test_a_check_that_fails_leaves_the_old_dataset_whole(store: str, train: Path) -> None:
    pipeline.export(str(train), store, allow_few=True)
    before = files(train.parent)
    with pytest.raises(CheckFailed):
        pipeline.export(str(train), store, rules=["length:min_answer_tokens=5000"])
    assert files(train.parent) == before
    assert pipeline.verify_dataset(str(train)).ok


# --- recipes --------------------------------------------------------------------------------------------------


def test_a_recipe_is_as_good_as_the_options(store: str, train: Path, tmp_path: Path) -> None:
    recipe, again = tmp_path / "recipe.toml", tmp_path / "again.jsonl"
    pipeline.export(str(train), store, save_recipe=str(recipe), **EVERYTHING)
    pipeline.export(str(again), store, recipe=str(recipe))
    assert again.read_bytes() == train.read_bytes()
    content = train.read_bytes()
    train.unlink()
    pipeline.export(recipe=str(recipe))
    assert train.read_bytes() == content, "path and store are in it too"


def test_options_go_over_a_recipe(store: str, train: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        "max = 50\ndiverse = true\nallow_few = true\ncurate = true\n\n[selection]\n"
        "filter = 'intent=refund'\nsince = 2026-06-01\n\n[rules.length]\nmin_answer_tokens = 5000\n"
    )
    rules = {"length": {"action": "off"}}
    pipeline.export(
        str(train), store, recipe=str(recipe), max_lines=40, diverse=False, rules=rules, filter="intent=other"
    )
    manifest = pipeline.dataset_manifest(str(train))
    assert manifest.counts["train"] == 30
    assert manifest.selection == {"filter": "intent=other", "since": "2026-06-01T00:00:00Z"}
    assert (manifest.recipe["max"], "diverse" in manifest.recipe) == (40, False)
    assert "length" not in manifest.recipe["rules"]


def test_another_path_leaves_the_recipes_paths_alone(store: str, train: Path, tmp_path: Path) -> None:
    recipe, places = tmp_path / "recipe.toml", {"rejects": str(tmp_path / "rejects.jsonl")}
    pipeline.export(
        str(train),
        store,
        save_recipe=str(recipe),
        held_out_path=str(tmp_path / "held.jsonl"),
        **places,
        **EVERYTHING,
    )
    pipeline.export(str(tmp_path / "other.jsonl"), recipe=str(recipe), max_lines=30)
    assert pipeline.verify_dataset(str(train)).ok
    roles = {file.role: file.path for file in pipeline.dataset_manifest(str(tmp_path / "other.jsonl")).files}
    assert (roles["held_out"], "rejects" in roles) == ("other.held-out.jsonl", False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("strafity = ['a']", "Did you mean 'stratify'?"),
        ("[selection]\nteecher = 'a'", "Did you mean 'selection.teacher'?"),
        ("[selection]\nstatus = 'all'", "no setting 'selection.status'"),
        ("max = '9'", "'max' must be a whole number"),
        ("max = true", "'max' must be a whole number"),
        ("curate = 1", "'curate' must be true or false"),
        ("stratify = [1]", "'stratify' must be a list of texts"),
        ("held_out = 'some'", "'held_out' must be a number"),
        ("selection = 1", "'selection' is no table"),
        ("rules = ['blank']", "'rules' is no table"),
        ("rules.blank = true", "'rules.blank' is no table"),
        ("[rules.blnak]", "Did you mean 'blank'?"),
        ("max = ", "cannot be read as TOML"),
        ("\xff", "cannot be read as TOML"),
        ("a = " + "[" * 5000, "cannot be read as TOML"),
    ],
)
def test_recipes_that_are_none(store: str, train: Path, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "recipe.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError) as caught:
        pipeline.export(str(train), store, recipe=str(tmp_path / "recipe.toml"))
    assert said in str(caught.value)


VALUES = {
    str: st.text(st.characters(exclude_categories=["Cs"])),
    bool: st.booleans(),
    int: st.integers(0, 2**62),
    list: st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=3),
    (int, float): st.integers(0, 9) | st.floats(0, 1),
}


def tables(kinds: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={name: VALUES[kind] for name, kind in kinds.items()})


@given(tables(SETTINGS), tables(SELECTION_SETTINGS), st.dictionaries(st.text(max_size=5), tables(SETTINGS)))
def test_a_recipe_reads_back_as_it_was_written(top: Any, selection: Any, rules: Any) -> None:
    import tomllib

    rules = {name.encode("utf-8", "replace").decode(): rule for name, rule in rules.items() if rule}
    options = top | ({"selection": selection} if selection else {}) | ({"rules": rules} if rules else {})
    assert check_recipe(tomllib.loads(format_recipe(options)), "recipe") == options


def test_every_option_of_an_export_is_one_of_recipes() -> None:
    selection = pipeline.SelectionOptions.__annotations__.keys() - {"status"}
    assert selection == SELECTION_SETTINGS.keys()
    own = pipeline.ExportOptions.__annotations__.keys() - pipeline.SelectionOptions.__annotations__.keys()
    request = Request(dict.fromkeys([*own, "path", "store"]))
    assert request.as_recipe(selection).keys() - {"selection"} == SETTINGS.keys() | {"rules"}


def test_a_saved_recipe_is_its_owners_alone(store: str, train: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    pipeline.export(str(train), store, save_recipe=str(recipe), allow_few=True, filter="intent=refund")
    assert recipe.stat().st_mode & 0o777 == 0o600
    assert read_recipe(str(recipe))["selection"] == {"filter": "intent=refund"}
    with pytest.raises(UsageError, match="--save-recipe"):
        pipeline.export(str(train), store, save_recipe=str(tmp_path), allow_few=True)


def test_manifests_hold_plain_values(store: str, train: Path) -> None:
    pipeline.export(str(train), store, **EVERYTHING)
    manifest = pipeline.dataset_manifest(str(train))
    assert msgspec.json.decode(msgspec.json.encode(manifest), type=type(manifest)) == manifest
