"""What an export writes, of which records, and when it refuses."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from query.logs import CLAUDE, LLAMA, LLAMA_70B, LLAMA_GEO, NOVA, OPAQUE, Record, make_store, record, store_of

from logminer import pipeline
from logminer.errors import CheckFailed, UsageError
from logminer.store.registry import read_exports
from logminer.store.storage import open_storage

SEVERAL = ("Where is it?", "On its way.", "And the other one?")


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def prompts_of(path: Path) -> list[str]:
    """The text of the last user turn of every line."""
    turns = [line["messages"] for line in lines_of(path)]
    return [[turn for turn in each if turn["role"] == "user"][-1]["content"][0]["text"] for each in turns]


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return tmp_path / "train.jsonl"


def many(count: int, **options: Any) -> list[Record]:
    """Records that all say something else, a second apart."""
    return [
        record(
            f"{n:05}",
            at=f"2026-06-03T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z",
            prompt=f"p{n}",
            **options,
        )
        for n in range(count)
    ]


def test_a_line(tmp_path: Path, train: Path) -> None:
    store = make_store(tmp_path, [record("a", system="Be brief.", prompt="Hé?", answer='"Hi"\n')])
    pipeline.export(str(train), store, allow_few=True)
    assert train.read_text("utf-8") == (
        '{"schemaVersion":"bedrock-conversation-2024","system":[{"text":"Be brief."}],'
        '"messages":[{"role":"user","content":[{"text":"Hé?"}]},'
        '{"role":"assistant","content":[{"text":"\\"Hi\\"\\n"}]}]}\n'
    )


def test_no_system_key_rather_than_an_empty_one(tmp_path: Path, train: Path) -> None:
    store = make_store(tmp_path, [record("a"), record("b", prompt="b", system="  ")])
    pipeline.export(str(train), store, allow_few=True)
    assert [line.keys() for line in lines_of(train)] == [{"schemaVersion", "messages"}] * 2


def test_the_report_and_the_register_say_the_same(tmp_path: Path, train: Path) -> None:
    store = make_store(tmp_path, [*many(3), record(None, prompt="without an id", at="2026-06-05T00:00:00Z")])
    options = {"filter": "k!=v", "since": "2026-06-01", "region": ["us-east-1"]}
    report = pipeline.export(str(train), store, allow_few=True, max_lines=9, **options)  # type: ignore[arg-type]
    (entry,) = read_exports(open_storage(store))
    assert entry == report.entry
    content = train.read_bytes()
    assert (entry.sha256, entry.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (entry.lines, entry.request_ids) == (4, ["00000", "00001", "00002", ""])
    assert (entry.path, entry.format, entry.model) == (str(train), "bedrock-conversation", LLAMA)
    assert entry.store_version == pipeline.store_info(store).version
    since = {"since": "2026-06-01T00:00:00Z"}
    assert entry.selection == {**options, **since, "max": 9}
    assert (report.input_tokens, report.output_tokens, report.lacking) == (40, 80, {"k": 4})
    assert train.stat().st_mode & 0o777 == 0o600


def test_an_entry_of_the_register_is_enough_to_write_the_same_file_again(tmp_path: Path, train: Path) -> None:
    store = make_store(tmp_path, many(30, metadata={"k": "v w"}))
    first = pipeline.export(
        str(train), store, allow_few=True, max_lines=9, filter="k='v w'", until="2026-06-04"
    )
    make_store(tmp_path, many(50, metadata={"k": "v w"}))
    options = dict(first.entry.selection)
    again = pipeline.export(
        str(tmp_path / "again.jsonl"),
        store,
        allow_few=True,
        max_lines=options.pop("max"),
        version=first.entry.store_version,
        **options,
    )
    assert (tmp_path / "again.jsonl").read_bytes() == train.read_bytes()
    assert again.entry.sha256 == first.entry.sha256


# --- one teacher ----------------------------------------------------------------------------------------------


def test_no_teacher_is_needed_where_the_pairs_have_one_model(tmp_path: Path, train: Path) -> None:
    records = [
        record("a", metadata={"k": "1"}),
        record("b", model=LLAMA_GEO, metadata={"k": "1"}, prompt="b"),
        record("c", model=NOVA, metadata={"k": "1"}, error="ThrottlingException"),
        record("d", model=NOVA, metadata={"k": "2"}),
    ]
    store = make_store(tmp_path, records)
    report = pipeline.export(str(train), store, allow_few=True, filter="k=1")
    assert (report.model, report.entry.lines) == (LLAMA, 2)
    with pytest.raises(UsageError) as caught:
        pipeline.export(str(tmp_path / "other.jsonl"), store, allow_few=True)
    assert f"of 2 models: {LLAMA} (2); {NOVA} (1)" in str(caught.value)
    assert "--teacher" in str(caught.value)
    assert not (tmp_path / "other.jsonl").exists()


def test_a_beginning_of_several_models_lists_them(tmp_path: Path, train: Path) -> None:
    store = make_store(tmp_path, [record("a"), record("b", model=LLAMA_70B)])
    with pytest.raises(UsageError, match="of 2 models"):
        pipeline.export(str(train), store, allow_few=True, teacher="meta.llama3-1")
    assert pipeline.export(str(train), store, allow_few=True, teacher="meta.llama3-1-70b").model == LLAMA_70B


def test_ids_that_say_no_model_are_named(tmp_path: Path, train: Path) -> None:
    store = make_store(tmp_path, [record("a", model=OPAQUE)])
    with pytest.raises(UsageError) as caught:
        pipeline.export(str(train), store, allow_few=True)
    assert OPAQUE in str(caught.value)
    assert "[models.aliases]" in str(caught.value)
    report = pipeline.export(str(train), store, allow_few=True, aliases={OPAQUE: LLAMA}, teacher=LLAMA)
    assert (report.model, report.entry.lines) == (LLAMA, 1)


def test_records_without_any_model_and_very_many_models(tmp_path: Path, train: Path) -> None:
    with store_of([record("a", model=None)]) as store, pytest.raises(UsageError, match="without a model id"):
        pipeline.export(str(train), store, allow_few=True)
    hostile = [record(f"{n}", model=f"meta.m{n}\x1b[31m") for n in range(15)]
    with store_of(hostile) as store, pytest.raises(UsageError) as caught:
        pipeline.export(str(train), store, allow_few=True)
    assert "\x1b" not in str(caught.value)
    many_models = [record(f"{n}", model=f"meta.m{n}-v1:0") for n in range(15)]
    with store_of(many_models) as store, pytest.raises(UsageError, match=r"of 15 models.*; and 5 more"):
        pipeline.export(str(train), store, allow_few=True)


# --- which records --------------------------------------------------------------------------------------------


def test_single_turn_teachers_get_single_turns_and_nova_all(tmp_path: Path, train: Path) -> None:
    for model, prompts in ((LLAMA, ["one"]), (CLAUDE, ["one"]), (NOVA, ["one", SEVERAL[-1]])):
        with store_of(
            [record("a", model=model, prompt="one"), record("b", model=model, prompt=SEVERAL)]
        ) as store:
            report = pipeline.export(str(train), store, allow_few=True)
        assert prompts_of(train) == prompts
        assert report.multi_turn == 2 - len(prompts)
        assert pipeline.validate(str(train), teacher=model, allow_few=True).ok


def test_equal_pairs_are_written_once_the_first_in_order(tmp_path: Path, train: Path) -> None:
    records = [
        record("late", at="2026-06-03T10:00:00Z"),
        record("first", at="2026-06-03T08:00:00Z"),
        record("other system", at="2026-06-03T09:00:00Z", system="Be brief."),
        record("other answer", at="2026-06-03T09:00:01Z", answer="No."),
        record("cut", at="2026-06-03T07:00:00Z", stop="max_tokens"),
    ]
    store = make_store(tmp_path, records)
    report = pipeline.export(str(train), store, allow_few=True)
    assert report.entry.request_ids == ["first", "other system", "other answer"]
    assert report.duplicates == 1


def test_max_keeps_the_smallest_hashes_in_the_order_of_time(tmp_path: Path, train: Path) -> None:
    store = make_store(tmp_path, many(200))
    rows = list(pipeline.select(store, columns=["request_id", "pair_hash"]))
    for count in (100, 150, 200, 300):
        report = pipeline.export(str(train), store, max_lines=count)
        smallest = sorted(row["pair_hash"] for row in rows)[:count]
        assert report.entry.request_ids == [r["request_id"] for r in rows if r["pair_hash"] in smallest]
        assert report.over_max == 200 - len(smallest)
    with pytest.raises(UsageError, match="--max: must be at least 1"):
        pipeline.export(str(train), store, max_lines=0)


def test_prompts_alone_are_of_any_model_and_answer(tmp_path: Path, train: Path) -> None:
    records = [
        record("pair", prompt="1"),
        record("same prompt", prompt="1", answer="another", model=NOVA, at="2026-06-03T08:00:01Z"),
        record("throttled", prompt="2", error="ThrottlingException", model=NOVA),
        record("cut", prompt="3", stop="max_tokens", model=OPAQUE),
        record("silent", prompt="4", answer=" "),
        record("blocked", prompt="5", stop="guardrail_intervened"),
        record("several", prompt=SEVERAL, model=NOVA),
        record("blank", prompt=" "),
    ]
    store = make_store(tmp_path, records)
    report = pipeline.export(str(train), store, prompts_only=True, allow_few=True)
    assert (sorted(prompts_of(train)), report.model) == (["1", "2", "3", "4"], None)
    assert (report.multi_turn, report.duplicates) == (1, 1)
    assert all(line["messages"][-1]["role"] == "user" for line in lines_of(train))
    assert pipeline.validate(str(train), allow_few=True).ok
    assert report.routes[0].startswith("distillation job, trainingDataConfig.s3Uri")
    assert any("fine-tuning" in route for route in report.other_routes)
    report = pipeline.export(str(train), store, prompts_only=True, allow_few=True, teacher=NOVA)
    assert (sorted(prompts_of(train)), report.model) == (["1", "2", SEVERAL[-1]], NOVA)
    assert pipeline.validate(str(train), teacher=NOVA, allow_few=True).ok


def test_forgotten_records_are_never_exported(tmp_path: Path, train: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from deltalake import DeltaTable

    store = make_store(tmp_path, [record("kept", prompt="1"), record("forgotten", prompt="2")])
    table = DeltaTable(f"{store}/invocations")
    (path,) = (Path(store) / "invocations").glob("date=*/*.parquet")
    rows = pq.ParquetFile(path).read()
    status = ["forgotten" if each == "forgotten" else "pair" for each in rows["request_id"].to_pylist()]
    rows = rows.set_column(rows.schema.get_field_index("status"), "status", pa.array(status))
    pq.write_table(rows, path)
    assert table.version() == pipeline.store_info(store).version
    for prompts_only in (False, True):
        pipeline.export(str(train), store, allow_few=True, prompts_only=prompts_only)
        assert prompts_of(train) == ["1"]
    assert pipeline.count(store, status="all").count == 1
    assert pipeline.count(store, status="forgotten").count == 1
    assert pipeline.stats(store).statuses == {"pair": 1}


# --- how many, and what for -----------------------------------------------------------------------------------


def test_too_few_is_a_failed_check_and_no_file(tmp_path: Path, train: Path) -> None:
    store = make_store(tmp_path, many(99))
    with pytest.raises(CheckFailed) as caught:
        pipeline.export(str(train), store)
    assert "only 99 different pairs match; a distillation job needs 100" in str(caught.value)
    assert "--allow-few" in str(caught.value)
    assert not train.exists()
    assert read_exports(open_storage(store)) == []
    report = pipeline.export(str(train), store, allow_few=True)
    assert report.warnings == ("Only 99 lines: a distillation job needs 100.",)


@pytest.mark.parametrize(
    "options", [{"filter": "k=v"}, {"teacher": "meta.nothing"}, {"prompts_only": True, "since": "2027-01-01"}]
)
def test_none_at_all_is_never_a_file(tmp_path: Path, train: Path, options: dict[str, Any]) -> None:
    store = make_store(tmp_path, many(3))
    with pytest.raises(CheckFailed, match=r"no (pairs|prompts) match"):
        pipeline.export(str(train), store, allow_few=True, **options)
    assert not train.exists()


def test_enough(tmp_path: Path, train: Path) -> None:
    store = make_store(tmp_path, many(100))
    report = pipeline.export(str(train), store)
    assert report.warnings == ()
    assert pipeline.validate(str(train)).ok


def test_too_many_is_said(tmp_path: Path, train: Path) -> None:
    store = make_store(tmp_path, many(15_001))
    (warning,) = pipeline.export(str(train), store).warnings
    assert warning.startswith("15,001 lines are more than the 15,000")
    assert "--max 15000" in warning
    assert pipeline.export(str(train), store, max_lines=15_000).warnings == ()


def test_the_routes(tmp_path: Path, train: Path) -> None:
    store = make_store(tmp_path, many(1))
    report = pipeline.export(str(train), store, allow_few=True)
    assert ["golden examples" in report.routes[0], "fine-tuning" in report.routes[1]] == [True, True]
    assert "invocationLogsConfig: reads the logs themselves" in report.other_routes[-1]


@pytest.mark.parametrize("options", [{"status": "all"}, {"to": "nonsense"}])
def test_options_that_an_export_does_not_take(tmp_path: Path, train: Path, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        pipeline.export(str(train), str(tmp_path / "store"), **options)


# --- the same bytes -------------------------------------------------------------------------------------------


def test_the_same_bytes_however_the_store_came_to_be(tmp_path: Path) -> None:
    batches = [
        [
            record(
                f"{batch}-{n}",
                at=f"2026-06-0{1 + n % 3}T08:00:{(n * 7 + batch) % 60:02}Z",
                prompt=f"p{n % 25}",
            )
            for n in range(40)
        ]
        for batch in range(8)
    ]
    logs = tmp_path / "logs"
    logs.mkdir()
    for number, batch in enumerate(batches):
        (logs / f"{number}.jsonl").write_text("".join(json.dumps(each) + "\n" for each in batch))
    stores = [str(tmp_path / name) for name in ("forward", "backward", "together")]
    for number in range(8):
        pipeline.ingest(str(logs / f"{number}.jsonl"), store=stores[0], workers=1)
        pipeline.ingest(str(logs / f"{7 - number}.jsonl"), store=stores[1], workers=1)
    pipeline.ingest(str(logs), store=stores[2], workers=2)
    files = {pipeline.store_info(store).files for store in stores}
    assert len(files) > 1 or files == {3}, "compacted or not"
    contents = set()
    for store in (*stores, stores[0]):
        path = tmp_path / f"{len(os.listdir(tmp_path))}.jsonl"
        pipeline.export(str(path), store, allow_few=True)
        contents.add(path.read_bytes())
    assert len(contents) == 1
    assert len(contents.pop().splitlines()) == 25
