"""Where settings come from: option, environment, project file, user file, default."""

from __future__ import annotations

import json
import re

import pytest

from cli.logs import hour_folder, record, write_log

OPAQUE = "arn:aws:bedrock:us-west-2:111122223333:application-inference-profile/abcd1234efgh"


def asked_store(run, *options, **environment):
    """The folder that a command looks for a store in; there is none."""
    failed = run("count", *options, **environment)
    assert (failed.code, failed.stdout) == (2, "")
    first, fix = failed.stderr.splitlines()
    assert fix == "  Make one with: logminer ingest LOGS --store PATH"
    return re.fullmatch(f"error: {re.escape(str(run.folder))}/(.*): there is no store here", first)[1]


def test_the_nearest_setting_counts(run, tmp_path):
    user_file = tmp_path / "home/.config/logminer/config.toml"
    user_file.parent.mkdir(parents=True)
    assert asked_store(run) == "logminer-store"
    user_file.write_text('store = "of-user"\n')
    assert asked_store(run) == "of-user"
    (tmp_path / "logminer.toml").write_text('store = "of-project"\n')
    assert asked_store(run) == "of-project"
    assert asked_store(run, LOGMINER_STORE="of-environment") == "of-environment"
    assert asked_store(run, "--store", "of-option", LOGMINER_STORE="of-environment") == "of-option"


def test_a_user_file_can_lie_elsewhere(run, tmp_path):
    (tmp_path / "xdg/logminer").mkdir(parents=True)
    (tmp_path / "xdg/logminer/config.toml").write_text('store = "of-user"\n')
    assert asked_store(run, XDG_CONFIG_HOME=str(tmp_path / "xdg")) == "of-user"


def test_a_made_store_lies_where_the_settings_say(run, tmp_path):
    write_log(hour_folder(tmp_path / "logs") / "a.json.gz", [record(1)])
    (tmp_path / "logminer.toml").write_text('store = "of-project"\n')
    assert run("ingest", "logs").code == 0
    assert (tmp_path / "of-project/invocations").is_dir()


@pytest.mark.parametrize(
    "text",
    [
        "store = \n",
        "store = 3\n",
        'store = ""\n',
        "[models]\naliases = 3\n",
        "[models.aliases]\nx = 1\n",
        b"\xff",
    ],
)
def test_a_broken_file_is_named(run, tmp_path, text):
    (tmp_path / "logminer.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    failed = run("count")
    assert (failed.code, failed.stdout) == (3, "")
    assert re.match(r"error: \S*logminer\.toml", failed.stderr)
    assert "Traceback" not in failed.stderr


def test_an_opaque_id_gets_its_model_from_the_file_without_another_ingest(run, tmp_path):
    write_log(
        hour_folder(tmp_path / "logs") / "a.json.gz", [record(1, modelId=OPAQUE), record(2, modelId=OPAQUE)]
    )
    assert run("ingest", "logs", "--store", "store").code == 0
    unknown = run("stats", "--store", "store")
    assert f"  {OPAQUE}: 2 records" in unknown.stderr.splitlines()
    (tmp_path / "logminer.toml").write_text(
        'store = "store"\n[models.aliases]\nabcd1234efgh = "meta.llama3-1-405b-instruct-v1:0"\n'
    )
    assert run("count", "--teacher", "meta.llama3-1-405b").stdout == "2\n"
    shown = json.loads(run("select", "--limit", "1").stdout)
    assert (shown["model"], shown["model_id"]) == ("meta.llama3-1-405b-instruct-v1:0", OPAQUE)
