from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SAMPLES = Path(__file__).resolve().parent.parent / "sample_logs"
README_FILTER = {"project": "CustomerService", "priority": "High"}
STATUSES = {
    "error",
    "body_missing",
    "not_text_generation",
    "unrecognized",
    "blocked",
    "masked",
    "incomplete",
    "tool_call",
    "empty_response",
    "media",
    "tool_turns",
    "bad_turns",
    "truncated",
    "pair",
}
ZLIB_PACKS_OTHERWISE = "ng" in zlib.ZLIB_RUNTIME_VERSION


def generate(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", str(SAMPLES / "generate.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def content(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if ZLIB_PACKS_OTHERWISE and path.suffix == ".gz" else data


def files_below(folder: Path) -> dict[str, Path]:
    found = [*(folder / "AWSLogs").rglob("*"), folder / "expected.json"]
    return {path.relative_to(folder).as_posix(): path for path in found if path.is_file()}


def log_objects(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("AWSLogs/**/*.json.gz") if path.parent.name != "data")


def lines(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in log_objects(folder):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            yield path, line


def records(folder: Path) -> list[dict[str, Any]]:
    found = []
    for _, line in lines(folder):
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return json.loads((SAMPLES / "expected.json").read_bytes())


@pytest.fixture(scope="module")
def committed() -> list[dict[str, Any]]:
    return records(SAMPLES)


@pytest.fixture(scope="module")
def bulk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bulk")
    done = generate("--records", "500", "--out", folder, "--seed", "7")
    assert (done.returncode, done.stdout) == (0, "")
    return folder


def test_generating_again_gives_the_committed_files(tmp_path: Path) -> None:
    assert generate("--out", tmp_path).returncode == 0
    made, kept = files_below(tmp_path), files_below(SAMPLES)
    assert sorted(made) == sorted(kept)
    assert [name for name in made if content(made[name]) != content(kept[name])] == []


def test_rewriting_in_place_changes_nothing() -> None:
    before = {
        name: (path.read_bytes(), path.stat().st_mtime_ns) for name, path in files_below(SAMPLES).items()
    }
    assert generate().returncode == 0
    after = {
        name: (path.read_bytes(), path.stat().st_mtime_ns) for name, path in files_below(SAMPLES).items()
    }
    assert after == before


def test_gzip_headers_hold_neither_time_nor_name() -> None:
    headers = {path.read_bytes()[:10] for path in SAMPLES.glob("AWSLogs/**/*.gz")}
    assert headers == {b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"}


def test_the_corpus_is_small_and_laid_out_as_bedrock_does() -> None:
    paths = files_below(SAMPLES)
    assert sum(path.stat().st_size for path in paths.values()) < 1_500_000
    root = "AWSLogs/111122223333/BedrockModelInvocationLogs"
    assert f"{root}/amazon-bedrock-logs-permission-check" in paths
    hours = {path.parent.relative_to(SAMPLES / root).as_posix() for path in log_objects(SAMPLES)}
    assert {hour.split("/")[0] for hour in hours} == {"us-east-1", "us-west-2"}
    assert len({hour[-13:-3] for hour in hours}) >= 3
    assert len(hours) >= 8


def test_expected_counts_hold(committed: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    ids = Counter(record["requestId"] for record in committed)
    assert len(committed) == expected["records"]
    assert set(ids) == set(expected["statuses"])
    assert sorted(name for name, count in ids.items() if count > 1) == sorted(expected["redelivered"])
    assert sum(1 for _ in lines(SAMPLES)) - len(committed) == expected["quarantined"] == 2
    assert len(log_objects(SAMPLES)) == expected["log_objects"]
    assert len(list(SAMPLES.glob("AWSLogs/**/data/*"))) == expected["data_objects"]
    assert Counter(expected["statuses"].values()) == expected["by_status"]
    assert 700 <= len(committed) <= 1100


def test_every_status_and_operation_occurs(expected: dict[str, Any]) -> None:
    assert set(expected["by_status"]) == STATUSES
    assert min(expected["by_status"].values()) >= 2
    assert set(expected["by_operation"]) == {
        "Converse",
        "ConverseStream",
        "InvokeModel",
        "InvokeModelWithResponseStream",
    }


def test_the_readme_names_every_kind(expected: dict[str, Any]) -> None:
    text = (SAMPLES / "README.md").read_text("utf-8")
    alone = [kind for kind in expected["kinds"] if not kind.startswith(("shape_", "model_id_"))]
    assert [kind for kind in alone if f"`{kind}`" not in text] == []


def test_records_of_both_years_have_their_own_key_order(committed: list[dict[str, Any]]) -> None:
    places: dict[str, set[int]] = {"2024": set(), "2026": set()}
    for record in committed:
        keys = list(record)
        place = keys.index("schemaType")
        places[record.get("timestamp", "2026")[:4]].add(0 if place == 0 else 1)
    assert places == {"2024": {0}, "2026": {1}}


def test_invoke_model_has_metadata_only_in_2026(committed: list[dict[str, Any]]) -> None:
    tagged = {
        record.get("timestamp", "2026")[:4]
        for record in committed
        if record["operation"].startswith("InvokeModel") and "requestMetadata" in record
    }
    assert tagged == {"2026"}


def test_the_teacher_has_enough_distinct_pairs(
    committed: list[dict[str, Any]], expected: dict[str, Any]
) -> None:
    teacher = expected["teacher"]
    single = teacher["single_turn_pairs"]
    assert teacher["single_turn_pairs_by_form"]["bare"] >= 150
    assert sum(teacher["single_turn_pairs_by_form"].values()) == single >= 190
    assert single - teacher["distinct_single_turn_pairs"] in range(1, 10)
    matching = {
        record["requestId"]: record["modelId"]
        for record in committed
        if README_FILTER.items() <= record.get("requestMetadata", {}).items()
    }
    assert len(matching) == teacher["matching_records_of_any_model"] == teacher["records"]
    assert {model.rpartition("/")[2].removeprefix("us.") for model in matching.values()} == {teacher["model"]}
    statuses = Counter(expected["statuses"][request_id] for request_id in matching)
    assert statuses == teacher["by_status"]


def test_prose_does_not_repeat(committed: list[dict[str, Any]]) -> None:
    prompts = Counter(json.dumps(record["input"].get("inputBodyJson")) for record in committed)
    assert len(prompts) > 0.95 * len(committed)


def test_model_ids_come_in_every_form(committed: list[dict[str, Any]]) -> None:
    models = {record["modelId"] for record in committed}
    for part in (
        "meta.llama3-1-405b-instruct-v1:0",
        "us.meta.llama3-1-405b-instruct-v1:0",
        ":inference-profile/us.meta.",
        "::foundation-model/",
        ":application-inference-profile/",
        ":provisioned-model/",
        ":0:300k",
        "global.anthropic.",
        ":imported-model/",
        ":prompt/",
        "openai.gpt-oss-120b-1:0",
        "anthropic.claude-3-5-sonnet-20241022-v2:0",
    ):
        assert any(part in model for model in models), part


@pytest.mark.parametrize(
    "token",
    [
        "<|start_header_id|>",
        "<|header_start|>",
        "<<SYS>>",
        "<s>[INST]",
        "\\n\\nHuman:",
        "\\nBot:",
        "<｜User｜>",
        "<|im_start|>",
        "<|start|>",
        "<start_of_turn>",
    ],
)
def test_every_prompt_template_occurs(committed: list[dict[str, Any]], token: str) -> None:
    bodies = [json.dumps(record["input"], ensure_ascii=False) for record in committed]
    assert sum(token in body for body in bodies) >= 2


def test_metadata_has_the_hard_cases(committed: list[dict[str, Any]]) -> None:
    tagged = [record["requestMetadata"] for record in committed if "requestMetadata" in record]
    assert any({"project", "Project"} <= set(tags) for tags in tagged)
    assert any(tags.get("project") == "CustomerService " for tags in tagged)
    assert any(tags.get("project") == "customerservice" for tags in tagged)
    assert any("priorty" in tags for tags in tagged)
    assert any("#" in key for tags in tagged for key in tags)
    assert any("," in value for tags in tagged for value in tags.values())
    assert any("" in tags.values() for tags in tagged)
    assert max(map(len, tagged)) == 16
    assert 20 < len(committed) - len(tagged) < 200


def test_offloaded_bodies_are_there_or_are_meant_to_be_lost(
    committed: list[dict[str, Any]], expected: dict[str, Any]
) -> None:
    missing = set()
    for record in committed:
        for side in ("input", "output"):
            path = record.get(side, {}).get(f"{side}BodyS3Path")
            if path and not (SAMPLES / path.removeprefix("s3://example-bedrock-logs/")).is_file():
                missing.add(record["requestId"])
    kinds = expected["kinds"]
    lost = ("lost_input", "lost_output", "foreign_bucket", "teacher_lost_body")
    assert missing == {request_id for kind in lost for request_id in kinds[kind]}
    bodies = [json.loads(gzip.decompress(path.read_bytes())) for path in SAMPLES.glob("AWSLogs/**/data/*.gz")]
    assert {type(body) for body in bodies} == {dict, list}


def test_bulk_records_parse_and_have_unique_ids(bulk: Path) -> None:
    found = records(bulk)
    assert len(found) == 500 == len({record["requestId"] for record in found})
    assert all(record["schemaType"] == "ModelInvocationLog" for record in found)
    text = b"\n".join(line for _, line in lines(bulk))
    assert b"@@" not in text
    assert b"98765432" not in text
    assert 2800 < len(text) / 500 < 4300


def test_bulk_token_counts_agree_with_the_bodies(bulk: Path) -> None:
    usages = [
        (record["input"]["inputTokenCount"], record["output"]["outputBodyJson"]["usage"]["inputTokens"])
        for record in records(bulk)
        if record["operation"] == "Converse" and "output" in record
    ]
    assert len(usages) > 50
    assert all(logged == told for logged, told in usages)


def test_bulk_is_a_mixture(bulk: Path) -> None:
    found = records(bulk)
    assert len({record["operation"] for record in found}) == 4
    assert {record["region"] for record in found} == {"us-east-1", "us-west-2"}
    lists = sum(isinstance(record.get("output", {}).get("outputBodyJson"), list) for record in found)
    assert 5 <= lists <= 45
    assert 1 <= sum("errorCode" in record for record in found) <= 30


def test_bulk_is_repeatable_and_follows_its_options(bulk: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert generate("--records", "500", "--out", again, "--seed", "7").returncode == 0
    first, second = log_objects(bulk), log_objects(again)
    assert [path.relative_to(bulk) for path in first] == [path.relative_to(again) for path in second]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    shaped = tmp_path / "shaped"
    options = ("--objects-of", "10", "--days", "3", "--body-bytes", "9000", "--seed", "8")
    assert generate("--records", "300", "--out", shaped, *options).returncode == 0
    assert Counter(path for path, _ in lines(shaped)).most_common()[0][1] == 10
    assert len({path.name[:8] for path in log_objects(shaped)}) == 3
    assert sum(len(line) for _, line in lines(shaped)) / 300 > 6500


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--records", "5"), "need --out DIR"),
        (("--seed", "5"), "need --out DIR"),
        (("--records", "0", "--out", "nowhere"), "must be positive"),
        (("--records", "5", "--days", "0", "--out", "nowhere"), "must be positive"),
        (("--out", "there"), "exists already"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there" / "AWSLogs").mkdir(parents=True)
    done = generate(*arguments)
    assert done.returncode == 2
    assert problem in done.stderr
    assert "Traceback" not in done.stderr
