"""`convert`: existing training files into other formats, by library and command line."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from conftest import CommandLine
from hypothesis import given, settings
from hypothesis import strategies as st

from logminer import pipeline
from logminer.errors import CheckFailed, LogminerError, UsageError
from logminer.exports import export_format, export_formats
from logminer.exports.line_input import read_lines
from logminer.exports.training_lines import BadLine, read_training_line
from logminer.pairs import PromptResponsePair

from .pairs import TEACHER, text_pairs, texts, written

CHAT = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi?"},
        {"role": "assistant", "content": "Hello."},
    ]
}
CALL = {"id": "c1", "type": "function", "function": {"name": "w", "arguments": '{"x":1}'}}
TOOLS: dict[str, Any] = {
    "messages": [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        {"role": "assistant", "content": "Sunny."},
    ],
    "tools": [{"type": "function", "function": {"name": "w", "parameters": {"type": "object"}}}],
}


def jsonl(*lines: Any) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def converted(content: bytes, to: str, **options: Any) -> list[Any]:
    """What a file becomes."""
    with TemporaryDirectory() as folder:
        source, output = Path(folder, "in.jsonl"), Path(folder, "out.jsonl")
        source.write_bytes(content)
        pipeline.convert(str(source), str(output), to=to, **options)
        return [json.loads(line) for line in output.read_text("utf-8").split("\n")[:-1]]


def test_each_kind_of_line_is_known_by_its_shape() -> None:
    nova = {
        "schemaVersion": "bedrock-conversation-2024",
        "system": [{"text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"text": "Hi?"}]},
            {"role": "assistant", "content": [{"text": "Hello."}]},
        ],
    }
    claude = {
        "system": "Be brief.",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Hi?"}]},
            {"role": "assistant", "content": "Hello."},
        ],
    }
    lines = [
        {"prompt": "Hi?", "completion": "Hello.", "system": "Be brief."},
        {"prompt": "Hi?", "referenceResponse": "Hello.", "system": "Be brief."},
        CHAT,
        {"messages": CHAT["messages"][:2], "reference_answer": "Hello."},
        claude,
        nova,
    ]
    assert converted(jsonl(*lines), "bedrock-conversation") == [nova] * len(lines)


def test_tools_and_reasoning_survive() -> None:
    (line,) = converted(jsonl(TOOLS), "nova-sft")
    assert line["toolConfig"]["tools"][0]["toolSpec"]["name"] == "w"
    assert line["messages"][1]["content"] == [
        {"toolUse": {"toolUseId": "c1", "name": "w", "input": {"x": 1}}}
    ]
    reasoning = {"reasoningContent": {"reasoningText": {"text": "hm"}}}
    line["messages"][-1]["content"].insert(0, reasoning)
    assert converted(jsonl(line), "nova-sft") == [line]
    del line["messages"][-1]["content"][0]
    (chat,) = converted(jsonl(line), "openai-chat")
    assert chat == TOOLS


def test_the_system_prompt_is_for_lines_without_one(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(jsonl({"prompt": "a", "completion": "b"}, CHAT))
    report = pipeline.convert(str(source), str(tmp_path / "out"), to="openai-chat", system="Be kind.")
    lines = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert [line["messages"][0]["content"] for line in lines] == ["Be kind.", "Be brief."]
    assert (report.lines, report.own_system) == (2, 1)


BAD = [
    (b"{", "is not JSON"),
    (b"[1]", "is JSON, but no object"),
    (b'{"prompt": "\xff"}', "is not UTF-8"),
    (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "is nested too deep"),
    (b'{"text": "x"}', 'has neither "prompt" nor "messages"'),
    (b'{"prompt": 5, "completion": "x"}', 'has a "prompt" that is no text'),
    (b'{"prompt": "x", "completion": 5}', 'has a "completion" that is no text'),
    (b'{"prompt": "x", "completion": "y", "system": 5}', 'has a "system" that is no text'),
    (b'{"prompt": " ", "completion": "x"}', "has a turn without text"),
    (b'{"prompt": "x", "completion": " "}', "has an answer without text"),
    (b'{"prompt": "x"}', "has no answer, and this format needs one"),
    (b'{"messages": null}', "has no messages"),
    (b'{"messages": []}', "has no user's turn"),
    (b'{"messages": 5}', "has messages of no known form, at $.messages"),
    (b'{"messages": [1]}', "has messages of no known form, at $.messages[…]"),
    (b'{"messages": [{"role": "user", "content": 5}]}', "at $.messages[…].content"),
    (b'{"messages": [{"role": "bot", "content": "x"}]}', "whose role is not"),
    (b'{"messages": [{"role": "assistant", "content": "x"}]}', "has no user's turn"),
    (
        b'{"messages": [{"role": "assistant", "content": "x"}, {"role": "user", "content": "x"}]}',
        "does not begin with a user's turn",
    ),
    (
        b'{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}',
        "holds media",
    ),
]


@pytest.mark.parametrize(("line", "reason"), BAD, ids=[str(number) for number in range(len(BAD))])
def test_a_bad_line_is_an_error_with_its_place_or_is_counted(
    tmp_path: Path, line: bytes, reason: str
) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(jsonl({"prompt": "a", "completion": "b"}) + b"\n" + line)
    with pytest.raises(CheckFailed) as caught:
        pipeline.convert(str(source), str(output), to="rft")
    assert reason in str(caught.value)
    assert str(caught.value).startswith(f"{source}:3: the line ")
    assert caught.value.fix
    assert not output.exists()
    report = pipeline.convert(str(source), str(output), to="rft", skip_bad=True)
    assert (report.lines, list(report.skipped.values()), list(report.first_skipped.values())) == (1, [1], [3])
    assert reason in next(iter(report.skipped))


def test_no_text_of_a_line_is_in_a_message() -> None:
    secret = "SECRET"
    for line in (
        {"messages": [{"role": secret, "content": "x"}]},
        {"messages": [{"role": "user", "content": [{secret: secret}]}]},
        {"prompt": {secret: secret}},
        {secret: secret},
    ):
        with pytest.raises(BadLine) as caught:
            read_training_line(json.dumps(line).encode(), 0)
        assert secret not in caught.value.reason + caught.value.fix


def test_nothing_to_convert_is_no_file(tmp_path: Path) -> None:
    for content in (b"", b"\n \n", b"{}\n[]\n"):
        source = tmp_path / "in.jsonl"
        source.write_bytes(content)
        for to in ("rft", "parquet", "invocation-log"):
            with pytest.raises(CheckFailed, match="no line can be converted"):
                pipeline.convert(
                    str(source), str(tmp_path / "out"), to=to, skip_bad=True, teacher="amazon.nova-pro-v1:0"
                )
            assert os.listdir(tmp_path) == ["in.jsonl"]


def test_the_source_is_never_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, link = tmp_path / "in.jsonl", tmp_path / "link"
    source.write_bytes(jsonl(CHAT))
    link.symlink_to(source)
    monkeypatch.chdir(tmp_path)
    for one, other in (("in.jsonl", str(source)), (f"file://{source}", "in.jsonl"), (str(source), "link")):
        with pytest.raises(UsageError, match="is the file to convert"):
            pipeline.convert(one, other, to="rft")
    assert source.read_bytes() == jsonl(CHAT)


def test_lines_without_answers_are_no_fine_tuning_set(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    for lines, unanswered, routes in ((jsonl(CHAT), 0, 2), (jsonl(CHAT, {"prompt": "a"}), 1, 1)):
        source.write_bytes(lines)
        report = pipeline.convert(str(source), str(tmp_path / "out"), to="bedrock-conversation")
        assert (report.unanswered, len(report.routes)) == (unanswered, routes)


def test_equal_lines_have_record_ids_of_their_own() -> None:
    lines = converted(jsonl(CHAT, {}, CHAT), "batch", skip_bad=True)
    assert [line["recordId"] for line in lines] == ["line1", "line3"]


def test_every_way_lines_arrive(tmp_path: Path) -> None:
    lines = jsonl(CHAT, {"prompt": "a", "completion": "b"})
    ways = {
        "plain": lines,
        "no end": lines.rstrip(),
        "crlf": lines.replace(b"\n", b"\r\n"),
        "bom": b"\xef\xbb\xbf" + lines,
        "blank lines": b"\n\n" + lines.replace(b"\n", b"\n\n"),
        "gzip": gzip.compress(lines),
        "members": gzip.compress(lines[:50]) + gzip.compress(lines[50:]),
    }
    expected = converted(lines, "rft")
    for way, content in ways.items():
        assert converted(content, "rft") == expected, way
    with pytest.raises(CheckFailed, match="the gzipped file is damaged"):
        converted(gzip.compress(lines)[:-9], "rft")


@given(st.lists(st.binary(max_size=30)), st.integers(1, 20))
def test_lines_are_cut_the_same_however_the_bytes_come(parts: list[bytes], size: int) -> None:
    content = b"x" + b"\n".join(parts)  # no gzip, no byte order mark

    class Trickle(io.BytesIO):
        def read(self, count: int | None = -1) -> bytes:
            return super().read(size)

    expected = [
        (number, line.removesuffix(b"\r"))
        for number, line in enumerate(content.split(b"\n"), start=1)
        if line.strip()
    ]
    assert list(read_lines(Trickle(content), "x")) == expected


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logminer.exports.line_input.MAX_LINE_BYTES", 1000)
    with pytest.raises(CheckFailed, match="has a line of more than"):
        list(read_lines(io.BytesIO(b"x" * 2000), "x"))


def test_a_folder_of_logs_appears_whole_and_never_beside_old_ones(tmp_path: Path) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "logs"
    source.write_bytes(jsonl(CHAT, [1]))
    options: dict[str, Any] = {"to": "invocation-log", "teacher": f"us.{TEACHER}"}
    with pytest.raises(CheckFailed):
        pipeline.convert(str(source), str(output), **options)
    assert os.listdir(tmp_path) == ["in.jsonl"]
    report = pipeline.convert(str(source), str(output), skip_bad=True, **options)
    (path,) = output.rglob("*.json.gz")
    assert report.size_bytes == path.stat().st_size
    assert {each.stat().st_mode & 0o077 for each in (output, *output.rglob("*"))} == {0}
    with pytest.raises(UsageError, match="has files in it already"):
        pipeline.convert(str(source), str(output), skip_bad=True, **options)
    with pytest.raises(UsageError, match="is a file"):
        pipeline.convert(str(source), str(source), skip_bad=True, **options)
    with pytest.raises(UsageError, match="--teacher"):
        pipeline.convert(str(source), str(tmp_path / "other"), to="invocation-log")
    empty = tmp_path / "empty"
    empty.mkdir()
    pipeline.convert(str(source), f"{empty}/", skip_bad=True, **options)
    assert [each.name for each in empty.rglob("*.json.gz")] == [path.name]


def test_a_table(tmp_path: Path) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "out.parquet"
    source.write_bytes(jsonl(CHAT) * 2500)
    report = pipeline.convert(str(source), str(output), to="parquet")
    assert (report.lines, report.size_bytes) == (2500, output.stat().st_size)
    question = f"SELECT count(*), min(system), min(messages)[1].content, count(timestamp) FROM '{output}'"
    assert duckdb.sql(question).fetchall() == [(2500, "Be brief.", "Hi?", 0)]


@pytest.mark.parametrize(
    ("to", "problem"),
    [
        ("nonsense", "there is no format 'nonsense'"),
        ("rft:x", "rft has no option 'x'"),
        ("parquet:", "parquet has no option ''"),
        ("parquet:metadata=1", "metadata takes no value"),
        ("batch:body=x", "there is no body 'x'"),
        ("bedrock-eval:category", "needs a metadata key"),
    ],
)
def test_formats_and_options_that_there_are_not(tmp_path: Path, to: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        pipeline.convert(str(tmp_path / "none"), str(tmp_path / "out"), to=to)


# --- round trips --------------------------------------------------------------------------------------------


def turns_of(pair: PromptResponsePair) -> tuple[Any, ...]:
    return pair.system, pair.messages, pair.response


ROUND_TRIPS = {"bedrock-conversation", "anthropic-messages", "nova-sft", "openai-chat", "rft"}
FLAT = {"prompt-completion", "bedrock-eval"}


@settings(max_examples=80, deadline=None)
@given(text_pairs())
def test_what_formats_write_reads_back_as_the_same_turns(pair: PromptResponsePair) -> None:
    for name in sorted(ROUND_TRIPS | FLAT):
        form = export_formats()[name]
        if form.misfit(pair) is not None:
            continue
        line = written(form, [pair])[""]
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        back = read_training_line(line[:-1], 0)
        if name in FLAT:
            text = json.loads(pair.messages)[0]["content"][0]["text"]
            whole = text if pair.system is None else f"{pair.system}\n\n{text}"
            assert (json.loads(back.messages)[0]["content"][0]["text"], back.response) == (
                whole,
                pair.response,
            )
        else:
            assert turns_of(back) == turns_of(pair), name


@settings(max_examples=60, deadline=None)
@given(text_pairs())
def test_every_line_is_one_json_object(pair: PromptResponsePair) -> None:
    for name, form in export_formats().items():
        if form.write_line is not None and form.misfit(pair) is None:
            line = written(form, [pair])[""]
            assert isinstance(json.loads(line), dict), name
            assert line.count(b"\n") == 1


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | texts | st.sampled_from(["user", "assistant", "tool", "text"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["messages", "role", "content", "text", "type", "prompt", "completion", "system", "tool_calls", "tools",
             "function", "toolUse", "toolResult", "toolUseId", "reasoningContent", "reasoningText", "arguments"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip
_messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "system", "tool"]), "content": _json}
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=200, deadline=None)
@given(_json | st.fixed_dictionaries({"messages": _messages}))
def test_any_line_is_a_pair_that_formats_can_judge_or_a_bad_line(value: Any) -> None:
    try:
        pair = read_training_line(json.dumps(value).encode(), 0, model=TEACHER)
    except BadLine:
        return
    for form in export_formats().values():
        if form.misfit(pair) is None:
            assert written(form, [pair])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_pair_or_a_bad_line(line: bytes) -> None:
    with TemporaryDirectory() as folder:
        source = Path(folder, "in")
        source.write_bytes(line)
        with contextlib.suppress(LogminerError):
            pipeline.convert(str(source), str(Path(folder, "out")), to="openai-chat")
            assert line.strip()


# --- the command line ---------------------------------------------------------------------------------------


def test_the_command(run: CommandLine) -> None:
    (run.folder / "in.jsonl").write_bytes(jsonl(CHAT, TOOLS))
    ran = run("convert", "in.jsonl", "--to", "rft", "-o", "out.jsonl")
    assert (ran.code, ran.stdout) == (1, "")
    assert ran.stderr.startswith("error: in.jsonl:2: the line holds tool calls")
    assert not (run.folder / "out.jsonl").exists()
    ran = run("convert", "in.jsonl", "--to", "rft", "--skip-bad", "-o", "out.jsonl")
    assert (ran.code, ran.stdout) == (0, "")
    assert "1 line written to out.jsonl as rft (" in ran.stderr
    assert "left out: 1 line, the first is 2: it holds tool calls" in ran.stderr
    assert "fits: reinforcement fine-tuning job" in ran.stderr
    assert "warning: Only 1 of the 100 records that a reinforcement fine-tuning job needs." in ran.stderr
    assert (run.folder / "out.jsonl").stat().st_mode & 0o777 == 0o600


def test_help_names_every_format(run: CommandLine) -> None:
    words = run("convert", "--help").stdout.replace(",", " ").replace(":", " ").split()
    assert set(export_formats()) <= set(words)


def test_through_a_pipe(run: CommandLine) -> None:
    ran = run(
        "convert", "-", "--to", "prompt-completion", "--system", "S", stdin='{"prompt":"a","completion":"b"}'
    )
    assert (ran.code, ran.stdout) == (0, '{"prompt":"S\\n\\na","completion":"b"}\n')
    ran = run("convert", "-", "--to", "rft", stdin="x")
    assert (ran.code, ran.stdout) == (1, "")
    assert ran.stderr.startswith("error: stdin:1: the line is not JSON")


def test_the_facts_as_json(run: CommandLine) -> None:
    (run.folder / "in.jsonl").write_bytes(jsonl(CHAT))
    ran = run("convert", "in.jsonl", "--to", "openai-chat", "-o", "out.jsonl", "--json")
    facts = json.loads(ran.stdout)
    assert (ran.code, ran.stderr) == (0, "")
    assert (facts["path"], facts["format"], facts["lines"], facts["skipped"]) == (
        "out.jsonl",
        "openai-chat",
        1,
        {},
    )


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("none.jsonl", "--to", "rft", "-o", "x"), 2, "there is no such file"),
        ((".", "--to", "rft", "-o", "x"), 2, "is a folder"),
        (("gs://a/b", "--to", "rft", "-o", "x"), 2, "neither a local path"),
        (("in.jsonl", "--to", "rft", "-o", "none/x"), 2, "the folder does not exist"),
        (("in.jsonl", "--to", "rft", "--json"), 2, "--json: needs -o"),
        (("in.jsonl", "--to", "parquet"), 2, "-o"),
        (("in.jsonl", "--to", "rft", "--system", " "), 2, "--system: is empty"),
        (("in.jsonl", "--to", "rft", "--teacher", "x"), 2, "names no model"),
        (("in.jsonl",), 2, "--to"),
    ],
)
def test_wrong_arguments(run: CommandLine, arguments: tuple[str, ...], code: int, words: str) -> None:
    (run.folder / "in.jsonl").write_bytes(jsonl(CHAT))
    ran = run("convert", *arguments)
    assert (ran.code, ran.stdout) == (code, "")
    assert words in ran.stderr
    assert os.listdir(run.folder) == ["in.jsonl"]


def test_options_of_formats_make_their_own_name() -> None:
    assert export_format("parquet:metadata,identity").name == "parquet:metadata,identity"
    assert export_format("batch").name == "batch"
