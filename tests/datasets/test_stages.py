"""What the stages of an export keep and drop, and that the funnel, the rejects and the files agree."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from query.logs import NOVA, record

from logminer import pipeline
from logminer.errors import CheckFailed, UsageError
from logminer.store.registry import read_exports
from logminer.store.storage import open_storage

from .corpus import faulty, lines_of, many, prose, requests_of, sound, store_with


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A hundred and twenty sound pairs of two days, and one of each fault."""
    folder = tmp_path_factory.mktemp("stages")
    return store_with(folder, many(60), [*many(60, day=2, start=60), *faulty(), sound(0, day=2)])


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return tmp_path / "train.jsonl"


def rejects_by_rule(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in lines_of(path):
        found.setdefault(line["rule"], []).append(line["request_id"])
    return found


ALL: dict[str, Any] = {"curate": True, "allow_few": True}


def test_each_fault_is_found_by_its_rule_and_sound_pairs_stay(
    store: str, train: Path, tmp_path: Path
) -> None:
    report = pipeline.export(str(train), store, rejects=str(tmp_path / "rejects.jsonl"), **ALL)
    rejected = rejects_by_rule(tmp_path / "rejects.jsonl")
    for rule in (
        "near_duplicates",
        "blank",
        "template_tokens",
        "repetition",
        "refusals",
        "conflicting_answers",
    ):
        assert rejected[rule] == [f"{rule}-1"], rule
    kept = requests_of(train)
    assert {name for name in kept if name.startswith("sound")} == {"sound-twin", "sound-newest"}
    assert len([name for name in kept if name.startswith("r0")]) == 120
    assert "refusals-1" in kept, "refusals are only reported unless they are asked for"
    assert report.entry.lines == len(kept) == len(lines_of(train))


def test_every_matching_pair_is_a_line_or_a_reject(store: str, train: Path, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.jsonl"
    report = pipeline.export(
        str(train), store, rejects=str(rejects), max_lines=50, held_out=0.2, stratify="intent", **ALL
    )
    dropped = Counter(line["request_id"] for line in lines_of(rejects) if "action" not in line)
    written = Counter(requests_of(train)) + Counter(requests_of(tmp_path / "train.held-out.jsonl"))
    matching = Counter(row["request_id"] for row in pipeline.select(store, columns=["request_id"]))
    assert dropped + written == matching
    assert report.entry.lines == 50


def test_the_funnel_is_without_gaps_and_counts_the_rejects(store: str, train: Path, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.jsonl"
    report = pipeline.export(str(train), store, rejects=str(rejects), redact="placeholder", **ALL)
    for before, after in zip(report.funnel, report.funnel[1:], strict=False):
        assert before.left == after.entered, after.stage
    counted = Counter(
        {
            (stage.stage, reason): count
            for stage in report.funnel[1:]
            for reason, count in {**stage.dropped, **stage.reported}.items()
        }
    )
    assert counted == Counter((line["rule"], line["reason"]) for line in lines_of(rejects))
    assert report.rejects == counted.total()
    assert report.funnel[-1].left == report.entry.lines


def test_rejects_hold_no_texts(store: str, train: Path, tmp_path: Path) -> None:
    pipeline.export(str(train), store, rejects=str(tmp_path / "rejects.jsonl"), max_lines=20, **ALL)
    content = (tmp_path / "rejects.jsonl").read_text() + Path(f"{train}.manifest.json").read_text()
    assert not re.search(r"amber|basket|kettle|corp-mail|can do that", content)


def test_rules_one_by_one(store: str, train: Path) -> None:
    pipeline.export(str(train), store, rules=["refusals", "near_duplicates:threshold=1.0"], allow_few=True)
    assert {"refusals-1"} == {"refusals-1", "near_duplicates-1", "blank-1"} - set(requests_of(train))
    rules = {"refusals": {"action": "drop"}, "blank": {"action": "report"}}
    report = pipeline.export(str(train), store, rules=rules, allow_few=True)
    assert {"refusals-1", "blank-1"} - set(requests_of(train)) == {"refusals-1"}
    assert [stage.reported for stage in report.funnel if stage.stage == "blank"] == [{"blank_prompt": 1}]
    report = pipeline.export(str(train), store, rules={"near_duplicates": {"action": "off"}}, **ALL)
    assert "near_duplicates-1" in requests_of(train)
    assert "near_duplicates" not in {stage.stage for stage in report.funnel}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rules": ["near_duplicate"]}, "Did you mean 'near_duplicates'?"),
        ({"rules": ["near_duplicates:treshold=1"]}, "Did you mean 'threshold'?"),
        ({"rules": ["near_duplicates:threshold=much"]}, "Give a number"),
        ({"rules": ["near_duplicates:threshold"]}, "near_duplicates:option=value"),
        ({"rules": {"blank": {"action": "burn"}}}, "drop, report, off"),
        ({"history": "some"}, "last, longest, split, fold"),
        ({"redact": "black"}, "placeholder, surrogate"),
        ({"redact": "placeholder", "redact_kinds": "emial"}, "email"),
        ({"redact_kinds": "email"}, "--redact"),
        ({"redact_model": "names"}, "--redact-model: says nothing without --redact"),
        ({"redact": "placeholder", "redact_kinds": "email", "redact_model": "names"}, "no kind of name"),
        ({"stratify": "intent"}, "--max"),
        ({"diverse": True}, "--max"),
        ({"max_lines": 10, "stratify": "intnet"}, "Did you mean 'intent'?"),
        ({"held_out": 0}, "share below 1"),
        ({"held_out": 1.5}, "share below 1"),
        ({"session": "s"}, "--held-out"),
        ({"session": "ss", "held_out": 0.1}, "no pair has a value of 'ss'\n  Did you mean 's'?"),
        ({"session": "intention", "held_out": 0.1}, "no pair has a value of 'intention'"),
        ({"held_out_path": "x.jsonl"}, "--held-out"),
        ({"held_out": 0.1, "held_out_to": "nonsense"}, "--held-out-to"),
        ({"prompts_only": True, "to": "prompt-completion"}, "has answers on every line"),
        ({"prompts_only": True, "history": "split"}, "prompts alone have none"),
        ({"system": "no/such/file"}, "no such file"),
    ],
)
def test_what_cannot_be_meant(store: str, train: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        pipeline.export(str(train), store, allow_few=True, **options)
    assert said in str(caught.value)
    assert not train.exists()


def test_too_few_after_curation_is_a_failed_check(tmp_path: Path, train: Path) -> None:
    twins = [sound(n, prompt=prose("one", 60), answer=f"{prose('one', 60)} {n}") for n in range(120)]
    store = store_with(tmp_path, twins)
    with pytest.raises(CheckFailed, match="only 1 different pair matches;"):
        pipeline.export(str(train), store, rules=["near_duplicates"])
    assert not train.exists()


def test_what_cannot_be_meant_is_said_before_too_few(train: Path, tmp_path: Path) -> None:
    store = store_with(tmp_path, many(5))
    with pytest.raises(UsageError, match="Did you mean email"):
        pipeline.export(str(train), store, redact="placeholder", redact_kinds="emial")
    with pytest.raises(UsageError, match="spaCy"):
        pipeline.export(str(train), store, redact="placeholder", redact_model="no/such/folder")


# --- system prompts, histories, redaction, gold ---------------------------------------------------------------


def test_system_prompts(tmp_path: Path, train: Path) -> None:
    store = store_with(tmp_path, [sound(1, system="Be brief."), sound(2)])
    pipeline.export(str(train), store, system="keep", allow_few=True)
    assert [line.get("system") for line in lines_of(train)] == [[{"text": "Be brief."}], None]
    report = pipeline.export(str(train), store, system="drop", allow_few=True)
    assert ["system" in line for line in lines_of(train)] == [False, False]
    assert [stage.changed for stage in report.funnel if stage.stage == "system"] == [{"system": 1}]
    (tmp_path / "system.txt").write_text("Answer like a pirate.\n")
    pipeline.export(str(train), store, system=str(tmp_path / "system.txt"), allow_few=True)
    assert [line["system"] for line in lines_of(train)] == [[{"text": "Answer like a pirate."}]] * 2


def conversation(length: int, **options: Any) -> list[Any]:
    """The records of one chat: logged again at each turn."""
    texts = [prose(f"turn {number}") for number in range(2 * length)]
    return [
        record(
            f"turn-{turn}",
            at=f"2026-06-03T08:00:{turn:02}Z",
            prompt=texts[: 2 * turn + 1],
            answer=texts[2 * turn + 1],
            **options,
        )
        for turn in range(length)
    ]


@pytest.mark.parametrize(
    ("model", "history", "expected"),
    [
        (NOVA, "last", ["turn-0", "turn-1", "turn-2"]),
        (NOVA, "longest", ["turn-2"]),
        (NOVA, "split", ["turn-0", "turn-1", "turn-2"]),
        (None, None, ["turn-0"]),
        (None, "longest", ["turn-0"]),
        (None, "split", ["turn-0", "turn-1", "turn-2"]),
        (None, "fold", ["turn-0", "turn-1", "turn-2"]),
    ],
)
def test_histories(tmp_path: Path, train: Path, model: str, history: str, expected: list[str]) -> None:
    store = store_with(tmp_path, conversation(3, **({"model": model} if model else {})))
    pipeline.export(str(train), store, history=history, allow_few=True)
    assert requests_of(train) == expected
    users = [sum(turn["role"] == "user" for turn in line["messages"]) for line in lines_of(train)]
    assert (max(users) == 1) == (model is None or history == "split")
    assert pipeline.verify_dataset(str(train)).ok


def test_a_split_record_names_its_turns(tmp_path: Path, train: Path) -> None:
    store = store_with(tmp_path, conversation(3)[2:])
    rejects = tmp_path / "rejects.jsonl"
    pipeline.export(str(train), store, history="split", max_lines=2, rejects=str(rejects), allow_few=True)
    sides = [*lines_of(f"{train}.pairs.jsonl"), *lines_of(rejects)]
    assert {side.get("turn", "own") for side in sides} == {0, 1, "own"}
    assert all("#" not in side["source_uri"] for side in sides)
    texts = {line["messages"][0]["content"][0]["text"] for line in lines_of(train)}
    assert texts < {prose("turn 0"), prose("turn 2"), prose("turn 4")}


@pytest.mark.parametrize("mode", ["placeholder", "surrogate"])
def test_redaction(store: str, tmp_path: Path, mode: str) -> None:
    train = tmp_path / "train.jsonl"
    report = pipeline.export(str(train), store, redact=mode, allow_few=True)
    assert "corp-mail" not in train.read_text()
    assert report.redaction is not None
    assert dict(report.redaction.values) == {"email": 1}
    facts = pipeline.dataset_manifest(str(train))
    assert facts.redaction is not None
    assert facts.redaction["kinds"]["email"]["pairs"] == 1
    again = tmp_path / "again.jsonl"
    pipeline.export(str(again), store, redact=mode, allow_few=True)
    assert again.read_bytes() == train.read_bytes()


def test_what_is_alike_after_redaction_is_one(tmp_path: Path, train: Path) -> None:
    texts = [f"Write to {name}@corp-mail.org, {prose('same')}" for name in ("ann.lee", "bob.kay")]
    store = store_with(tmp_path, [sound(n, prompt=text, answer="Done.") for n, text in enumerate(texts)])
    pipeline.export(str(train), store, redact="placeholder", rules=["exact_duplicates"], allow_few=True)
    assert requests_of(train) == ["r00000"]


def test_the_secret_of_stand_ins_stays_in_the_store(tmp_path: Path, train: Path) -> None:
    store = store_with(tmp_path, faulty())
    pipeline.export(str(train), store, redact="surrogate", allow_few=True)
    (secret,) = (Path(store) / "secrets").iterdir()
    assert (len(secret.read_bytes()), secret.stat().st_mode & 0o777) == (32, 0o600)
    for path in tmp_path.glob("train*"):
        assert secret.read_bytes() not in path.read_bytes()


def gold_file(folder: Path, *pairs: tuple[str, str]) -> Path:
    path = folder / "gold.jsonl"
    path.write_text(
        "".join(
            json.dumps(
                {
                    "schemaVersion": "bedrock-conversation-2024",
                    "messages": [
                        {"role": "user", "content": [{"text": prompt}]},
                        {"role": "assistant", "content": [{"text": answer}]},
                    ],
                }
            )
            + "\n"
            for prompt, answer in pairs
        )
    )
    return path


def test_labelled_examples_are_mixed_in(store: str, tmp_path: Path, train: Path) -> None:
    gold = gold_file(tmp_path, (prose("question 5"), "The label."), ("Something new?", "Indeed."))
    report = pipeline.export(
        str(train), store, gold=str(gold), max_lines=20, prompts_only=True, allow_few=True
    )
    lines = lines_of(train)
    assert len(lines) == report.entry.lines == 20
    assert [line["messages"][-1]["content"][0]["text"] for line in lines[-2:]] == ["The label.", "Indeed."]
    assert all(len(line["messages"]) == 1 for line in lines[:-2])
    asked = [line["messages"][0]["content"][0]["text"] for line in lines]
    assert asked.count(prose("question 5")) == 1
    assert pipeline.dataset_manifest(str(train)).counts == {"gold": 2, "train": 20}
    assert [line["request_id"] for line in lines_of(f"{train}.pairs.jsonl")[-2:]] == [None, None]


def test_labelled_examples_are_never_held_out(store: str, tmp_path: Path, train: Path) -> None:
    gold = gold_file(tmp_path, *((prose(f"question {n}", 14) + "!", "The label.") for n in range(60)))
    pipeline.export(str(train), store, gold=str(gold), held_out=0.5, allow_few=True)
    held = {line["messages"][0]["content"][0]["text"] for line in lines_of(tmp_path / "train.held-out.jsonl")}
    assert held
    assert not held & {prose(f"question {n}") for n in range(60)}, "their near duplicates neither"


@pytest.mark.parametrize("content", ["", "not JSON\n", '{"prompt":"a"}\n', '{"messages":[]}\n', "\xff"])
def test_bad_gold(store: str, tmp_path: Path, train: Path, content: str) -> None:
    (tmp_path / "gold.jsonl").write_bytes(content.encode("latin-1"))
    with pytest.raises(UsageError, match="--gold"):
        pipeline.export(str(train), store, gold=str(tmp_path / "gold.jsonl"), allow_few=True)
    assert not train.exists()


def test_the_held_out_file_is_registered_too(store: str, tmp_path: Path, train: Path) -> None:
    report = pipeline.export(str(train), store, held_out=0.3, held_out_to="bedrock-eval", allow_few=True)
    assert report.held_out is not None
    assert {"prompt", "referenceResponse"} == set(lines_of(tmp_path / "train.held-out.jsonl")[0])
    entries = read_exports(open_storage(store))
    assert report.entry in entries
    assert report.held_out in entries
    request = requests_of(tmp_path / "train.held-out.jsonl")[0]
    assert report.held_out in pipeline.explain(request, store).exports
