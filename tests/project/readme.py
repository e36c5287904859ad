"""README.md as the program makes it: every example run, every table drawn from the code.

    python tests/project/readme.py

writes it anew; a test compares. What is replaced, everything else being prose:

- ```console blocks: after each line that begins with `$ `, what the command prints, stdout and stderr in order.
  All blocks run one after the other in one new folder, which has a copy of `sample_logs`.
- ```pycon blocks: after each example, what Python prints. They run in one session, after the console blocks.
- what stands between `<!-- table NAME -->` and `<!-- end -->`.

Times, rates and sizes of files differ from run to run, so lines that differ in those alone stay as they are.
"""

from __future__ import annotations

import doctest
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import logminer
from logminer.conversations import body_shapes
from logminer.conversations.templates import prompt_templates
from logminer.curation import curation_rules
from logminer.exports import export_formats
from logminer.redaction import ENTITY_ABOUT, built_in_detectors
from logminer.schema import COLUMNS
from logminer.statuses import STATUS_DETAILS, STATUSES
from logminer.store.quarantine import QUARANTINE_REASONS
from logminer.validation.profiles import all_profiles

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
SHOWN_FOLDER = "/home/you/try"
"""What stands in the README for the folder that its examples run in."""

_BLOCK = re.compile(r"^```(console|pycon)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(r"(<!-- table (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_VARYING = re.compile(
    r"\d[\d,.]* ?(?:MB/s|MB|s)\b|\d{8}T\d{6}Z-[0-9a-f]+|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?= UTC to )"
)
_SESSION = """
import contextlib, io, json, sys
names, outputs = {"__name__": "__console__"}, []
for source in json.load(sys.stdin):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(source, "<README.md>", "single"), names)
    outputs.append(printed.getvalue())
json.dump(outputs, sys.stdout)
"""


def renew(text: str) -> str:
    """The README with fresh outputs and tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve() / "try"
        folder.mkdir()
        shutil.copytree(
            ROOT / "sample_logs", folder / "sample_logs", ignore=shutil.ignore_patterns("__pycache__")
        )
        text = _BLOCK.sub(lambda found: _renew_block(found, folder, "console", _console), text)
        text = _BLOCK.sub(lambda found: _renew_block(found, folder, "pycon", _pycon), text)
    return _TABLE.sub(lambda found: f"{found[1]}{_table(found[2])}{found[3]}", text)


def _renew_block(found, folder, kind, run):
    if found[1] != kind:
        return found[0]
    return f"```{kind}\n{_keep_equal_lines(found[2], run(found[2], folder))}```"


def _keep_equal_lines(old: str, new: str) -> str:
    """`new`, with the old line wherever it says the same but for a time or a size."""
    old_lines, new_lines = old.splitlines(), new.splitlines()
    if [_VARYING.sub("", line) for line in old_lines] == [_VARYING.sub("", line) for line in new_lines]:
        return old
    known = {_VARYING.sub("", line): line for line in old_lines}
    return "".join(known.get(_VARYING.sub("", line), line) + "\n" for line in new_lines)


def _console(block: str, folder: Path) -> str:
    lines = [line for line in block.splitlines() if line.startswith("$ ")]
    return "\n".join(part for line in lines for part in (line, *_run(line[2:], folder))) + "\n"


def _run(command: str, folder: Path) -> Iterator[str]:
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=_environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    output = done.stdout.decode().replace(str(folder), SHOWN_FOLDER)
    assert "Traceback (most recent call last)" not in output, output
    yield from (line.rstrip() for line in output.splitlines())


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of the caller's settings, so widths are those of a pipe; stdout and stderr in the order of a terminal."""
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
        "HOME": str(folder.parent),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }


def _pycon(block: str, folder: Path) -> str:
    examples = doctest.DocTestParser().get_examples(block)
    done = subprocess.run(
        [sys.executable, "-c", _SESSION],
        cwd=folder,
        env=_environment(folder),
        input=json.dumps([example.source for example in examples]),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    shown = zip(examples, json.loads(done.stdout), strict=True)
    return "".join(_prompted(example.source) + output for example, output in shown).replace(
        str(folder), SHOWN_FOLDER
    )


def _prompted(source: str) -> str:
    first, *rest = source.splitlines()
    return "".join(
        f"{prompt} {line}".rstrip() + "\n"
        for prompt, line in [(">>>", first), *(("...", line) for line in rest)]
    )


# --- tables -------------------------------------------------------------------------------------------------


def _table(name: str) -> str:
    return _TABLES[name]()


def _rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in cells)


def _statuses() -> str:
    return _rows(["status", "meaning"], ([f"`{name}`", about] for name, about in STATUSES.items()))


def _details() -> str:
    return _rows(
        ["word", "meaning"],
        (
            [f"`{name}…`" if name.endswith(":") else f"`{name}`", about]
            for name, about in STATUS_DETAILS.items()
        ),
    )


def _columns() -> str:
    return _rows(
        ["column", "type", "in the log", "what it holds"],
        (
            [
                f"`{column.name}`",
                column.type,
                f"`{column.log_field}`" if column.log_field else "",
                column.about,
            ]
            for column in COLUMNS
        ),
    )


def _families() -> str:
    shapes = sorted(body_shapes(), key=lambda shape: shape.name)
    return _rows(
        ["bodies", "logged streams", "for example"],
        (
            [
                f"[{shape.name}]({shape.source})",
                "yes" if shape.stream else "",
                ", ".join(model if " " in model else f"`{model}`" for model in shape.models),
            ]
            for shape in shapes
        ),
    )


def _templates() -> str:
    return ", ".join(f"`{name}`" for name in sorted(template.name for template in prompt_templates())) + "\n"


def _formats() -> str:
    return _rows(
        ["`--to`", "what it writes"],
        ([f"[{name}]({form.source})", form.about] for name, form in export_formats().items()),
    )


def _profiles() -> str:
    return _rows(
        ["`--profile`", "whose rules"],
        ([f"[{name}]({profile.source})", profile.summary] for name, profile in all_profiles().items()),
    )


def _quarantine() -> str:
    return _rows(["reason", "meaning"], ([f"`{name}`", about] for name, about in QUARANTINE_REASONS.items()))


def _api() -> str:
    names = sorted(logminer.__all__, key=lambda name: (inspect.isclass(getattr(logminer, name)), name))
    return _rows(
        ["`logminer.`", "what it does"],
        ([f"`{name}`", (inspect.getdoc(getattr(logminer, name)) or "").partition("\n")[0]] for name in names),
    )


def _rules() -> str:
    rules = sorted(curation_rules().values(), key=lambda rule: (rule.order, rule.name))
    return _rows(
        ["`--rule`", "what it does", "options"],
        (
            [
                f"`{rule.name}`{' (reports only, unless named)' if rule.report_only else ''}",
                rule.about,
                ", ".join(f"`{name}={value}`" for name, value in rule.options.items()),
            ]
            for rule in rules
        ),
    )


def _kinds() -> str:
    detectors = built_in_detectors().items()
    rows = [[f"`{name}`", detector.about] for name, detector in detectors]
    rows += [[f"`{name}` (with `--redact-model`)", about] for name, about in ENTITY_ABOUT.items()]
    return _rows(["`--redact-kinds`", "what is found"], rows)


_TABLES = {
    "api": _api,
    "columns": _columns,
    "details": _details,
    "families": _families,
    "formats": _formats,
    "kinds": _kinds,
    "profiles": _profiles,
    "quarantine": _quarantine,
    "rules": _rules,
    "statuses": _statuses,
    "templates": _templates,
}

if __name__ == "__main__":
    README.write_text(renew(README.read_text("utf-8")), "utf-8")
