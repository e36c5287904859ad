"""The built wheel, installed outside of the checkout, is whole: grammar, console script, everything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command: object, cwd: Path) -> str:
    """Stdout of a command that sees nothing of the checkout; a failure shows what it said."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LOGMINER"))}
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel) -> Path:
    """The `bin` folder of a new environment that holds the wheel.

    The wheel's dependencies are those of this environment, lent by path: a path in a .pth file comes last and
    its own .pth files are not read, so an editable install of the checkout stays unseen.
    """
    folder = wheel.parent / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=wheel.parent)
    python = folder / "bin" / "python"
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        wheel,
        cwd=folder,
    )
    [site] = folder.glob("lib/python*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def test_installed_package_is_the_wheels(environment):
    where = run(environment / "python", "-c", "import logminer; print(logminer.__file__)", cwd=environment)
    assert Path(where.strip()).is_relative_to(environment.parent)


def test_filter_is_parsed_by_the_console_script(environment, tmp_path):
    output = run(environment / "logminer", "filter", "a=b", cwd=tmp_path)
    assert json.loads(output) == {"equals": {"a": "b"}}


def test_filter_is_parsed_by_the_module(environment, tmp_path):
    output = run(environment / "python", "-m", "logminer", "filter", "--to", "text", "NOT a=b", cwd=tmp_path)
    assert output.strip() == "a!=b"


def test_logs_are_ingested_by_the_installed_package(environment, tmp_path):
    run(environment / "logminer", "ingest", ROOT / "sample_logs", "--store", "store", cwd=tmp_path)
    assert int(run(environment / "logminer", "count", "--store", "store", cwd=tmp_path)) > 100


def test_wheel_holds_the_package_alone(wheel):
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top.partition("-")[0] for top in tops} == {"logminer"}
    assert "logminer/grammar/filter.lark" in zipfile.ZipFile(wheel).namelist()
    assert "logminer/py.typed" in zipfile.ZipFile(wheel).namelist()
