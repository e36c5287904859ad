"""What `ingest --dry-run` prints, and from where buckets were listed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from logminer.printable import counted

if TYPE_CHECKING:
    from logminer.ingestion.plan import IngestPlan

_MOST_FOLDERS = 3


def print_plan(plan: IngestPlan, as_json: bool) -> None:
    """The plan, for people or for machines."""
    from logminer.cli.streams import print_json

    if as_json:
        print_json(_facts(plan))
    else:
        _say_plan(plan)


def _facts(plan: IngestPlan) -> dict[str, Any]:
    from logminer.s3.prices import PRICED_FOR, PRICES_AS_OF

    return {
        "objects": {
            "listed": plan.listed,
            "new": plan.new - plan.again,
            "reread": plan.again,
            "skipped": plan.known,
            "changed": plan.changed,
            "gone": plan.gone,
            "passed_over": plan.passed_over,
        },
        "bytes": {"listed": plan.listed_bytes, "to_read": plan.new_bytes},
        "requests": {"list": plan.list_requests, "get": plan.get_requests},
        "price": {"usd": round(plan.price_usd, 6), "of": PRICED_FOR, "as_of": PRICES_AS_OF},
        "estimated_seconds": round(plan.seconds, 1),
        "listed_from": hours(plan.begun_at),
    }


def _say_plan(plan: IngestPlan) -> None:
    from logminer.cli.streams import say
    from logminer.ingestion.plan import BYTES_PER_SECOND, OBJECTS_PER_SECOND
    from logminer.s3.prices import PRICED_FOR, PRICES_AS_OF

    again = f", {plan.again:,} of them in place of stored rows" if plan.again else ""
    say(f"would read {counted(plan.new, 'log object')} ({plan.new_bytes / 1e6:,.1f} MB){again}")
    say(
        f"listed {counted(plan.listed, 'log object')} ({plan.listed_bytes / 1e6:,.1f} MB); "
        f"{plan.known:,} known; passed over: {counted(plan.passed_over, 'other file')}"
    )
    say_begun_at(plan.begun_at)
    if plan.list_requests:
        say(
            f"S3 requests: {plan.list_requests:,} LIST, {plan.get_requests:,} GET, and one GET for each body that lies "
            f"apart, which only the logs name\nprice: ${plan.price_usd:,.4f} for example, at what {PRICED_FOR} cost as of {PRICES_AS_OF}"
        )
    say(
        f"time: about {_duration(plan.seconds)}, an estimate: {BYTES_PER_SECOND / 1e6:.0f} MB/s and "
        f"{OBJECTS_PER_SECOND:.0f} objects/s a worker"
    )
    say("nothing was written")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{seconds / 3600:.1f} h"


def hours(begun_at: Mapping[str, datetime]) -> dict[str, str]:
    """From which hour on Regions' folders were listed, by their URIs, as text."""
    return {uri: f"{hour:%Y-%m-%dT%H:00:00Z}" for uri, hour in sorted(begun_at.items())}


def say_begun_at(begun_at: Mapping[str, datetime]) -> None:
    """Say from which hour on buckets were listed, where not from their beginning."""
    from logminer.cli.streams import say

    if not begun_at:
        return
    said = [f"{uri} from {hour:%Y-%m-%d %H}:00 UTC on" for uri, hour in sorted(begun_at.items())]
    more = [f"and {len(said) - _MOST_FOLDERS:,} more"] if len(said) > _MOST_FOLDERS else []
    for text in (*said[:_MOST_FOLDERS], *more):
        say(f"listed: {text}")
    say("older hours were not listed; to list them too: --full-scan, or --since T")
