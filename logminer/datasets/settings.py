"""How a dataset is made out of a selection: everything that decides about its lines but the store and the selection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from logminer.curation.history import HISTORY_MODES, HistoryMode
from logminer.datasets.rule_choice import RuleUse, choose_rules
from logminer.errors import UsageError
from logminer.exports import export_format
from logminer.exports.format import ExportFormat
from logminer.redaction import ENTITY_KINDS, MODES, Mode, check_kinds


@dataclass(frozen=True)
class DatasetSettings:
    """What is done with the pairs of a selection.

    `max_lines` counts the lines of the training file. `system` None leaves system prompts as they are, `drop` takes
    them away, all else is the path of a file that takes their place. `redact_kinds` None means all built-in ones, and
    names too where `redact_model` says which spaCy model finds them. `stratify` are columns or metadata keys. `held_out` is a share below 1, or a whole number of lines, `held_out_format` the format
    of that file. `session` is a metadata key whose values are kept on one side. `gold` is the path of labelled
    examples.
    """

    format: ExportFormat
    prompts_only: bool = False
    max_lines: int | None = None
    allow_few: bool = False
    rules: tuple[RuleUse, ...] = ()
    history: HistoryMode | None = None
    system: str | None = None
    redact: Mode | None = None
    redact_kinds: tuple[str, ...] | None = None
    redact_model: str | None = None
    stratify: tuple[str, ...] = ()
    diverse: bool = False
    held_out: float | int | None = None
    held_out_format: ExportFormat | None = None
    session: str | None = None
    gold: str | None = None

    @property
    def is_plain(self) -> bool:
        """Whether SQL alone decides about the lines, so that no text has to be looked at."""
        looks = (self.rules, self.history, self.system, self.redact, self.stratify, self.diverse, self.gold)
        return not any(looks) and self.held_out is None


def make_settings(
    *,
    to: str | None = None,
    prompts_only: bool | None = None,
    max_lines: int | None = None,
    allow_few: bool | None = None,
    curate: bool | None = None,
    rules: Mapping[str, Mapping[str, Any]] | None = None,
    history: str | None = None,
    system: str | None = None,
    redact: str | None = None,
    redact_kinds: str | Sequence[str] | None = None,
    redact_model: str | None = None,
    stratify: str | Sequence[str] | None = None,
    diverse: bool | None = None,
    held_out: float | int | None = None,
    held_out_to: str | None = None,
    session: str | None = None,
    gold: str | None = None,
) -> DatasetSettings:
    """Settings from options by the names of the flags; None is as good as leaving one out. Raises UsageError."""
    settings = DatasetSettings(
        format=export_format(to or "bedrock-conversation"),
        prompts_only=bool(prompts_only),
        max_lines=max_lines,
        allow_few=bool(allow_few),
        rules=choose_rules(bool(curate), rules or {}),
        history=_one_of(HISTORY_MODES, history, "--history"),
        system=system if system not in (None, "keep") else None,
        redact=_one_of(MODES, redact, "--redact"),
        redact_kinds=check_kinds(words(redact_kinds)) or None,
        redact_model=redact_model,
        stratify=words(stratify),
        diverse=bool(diverse),
        held_out=held_out,
        held_out_format=_held_out_format(held_out_to),
        session=session,
        gold=gold,
    )
    _check_format(settings)
    _check_redaction(settings)
    _check_choice(settings)
    return settings


def _held_out_format(name: str | None) -> ExportFormat | None:
    try:
        return export_format(name) if name is not None else None
    except UsageError as error:
        raise UsageError(error.problem, where="--held-out-to", fix=error.fix) from error


def _one_of(known: Sequence[Any], word: str | None, option: str) -> Any:
    if word is not None and word not in known:
        raise UsageError(f"cannot be {word!r}", where=option, fix=f"Give one of: {', '.join(known)}.")
    return word


def words(value: str | Sequence[str] | None) -> tuple[str, ...]:
    """Words, given one by one or joined with commas."""
    texts = [value] if isinstance(value, str) else value or ()
    words = (word.strip() for text in texts for word in text.split(","))
    return tuple(dict.fromkeys(word for word in words if word))


def _check_format(settings: DatasetSettings) -> None:
    if settings.prompts_only and not settings.format.prompts:
        raise UsageError(
            f"{settings.format.name} has answers on every line",
            where="--prompts-only",
            fix="Leave it out, or choose another format with --to.",
        )
    if settings.prompts_only and settings.history == "split":
        raise UsageError(
            "takes turns with their answers, and prompts alone have none",
            where="--history split",
            fix="Leave out one of the two.",
        )
    if settings.system == "":
        raise UsageError("is empty", where="--system", fix="Give keep, drop or the path of a file.")


def _check_redaction(settings: DatasetSettings) -> None:
    for option, given in (
        ("--redact-kinds", settings.redact_kinds),
        ("--redact-model", settings.redact_model),
    ):
        if given is not None and settings.redact is None:
            raise UsageError("says nothing without --redact", where=option, fix="Add: --redact placeholder")
    kinds = settings.redact_kinds
    if settings.redact_model is not None and kinds is not None and set(kinds).isdisjoint(ENTITY_KINDS):
        raise UsageError(
            "finds names, and --redact-kinds has no kind of name",
            where="--redact-model",
            fix=f"Add one of: {', '.join(ENTITY_KINDS)}; or leave --redact-kinds out.",
        )


def _check_choice(settings: DatasetSettings) -> None:
    if settings.max_lines is not None and settings.max_lines < 1:
        raise UsageError("must be at least 1", where="--max", fix="Leave it out to write all.")
    for name, is_given in (("stratify", settings.stratify), ("diverse", settings.diverse)):
        if is_given and settings.max_lines is None:
            raise UsageError(
                "says how to choose, and all lines are written",
                where=f"--{name}",
                fix="Say how many with --max N.",
            )
    share = settings.held_out
    if share is None:
        for name, given in (("session", settings.session), ("held-out-to", settings.held_out_format)):
            if given is not None:
                raise UsageError(
                    "is about the held-out set, and there is none",
                    where=f"--{name}",
                    fix="Add: --held-out 0.1",
                )
    elif not (0 < share < 1 or (share == int(share) and share >= 1)):
        raise UsageError(
            f"cannot be {share}", where="--held-out", fix="Give a share below 1, or a whole number of lines."
        )
