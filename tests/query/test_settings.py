"""Configuration files, points in time, and the calls that scripts make."""

from __future__ import annotations

import contextlib
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logminer import pipeline
from logminer.config import DEFAULT_STORE, read_config, user_file
from logminer.errors import ConfigurationError, UsageError
from logminer.timespan import parse_instant

from .logs import ids, make_store, record

NOW = datetime(2026, 6, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-14", datetime(2026, 3, 14, tzinfo=UTC)),
        ("2026-03-14T12:00", datetime(2026, 3, 14, 12, tzinfo=UTC)),
        ("2026-03-14 12:00:00.5", datetime(2026, 3, 14, 12, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-03-14T12:00Z", datetime(2026, 3, 14, 12, tzinfo=UTC)),
        ("2026-03-14T12:00+02:00", datetime(2026, 3, 14, 10, tzinfo=UTC)),
        ("7d", NOW - timedelta(days=7)),
        ("12h", NOW - timedelta(hours=12)),
        ("30m", NOW - timedelta(minutes=30)),
        ("2w", NOW - timedelta(weeks=2)),
    ],
)
def test_instants(text: str, instant: datetime) -> None:
    assert parse_instant(text, option="--since", now=NOW) == instant


@pytest.mark.parametrize(
    "text", ["", "x", "7", "7y", "-7d", "2026-13-01", "999999w", "0001-01-01T00:00+05:00", "7d ", "٧d"]
)
def test_no_instants(text: str) -> None:
    with pytest.raises(UsageError, match="is no point in time"):
        parse_instant(text, option="--since", now=NOW)


@given(st.text(max_size=20))
def test_any_text_is_an_instant_in_utc_or_refused(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert parse_instant(text, option="--since").tzinfo is UTC


# --- configuration --------------------------------------------------------------------------------------------


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_precedence(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path / "home")}
    assert read_config(tmp_path, environment).store == DEFAULT_STORE
    user = 'store = "user"\n[models.aliases]\na = "user"\nb = "user"\n'
    written(tmp_path / "home/.config/logminer/config.toml", user)
    assert read_config(tmp_path, environment).store == "user"
    written(tmp_path / "logminer.toml", 'store = "project"\n[models.aliases]\na = "project"\n')
    found = read_config(tmp_path, environment)
    assert (found.store, found.aliases) == ("project", {"a": "project", "b": "user"})
    assert read_config(tmp_path, {**environment, "LOGMINER_STORE": "variable"}).store == "variable"
    assert read_config(tmp_path, {**environment, "LOGMINER_STORE": ""}).store == "project"


def test_the_users_file() -> None:
    assert user_file({"XDG_CONFIG_HOME": "/x", "HOME": "/h"}) == Path("/x/logminer/config.toml")
    assert user_file({"XDG_CONFIG_HOME": "relative", "HOME": "/h"}) == Path("/h/.config/logminer/config.toml")
    assert user_file({}) is None
    assert read_config(Path("/nowhere"), {}).store == DEFAULT_STORE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("store = 5", "`store` must be a path"),
        ('store = ""', "`store` must be a path"),
        ("stor = 'x'", "there is no setting 'stor'\n  Did you mean 'store'?"),
        ("xyz = 1", "there is no setting 'xyz'\n  Known are: store, models, sources, ingest, s3."),
        ("models = 5", "[models.aliases] must map"),
        ("[models]\naliases = 'x'", "[models.aliases] must map"),
        ("[models.aliases]\na = 1", "[models.aliases] must map"),
        ("[models.alias]\na = 'b'", "there is no setting 'models.alias'"),
        ("store = ", "is not TOML"),
        ("a = " + "[" * 5000, "is not TOML"),
    ],
)
def test_wrong_settings(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path / "logminer.toml", text)
    with pytest.raises(ConfigurationError) as caught:
        read_config(tmp_path, {})
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "logminer.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="cannot read"):
        read_config(tmp_path, {})


# --- the calls ------------------------------------------------------------------------------------------------


def test_a_filter_in_every_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_store(tmp_path, [record("a", metadata={"k": "v"}), record("b", prompt="b")])
    form = '{"equals": {"k": "v"}}'
    path = written(tmp_path / "filter.json", form)
    monkeypatch.setattr("sys.stdin", io.StringIO(form))
    assert ids(store, filter="k=v") == ["a"]
    assert ids(store, filter_json=str(path)) == ["a"]
    assert ids(store, filter_json="-") == ["a"]
    assert ids(store, filter_json={"equals": {"k": "v"}}) == ["a"]
    assert ids(store, filter=pipeline.make_selection(filter="k=v").filter) == ["a"]


def test_store_info_history_and_quarantine(tmp_path: Path) -> None:
    store = make_store(tmp_path, [record("a", metadata={"k": "v"})], [record("b", at="2026-06-05T00:00:00Z")])
    broken = written(tmp_path / "broken.jsonl", "{}\nnot json\n")
    pipeline.ingest(str(broken), store=store)
    info = pipeline.store_info(store)
    assert (info.rows, info.files, info.dates, info.models, info.metadata_fields) == (2, 2, 2, 1, 1)
    assert (info.first_date, info.last_date, info.exports) == ("2026-06-03", "2026-06-05", 0)
    assert info.version == pipeline.store_history(store)[0].version
    entries = pipeline.quarantine(store)
    assert len(entries) == info.quarantined == 2
    assert [(each.source_position, each.raw) for each in entries] == [(0, b"{}"), (1, b"not json")]
    (entry,) = pipeline.quarantine(store, reason="invalid_json")
    assert entry.source_uri == f"file://{broken}"
    assert pipeline.quarantine(store, reason="gzip_bomb") == []
    with pytest.raises(UsageError, match="'nonsense' is not known"):
        pipeline.quarantine(store, reason="nonsense")
