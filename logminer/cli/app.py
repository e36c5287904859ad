"""All commands."""

from __future__ import annotations

from typing import Annotated

import typer

from logminer.cli.groups import command, group, help_without_command, subgroup

_HELP = """Amazon Bedrock model invocation logs into training sets for distillation.

\b
  logminer ingest logs/
  logminer stats --teacher meta.llama3-1-405b
  logminer select --filter 'project=CustomerService AND priority=High'
  logminer export --filter 'project=CustomerService' -o train.jsonl
"""

_EPILOG = """\b
Settings, the first that is given:
  options, LOGMINER_STORE, ./logminer.toml, ~/.config/logminer/config.toml

\b
  store = "/data/logminer-store"
  [models.aliases]
  "abcd1234efgh" = "meta.llama3-1-405b-instruct-v1:0"

\b
Exit codes:
  0    done
  1    a check failed: validation, readiness, too few pairs
  2    usage or filter syntax
  3    configuration, credentials, permission
  4    storage, network or service failure
  5    done, but more input was quarantined than allowed
  130  interrupted; running again resumes
"""

_STORE_HELP = """Look at the store itself, and look after it.

\b
Examples:
  logminer store info
  logminer store quarantine --json
  logminer store compact && logminer store vacuum
"""

_DATASET_HELP = """Look at what an export wrote, by its manifest.

\b
Examples:
  logminer dataset show train.jsonl
  logminer dataset verify train.jsonl
  logminer dataset diff yesterday/train.jsonl train.jsonl
"""


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"logminer {version('logminer')}")
        raise typer.Exit


def _main(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    help_without_command(context)


_STORE = {
    "info": command("store:info_command", "What the store holds."),
    "history": command("store:history_command", "The store's versions, the newest first."),
    "quarantine": command(
        "store:quarantine_command", "What could not be read as a log record, where, and why."
    ),
    "compact": command("maintenance:compact_command", "Write few large files per day, sorted for queries."),
    "vacuum": command("maintenance:vacuum_command", "Delete files that only old versions need."),
    "forget": command("forgetting:forget_command", "Forget records, for ever: those that any option names."),
    "expire": command("maintenance:expire_command", "Delete the records of old dates, for ever."),
    "ddl": command("maintenance:ddl_command", "Print the SQL that makes the store known to Athena."),
}

_DATASET = {
    "show": command("dataset_files:show_command", "What a dataset is made of, as its manifest says."),
    "verify": command(
        "dataset_files:verify_command", "Check that every file and line is still the one that was written."
    ),
    "diff": command(
        "dataset_files:diff_command", "Compare two datasets: lines that came, went and changed, and why."
    ),
}

_COMMANDS = {
    "ingest": command(
        "ingest:ingest_command", "Read invocation logs into the store, each record exactly once."
    ),
    "select": command("selecting:select_command", "Show records, in the order of time."),
    "count": command("counting:count_command", "Count records; without --status, pairs."),
    "stats": command("readiness:stats_command", "Readiness for distillation, with every loss named."),
    "keys": command("keys:keys_command", "Metadata keys: how many records have them, and likely slips."),
    "export": command("datasets:export_command", "Write one teacher's distinct pairs as a training file."),
    "validate": command(
        "validate:validate_command", "Check a dataset: every fault, with line, JSON path and remedy."
    ),
    "convert": command("convert:convert_command", "Turn an existing training file into another format."),
    "filter": command(
        "filtering:filter_command", "Translate a filter: into a Bedrock job's form, or into SQL."
    ),
    "explain": command(
        "explaining:explain_command", "One request: what was logged, judged and exported, and why."
    ),
    "store": subgroup(_STORE_HELP, _STORE),
    "dataset": subgroup(_DATASET_HELP, _DATASET),
}

app = group(_HELP, _COMMANDS, _main, epilog=_EPILOG, completion=True)
