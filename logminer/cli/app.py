"""All commands."""

from __future__ import annotations

from typing import Annotated

import typer

from logminer.cli.datasets import export_command, validate_command
from logminer.cli.filtering import filter_command
from logminer.cli.ingest import ingest_command
from logminer.cli.questions import count_command, explain_command, keys_command, select_command, stats_command
from logminer.cli.store import store_app

_HELP = """Turn Amazon Bedrock model invocation logs into training sets for model distillation.

\b
  logminer ingest logs/
  logminer stats --teacher meta.llama3-1-405b
  logminer select --filter 'project=CustomerService AND priority=High'
  logminer export --filter 'project=CustomerService' -o train.jsonl
"""

_EPILOG = """\b
Exit codes:
  0    done
  1    a check failed: validation, readiness, too few pairs
  2    usage or filter syntax
  3    configuration, credentials, permission
  4    storage, network or service failure
  5    done, but more input was quarantined than allowed
  130  interrupted; running again resumes
"""

app = typer.Typer(
    help=_HELP,
    epilog=_EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"logminer {version('logminer')}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    pass


app.command("ingest")(ingest_command)
app.command("select")(select_command)
app.command("count")(count_command)
app.command("stats")(stats_command)
app.command("keys")(keys_command)
app.command("export")(export_command)
app.command("validate")(validate_command)
app.command("filter")(filter_command)
app.command("explain")(explain_command)
app.add_typer(store_app, name="store")
