"""All commands."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from logminer.cli.convert import convert_command
from logminer.cli.counting import count_command
from logminer.cli.dataset_files import diff_command, show_command, verify_command
from logminer.cli.datasets import export_command
from logminer.cli.explaining import explain_command
from logminer.cli.filtering import filter_command
from logminer.cli.forgetting import forget_command
from logminer.cli.help import HELP_WIDTH, PlainCommand, PlainGroup
from logminer.cli.ingest import ingest_command
from logminer.cli.keys import keys_command
from logminer.cli.maintenance import compact_command, ddl_command, expire_command, vacuum_command
from logminer.cli.readiness import stats_command
from logminer.cli.selecting import select_command
from logminer.cli.store import history_command, info_command, quarantine_command
from logminer.cli.validate import validate_command

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

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": HELP_WIDTH}


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
    _help_without_command(context)


def _help_without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help(), file=sys.stderr)
        raise typer.Exit(2)


def _group(help_text: str, *, epilog: str = "", completion: bool = False) -> typer.Typer:
    return typer.Typer(
        cls=PlainGroup,
        help=help_text,
        epilog=epilog,
        invoke_without_command=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=completion,
        context_settings=_SETTINGS,
    )


app = _group(_HELP, epilog=_EPILOG, completion=True)
app.callback()(_main)
for _name, _command in (
    ("ingest", ingest_command),
    ("select", select_command),
    ("count", count_command),
    ("stats", stats_command),
    ("keys", keys_command),
    ("export", export_command),
    ("validate", validate_command),
    ("convert", convert_command),
    ("filter", filter_command),
    ("explain", explain_command),
):
    app.command(_name, cls=PlainCommand)(_command)

_store = _group(_STORE_HELP)
_store.callback()(_help_without_command)
_store.command("info", cls=PlainCommand)(info_command)
_store.command("history", cls=PlainCommand)(history_command)
_store.command("quarantine", cls=PlainCommand)(quarantine_command)
_store.command("compact", cls=PlainCommand)(compact_command)
_store.command("vacuum", cls=PlainCommand)(vacuum_command)
_store.command("forget", cls=PlainCommand)(forget_command)
_store.command("expire", cls=PlainCommand)(expire_command)
_store.command("ddl", cls=PlainCommand)(ddl_command)
app.add_typer(_store, name="store")

_dataset = _group(_DATASET_HELP)
_dataset.callback()(_help_without_command)
_dataset.command("show", cls=PlainCommand)(show_command)
_dataset.command("verify", cls=PlainCommand)(verify_command)
_dataset.command("diff", cls=PlainCommand)(diff_command)
app.add_typer(_dataset, name="dataset")
