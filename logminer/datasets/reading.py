"""The chosen records of a store as pairs, and those that SQL alone left out."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

import msgspec

from logminer.datasets.funnel import Reject
from logminer.exports.choice import CHOSEN, DISTINCT, Choice
from logminer.pairs import PromptResponsePair
from logminer.query.rows import merge_metadata
from logminer.query.selection import Selection, joined
from logminer.query.view import ROW_ORDER, StoreView

_STORED = (
    "source_uri", "source_position", "request_id", "account_id", "region", "operation", "identity_arn", "model_id",
    "model", "system", "messages", "response", "response_blocks", "reasoning", "tools", "params", "stop_reason",
    "turns", "input_tokens", "output_tokens", "prompt_hash", "pair_hash",
)  # fmt: skip
# As many as a distillation job takes; of ordinary length they are some tens of megabytes.
_READ_AT_ONCE = 20_000
_ANSWER = frozenset({"response", "response_blocks", "reasoning", "stop_reason", "output_tokens", "pair_hash"})
_METADATA = ("request_metadata", "request_metadata_rest")
# Blocks too: a pair's answer calls no tool, or it would be no pair, so that they say what its text says.
_BESIDE_TEXTS = frozenset(
    {
        "account_id", "region", "operation", "identity_arn", "model_id", "response_blocks", "reasoning", "tools",
        "params", "stop_reason", *_METADATA,
    }
)  # fmt: skip


def read_chosen(
    view: StoreView, selection: Selection, *, prompts_only: bool, texts_alone: bool = False
) -> Iterator[PromptResponsePair]:
    """The records of the table `CHOSEN` in the order of `select`; prompts alone come without what was answered.

    `texts_alone` is that of an `ExportFormat`: what it does not look at is None, and no metadata is there.
    Few are read at once, by all processors; many date by date, so that texts of one day are in memory, not all.
    """
    without: frozenset[str] = _ANSWER if prompts_only else frozenset()
    if texts_alone:
        without |= _BESIDE_TEXTS
    columns = ", ".join("NULL" if name in without else name for name in (*_METADATA, *_STORED))
    for within in _spans(view, selection):
        text = (
            f"SELECT epoch_us(timestamp), {columns} "
            f"FROM {view.relation(within, with_model=True)} "
            f"SEMI JOIN {CHOSEN} USING (source_uri, source_position) ORDER BY {ROW_ORDER}"
        )
        for time_us, promoted, rest, *values in view.query(text, (), within):
            stored = dict(zip(_STORED, values, strict=True))
            metadata = merge_metadata(promoted, rest) or {}
            yield PromptResponsePair(time_us=time_us, request_metadata=metadata, **stored)


def _spans(view: StoreView, selection: Selection) -> list[Selection]:
    """The selection itself, or one for each of its dates."""
    (chosen,) = view.connection.ask(f"SELECT count(*) FROM {CHOSEN}").one()
    days = view.days(selection)
    if chosen <= _READ_AT_ONCE:
        return [selection] if days else []
    return [selection.within(day) for day in days]


def unchosen_rejects(view: StoreView, selection: Selection, choice: Choice) -> Iterator[Reject]:
    """What SQL left out on the way from the matching records to the chosen ones, in three stages."""
    relation = view.relation(selection, with_model=True)
    matching, usable = joined(choice.conditions), joined(choice.usable_conditions)
    origin = "request_id, source_uri, source_position"
    rows = view.query(
        f"SELECT {origin} FROM {relation} WHERE {matching.text} AND NOT ({usable.text}) ORDER BY {ROW_ORDER}",
        (*matching.params, *usable.params),
        selection,
    )
    for request_id, uri, position in rows:
        yield Reject(request_id, uri, position, "turns", "several_turns", "")
    alike = " AND ".join(f"records.{name} IS NOT DISTINCT FROM kept.{name}" for name in choice.same)
    rows = view.query(
        f"SELECT records.request_id, records.source_uri, records.source_position, "
        "coalesce(twins.request_id, kept.source_uri || ':' || kept.source_position) "
        f"FROM (SELECT * FROM {relation} WHERE {usable.text}) AS records JOIN {DISTINCT} AS kept ON {alike} "
        f"JOIN {relation} AS twins ON (twins.source_uri, twins.source_position) = "
        "(kept.source_uri, kept.source_position) "
        "WHERE (records.source_uri, records.source_position) <> (kept.source_uri, kept.source_position) "
        "ORDER BY records.timestamp, records.request_id NULLS LAST, records.source_uri, records.source_position",
        usable.params,
        selection,
    )
    for request_id, uri, position, twin in rows:
        yield Reject(request_id, uri, position, "distinct", "same_as_another", f"the same as {twin}")
    rows = view.query(
        f"SELECT {origin} FROM {relation} SEMI JOIN (FROM {DISTINCT} ANTI JOIN {CHOSEN} "
        f"USING (source_uri, source_position)) USING (source_uri, source_position) ORDER BY {ROW_ORDER}",
        (),
        selection,
    )
    for request_id, uri, position in rows:
        yield Reject(request_id, uri, position, "choice", "beyond_max", "")


class Sources(msgspec.Struct, frozen=True):
    """The log objects that a dataset was made from: how many, and one digest of them all.

    The digest is BLAKE2b-128 over `uri`, NUL, `etag`, line feed of each, in the order of the addresses.
    """

    count: int
    digest: str


def read_sources(view: StoreView, selection: Selection, choice: Choice) -> Sources:
    """The log objects of all matching records: what was left out is part of why the rest is as it is."""
    where = joined(choice.conditions)
    text = (
        "SELECT DISTINCT source_uri, coalesce(source_etag, '') "
        f"FROM {view.relation(selection, with_model=True)} WHERE {where.text} ORDER BY ALL"
    )
    digest = blake2b(digest_size=16)
    count = 0
    for uri, etag in view.query(text, where.params, selection):
        digest.update(f"{uri}\0{etag}\n".encode())
        count += 1
    return Sources(count, digest.hexdigest())
