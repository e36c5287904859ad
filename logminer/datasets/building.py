"""From a selection to the files of a dataset: the stages in their order."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator

from logminer.datasets.curating import Curator, first_draft
from logminer.datasets.funnel import Funnel, Stage, reject
from logminer.datasets.outputs import OutputSet
from logminer.datasets.parting import add_gold, part
from logminer.datasets.plan import HELD_OUT, TRAIN, Curated, DatasetPlan, ExportReport, Part, check_places
from logminer.datasets.reading import read_chosen, unchosen_rejects
from logminer.datasets.settings import DatasetSettings
from logminer.datasets.user_files import gold_pairs, system_text
from logminer.datasets.writing import DatasetWriter
from logminer.errors import CheckFailed
from logminer.exports.choice import Choice, Turns, choose
from logminer.exports.format import ExportFormat
from logminer.pairs import PromptResponsePair
from logminer.printable import counted
from logminer.query.hints import filter_hints
from logminer.query.view import StoreView
from logminer.redaction import Redactor, redaction_kinds
from logminer.teachers import MIN_PAIRS


def build_dataset(view: StoreView, plan: DatasetPlan) -> ExportReport:
    """Write the files of a dataset.

    Raises UsageError where the pairs have several models, CheckFailed where they are fewer than 100 or where a file
    has not the digest that was expected: then nothing is written. Where writing fails (StorageError,
    KeyboardInterrupt), nothing of it stays.
    """
    places = check_places(plan, view.storage)
    with workshop() as (folder, funnel):
        curated = curate(view, plan, folder, funnel, lists=plan.rejects is not None)
        with OutputSet() as outputs:
            report = DatasetWriter(view, plan, places, curated, funnel, outputs).write()
            _check_number(view, plan, report.entry.lines)
            return report


@contextlib.contextmanager
def workshop() -> Iterator[tuple[str, Funnel]]:
    """A folder for texts that its owner alone can read and that goes in the end, and an empty funnel."""
    with tempfile.TemporaryDirectory(prefix="logminer-") as folder:
        funnel = Funnel(folder)
        try:
            yield folder, funnel
        finally:
            funnel.close()


def curate(view: StoreView, plan: DatasetPlan, folder: str, funnel: Funnel, *, lists: bool) -> Curated:
    """All stages up to the files; `lists` has what SQL left out listed too. Raises as `build_dataset` does."""
    settings = plan.settings
    redactor = _redactor(plan)  # complains of a model that is not there before any work is done
    choice = _choose(view, plan, funnel)
    if lists:
        for rejected in unchosen_rejects(view, plan.selection, choice):
            funnel.put(rejected)
    _check_number(view, plan, choice.lines)
    pairs = read_chosen(
        view,
        plan.selection,
        prompts_only=settings.prompts_only,
        texts_alone=settings.is_plain and settings.format.texts_alone,
    )
    if settings.is_plain:
        return Curated(choice, (Part(TRAIN, settings.format, _fitting(pairs, settings.format, funnel)),))
    gold = gold_pairs(plan.inputs["gold"], settings.format) if "gold" in plan.inputs else []
    system = system_text(plan.inputs["system"]) if "system" in plan.inputs else None
    curator = Curator(folder, funnel, settings, system, redactor)
    draft = curator.run(first_draft(folder, pairs))
    if gold:
        draft = add_gold(draft, gold, folder, funnel)
    parted = part(draft, settings, len(gold), funnel)
    _check_number(view, plan, len(parted.train))
    parts = [Part(TRAIN, settings.format, parted.train)]
    if parted.held_out is not None:
        form = settings.held_out_format or settings.format
        fitting = _fitting(parted.held_out, form, funnel, "held_out_format")
        parts.append(Part(HELD_OUT, form, fitting))
    redaction = curator.redaction if redactor is not None else None
    return Curated(choice, tuple(parts), redaction, parted.warnings)


def _choose(view: StoreView, plan: DatasetPlan, funnel: Funnel) -> Choice:
    """What SQL chooses, and its stages of the funnel."""
    settings = plan.settings
    choice = choose(
        view,
        plan.selection,
        prompts_only=settings.prompts_only,
        max_lines=settings.max_lines if settings.is_plain else None,
        turns=_turns(settings),
    )
    funnel.add(_stage("selection", view.snapshot.rows, choice.matching, "not_selected"))
    if len(choice.usable_conditions) > len(choice.conditions):
        funnel.add(_stage("turns", choice.matching, choice.usable, "several_turns"))
    funnel.add(_stage("distinct", choice.usable, choice.distinct, "same_as_another"))
    if choice.lines < choice.distinct:
        funnel.add(_stage("choice", choice.distinct, choice.lines, "beyond_max"))
    return choice


def _turns(settings: DatasetSettings) -> Turns:
    if settings.history in ("split", "fold"):
        return "any"
    return "teacher" if settings.format.turns else "single"


def _stage(name: str, entered: int, left: int, reason: str) -> Stage:
    return Stage(name, entered, left, dropped={reason: entered - left} if entered > left else {})


def _fitting(
    pairs: Iterable[PromptResponsePair], form: ExportFormat, funnel: Funnel, stage: str = "format"
) -> Iterator[PromptResponsePair]:
    """The pairs that fit a format, which no stage has looked at before."""
    entered = dropped = 0
    for pair in pairs:
        entered += 1
        problem = form.misfit(pair)
        if problem is None:
            yield pair
        else:
            dropped += 1
            funnel.put(reject(pair, stage, "does_not_fit", f"{form.name}: {problem}"))
    if dropped:
        funnel.add(_stage(stage, entered, entered - dropped, "does_not_fit"))


def _redactor(plan: DatasetPlan) -> Redactor | None:
    """What redacts, where that is asked for: all built-in kinds, and names where a model is given for them."""
    settings = plan.settings
    if settings.redact is None:
        return None
    secret = plan.inputs["salt"].content if "salt" in plan.inputs else b""
    if settings.redact_model is None:
        return Redactor(settings.redact_kinds or (), settings.redact, secret)
    kinds = settings.redact_kinds or redaction_kinds()
    return Redactor(kinds, settings.redact, secret, model=settings.redact_model)


def _check_number(view: StoreView, plan: DatasetPlan, lines: int) -> None:
    """Refuse a training file that no job takes. What is no training for distillation may be small."""
    needs_many = not {"distillation", "logs"}.isdisjoint(plan.settings.format.routes)
    if lines == 0 or (lines < MIN_PAIRS and needs_many and not plan.settings.allow_few):
        raise _too_few(view, plan, lines)


def _too_few(view: StoreView, plan: DatasetPlan, lines: int) -> CheckFailed:
    what = "prompt" if plan.settings.prompts_only else "pair"
    if lines:
        return CheckFailed(
            f"only {counted(lines, f'different {what}')} {'matches' if lines == 1 else 'match'}; "
            f"a distillation job needs {MIN_PAIRS}",
            where=plan.path,
            fix="Nothing was written. Widen --filter or --since, or write them all the same with --allow-few.",
        )
    hints = filter_hints(view, plan.selection)
    return CheckFailed(
        f"no {what}s match",
        where=plan.path,
        fix=" ".join(["Nothing was written.", *hints, "What is lost where: logminer stats."]),
    )
