"""What each stage of an export says about one request."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import msgspec

from logminer.datasets.building import curate, workshop
from logminer.datasets.funnel import Funnel, origin_of
from logminer.datasets.plan import DatasetPlan
from logminer.errors import CheckFailed
from logminer.query.view import StoreView


class Verdict(msgspec.Struct, frozen=True):
    """What a stage said: kept, dropped or reported. `turn` is that of a record that was split.

    The last ones of a request that is not dropped say `written`, with the file's role as the reason.
    """

    stage: str
    verdict: str
    reason: str = ""
    evidence: str = ""
    turn: int | None = None


def explain_stages(view: StoreView, plan: DatasetPlan, request_id: str) -> tuple[Verdict, ...]:
    """Run an export up to its files, and tell what became of one request. Raises as `build_dataset` does.

    It takes as long as the export, since rules compare pairs with each other.
    """
    settings = dataclasses.replace(plan.settings, allow_few=True)
    written: list[Verdict] = []
    with workshop() as (folder, funnel):
        try:
            curated = curate(view, dataclasses.replace(plan, settings=settings), folder, funnel, lists=True)
            for part in curated.parts:
                for pair in part.pairs:
                    if pair.request_id == request_id:
                        turn = origin_of(pair.source_uri)[1]
                        written.append(Verdict("file", "written", part.role, turn=turn))
        except CheckFailed:
            # No pair is left: what the stages said tells why.
            written = []
        return (*_stages(funnel, request_id, bool(written)), *written)


def _stages(funnel: Funnel, request_id: str, is_written: bool) -> Iterator[Verdict]:
    """One verdict or more for each stage, up to the one that dropped the last pair of the request."""
    rejects = list(funnel.rejects_of(request_id))
    if not rejects and not is_written:
        yield Verdict("selection", "dropped", "not_selected")
        return
    for stage in funnel.stages:
        found = [each for each in rejects if each.rule == stage.stage]
        for each in found:
            rejects.remove(each)
            yield Verdict(stage.stage, each.action, each.reason, each.evidence, each.turn)
        if not found:
            yield Verdict(stage.stage, "kept")
        elif not is_written and not rejects and found[-1].action == "dropped":
            return
