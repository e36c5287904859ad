"""README.md shows what the program prints; `make readme` writes it anew."""

from __future__ import annotations

import re
from pathlib import Path

import readme

from logminer import errors

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")


def test_examples_and_tables_are_what_the_program_gives():
    text = readme.README.read_text("utf-8")
    assert text.splitlines() == readme.renew(text).splitlines(), "run: make readme"


def test_promised_examples_are_there():
    commands = [line[2:] for line in readme.README.read_text("utf-8").splitlines() if line.startswith("$ ")]
    selecting = "logminer select --filter 'project=CustomerService AND priority=High'"
    assert f"logminer ingest sample_logs && {selecting} | head -n 1 | cut -c 1-200" in commands
    assert "logminer stats --teacher meta.llama3-1-405b" in commands


def test_renewing_mends_what_is_wrong_and_keeps_times():
    old = "```console\n$ echo 3 pairs in 0.7 s; echo 'new'\n3 pairs in 99.0 s\nold\n```\n<!-- table templates -->\nx\n<!-- end -->\n"
    new = readme.renew(old)
    assert "3 pairs in 99.0 s\nnew\n" in new
    assert "`llama3`" in new
    assert readme.renew(new) == new


def test_exit_codes_of_all_errors_are_explained():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    explained = set(
        map(int, re.findall(r"^ +(\d+) {2,}[a-z]", readme.README.read_text("utf-8"), re.MULTILINE))
    )
    assert {kind.exit_code for kind in kinds} | {0, 130} <= explained


def test_links_and_named_paths_exist():
    for name in DOCUMENTS:
        text = (ROOT / name).read_text("utf-8")
        linked = re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", text)
        quoted = re.findall(r"`((?:logminer|tests|grammar|sample_logs|benchmarks|\.ci)/[\w./-]*)`", text)
        meant = [path.partition("NAME")[0] for path in (*linked, *quoted)]
        missing = [path for path in meant if not (ROOT / path).exists()]
        assert missing == [], name


def test_the_map_names_every_module():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    tops = {path.stem for path in (ROOT / "logminer").iterdir() if path.suffix == ".py" or path.is_dir()}
    named = {name for name in tops if f"`{name}`" in text or f"`logminer/{name}" in text}
    assert {name for name in tops - named if not name.startswith("__")} == set()
