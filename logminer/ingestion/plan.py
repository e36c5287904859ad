"""What an ingest would do and cost, before it does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from logminer.ingestion.choice import Reread, choose
from logminer.ingestion.gathering import Gathered
from logminer.s3.prices import request_price
from logminer.s3.uris import is_s3
from logminer.sources import LogObject
from logminer.sources.reading import requests_for
from logminer.store.storage import Storage
from logminer.store.table import open_table, table_exists

# One worker's pace on a small machine: stored (gzipped) bytes, and objects where these are small. Estimates.
BYTES_PER_SECOND = 15e6
OBJECTS_PER_SECOND = 300.0


@dataclass(frozen=True)
class IngestPlan:
    """What an ingest of these sources would do now.

    `listed` objects of `listed_bytes` were found; `new` of `new_bytes` would be read, `again` of them in place of
    rows that are stored already. `known` would be skipped, `changed` of them though their content changed. Sizes are
    stored bytes. `list_requests` were made for this and are made again; `get_requests` fetch the log objects, not
    the bodies that lie apart, which only the records name. `price_usd` is that of both; `seconds` an estimate.
    """

    listed: int
    listed_bytes: int
    new: int
    new_bytes: int
    again: int
    known: int
    changed: int
    gone: int
    passed_over: int
    list_requests: int
    get_requests: int
    price_usd: float
    seconds: float
    begun_at: dict[str, datetime]


def make_plan(storage: Storage, gathered: Gathered, reread: Reread, workers: int) -> IngestPlan:
    """The plan for objects that were gathered. Nothing is written, and no store is made."""
    snapshot = open_table(storage).snapshot() if table_exists(storage) else None
    choice = choose(storage, snapshot, gathered.objects, reread)
    gets = sum(requests_for(log) for log in choice.new if is_s3(log.place))
    return IngestPlan(
        listed=len(choice.listed),
        listed_bytes=sum(log.size_bytes for log in choice.listed.values()),
        new=len(choice.new),
        new_bytes=sum(log.size_bytes for log in choice.new),
        again=len(choice.again),
        known=len(choice.listed) - len(choice.new),
        changed=len(choice.changed),
        gone=len(choice.gone),
        passed_over=gathered.passed_over,
        list_requests=gathered.list_requests,
        get_requests=gets,
        price_usd=request_price(gathered.list_requests, gets),
        seconds=_seconds(choice.new, workers),
        begun_at=dict(gathered.begun_at),
    )


def _seconds(logs: Sequence[LogObject], workers: int) -> float:
    size = sum(log.size_bytes for log in logs)
    return (size / BYTES_PER_SECOND + len(logs) / OBJECTS_PER_SECOND) / workers
