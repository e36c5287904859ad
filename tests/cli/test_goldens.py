"""What commands print, word for word: exit code, stdout and stderr together, in pipes and on a terminal.

`cases/*.toml` hold lists of `[[case]]` with `command` and, as they should come out, `code`, `stdout` and `stderr`.
`terminal = true` runs one on a terminal of 100 columns, where both streams are in `stdout`. All run in one folder
with some files in it, on a store of the sample logs. LOGMINER_REWRITE_GOLDENS=1 writes the files anew.
"""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import SAMPLE_LOGS, CommandLine

FILES = sorted((Path(__file__).parent / "cases").glob("*.toml"))
AT_ONCE = 3
VARYING = (
    (re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}"), "<ingest id>"),
    (re.compile(r"\d+\.\d MB in [\d.]+ s, [\d.]+ MB/s"), "<speed>"),
    (re.compile(r"(^ *\d+  )\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.MULTILINE), r"\1<time>"),
    (re.compile(r"\d+\.\d MB\)"), "<size>)"),
)


@pytest.fixture(scope="session")
def desk(tmp_path_factory, sample_store) -> CommandLine:
    """A folder with some files that the cases name."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "folder").mkdir()
    (folder / "hr.json").write_text('{"equals": {"project": "HR"}}')
    (folder / "broken.json").write_text('{"equals": ')
    (folder / "broken").mkdir()
    (folder / "broken" / "logminer.toml").write_text("store = \n")
    (folder / "few.jsonl").write_text('{"schemaVersion": "bedrock-conversation-2024"}\nnot JSON\n')
    return CommandLine(folder)


def outcome(desk: CommandLine, store: Path, case: dict) -> dict:
    words = shlex.split(case["command"])
    terminal = case.get("terminal", False)
    ran = (desk.on_terminal if terminal else desk)(*words, LOGMINER_STORE=str(store))
    keep = {"terminal": True} if terminal else {}
    outputs = {} if terminal else {"stderr": normal(ran.stderr, desk, store)}
    stdout = normal(ran.stdout, desk, store)
    return {"command": case["command"], **keep, "code": ran.code, "stdout": stdout, **outputs}


def normal(text: str, desk: CommandLine, store: Path) -> str:
    for path, name in ((store, "<store>"), (SAMPLE_LOGS, "<logs>"), (desk.folder, "<folder>")):
        text = text.replace(str(path), name)
    for pattern, name in VARYING:
        text = pattern.sub(name, text)
    return text


def as_toml(cases: list[dict]) -> str:
    return "\n".join("[[case]]\n" + "".join(_line(key, case[key]) for key in case) for case in cases)


def _line(key: str, value: object) -> str:
    if isinstance(value, bool | int):
        return f"{key} = {str(value).lower()}\n"
    text = str(value).replace("\\", "\\\\").replace('"""', '""\\"')
    if key == "command":
        return f"{key} = '{value}'\n" if "'" not in str(value) else f"{key} = '''{value}'''\n"
    text = "".join(each if each.isprintable() or each == "\n" else f"\\u{ord(each):04x}" for each in text)
    return f'{key} = """\n{text}"""\n' if text else f'{key} = ""\n'


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_commands_print_what_they_should(path, desk, sample_store):
    expected = tomllib.loads(path.read_text("utf-8"))["case"]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda case: outcome(desk, sample_store, case), expected))
    if os.environ.get("LOGMINER_REWRITE_GOLDENS"):
        path.write_text(as_toml(found), "utf-8")
        expected = found
    for is_now, was in zip(found, expected, strict=True):
        assert is_now == was


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_printed_is_tidy(path):
    """No traceback, no trailing space; words and terminals get no control character; mistakes print no data."""
    for case in tomllib.loads(path.read_text("utf-8"))["case"]:
        for text in (case["stdout"], case.get("stderr", "")):
            assert "Traceback" not in text
            assert all(line == line.rstrip() for line in text.split("\n")), case["command"]
        for text in (case["stdout"] if case.get("terminal") else "", case.get("stderr", "")):
            assert all(line.isprintable() for line in text.split("\n")), case["command"]
        if case["code"] not in (0, 1) and not case.get("terminal"):
            assert case["stdout"] == ""
            assert case["stderr"].startswith(("error: ", "Usage: ")), case["command"]


def test_there_are_cases():
    assert len(FILES) > 3
