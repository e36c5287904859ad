"""Which curation rules a dataset is made with: words of flags and recipes into rules with all their options."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from logminer.curation import curation_rules
from logminer.curation.rule import Dropped as Dropped
from logminer.curation.rule import Pairs, Rule
from logminer.errors import UsageError

Action = Literal["drop", "report", "off"]
ACTIONS: tuple[Action, ...] = ("drop", "report", "off")
ACTION = "action"
"""What says, among a rule's options, what becomes of the pairs that it finds."""

_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


@dataclass(frozen=True)
class RuleUse:
    """A rule with a value for each of its options. With `report_only` it counts and lists, and drops nothing."""

    name: str
    report_only: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rule(self) -> Rule:
        """The rule itself."""
        return curation_rules()[self.name]

    def find(self, pairs: Pairs) -> Iterator[Dropped]:
        """The pairs that the rule would drop. Raises UsageError for options that cannot be meant."""
        return self.rule.make(self.options)(pairs)


def parse_rule(text: str, option: str) -> tuple[str, dict[str, Any]]:
    """`NAME` or `NAME:option=value,option=value` into the name and its options, whose values are still text."""
    name, colon, rest = text.partition(":")
    options = {}
    for part in rest.split(",") if colon else ():
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise UsageError(
                f"{part!r} is no option of a rule",
                where=f"{option} {text}",
                fix=f"Write: {option} {name}:option=value,option=value",
            )
        options[key.strip()] = value.strip()
    return name.strip(), options


def choose_rules(curate: bool, given: Mapping[str, Mapping[str, Any]]) -> tuple[RuleUse, ...]:
    """The rules to run, in the order that they run in.

    `curate` takes all of them: those that only report by default do so here. `given` names single rules, each with
    options and perhaps an `action` (`drop`, `report`, `off`; `drop` where it says nothing). Raises UsageError.
    """
    rules = curation_rules()
    chosen: dict[str, RuleUse] = {}
    if curate:
        chosen = {
            rule.name: RuleUse(rule.name, rule.report_only, dict(rule.options)) for rule in rules.values()
        }
    for name, options in given.items():
        rule = rules.get(name)
        if rule is None:
            raise UsageError(f"there is no rule {name!r}", where="--rule", fix=_near(name, rules, "Rules"))
        action = options.get(ACTION, "drop")
        if action not in ACTIONS:
            raise UsageError(
                f"{action!r} is no action", where=f"rule {name}", fix=f"Actions are: {', '.join(ACTIONS)}."
            )
        if action == "off":
            chosen.pop(name, None)
        else:
            chosen[name] = RuleUse(name, action == "report", _all_options(rule, options))
    for use in chosen.values():
        use.rule.make(use.options)  # complains here rather than after hours
    return tuple(sorted(chosen.values(), key=lambda use: (use.rule.order, use.name)))


def _all_options(rule: Rule, given: Mapping[str, Any]) -> dict[str, Any]:
    options = dict(rule.options)
    for name, value in given.items():
        if name == ACTION:
            continue
        if name not in options:
            fix = _near(name, options, "Its options") if options else "It has no options."
            raise UsageError(f"has no option {name!r}", where=f"rule {rule.name}", fix=fix)
        options[name] = _value(f"rule {rule.name}, {name}", value, rule.options[name])
    return options


def _value(where: str, value: Any, default: Any) -> Any:
    """The value of an option: text of a flag becomes what the default is. Raises UsageError."""
    if not isinstance(value, str) or isinstance(default, str):
        return value
    if isinstance(default, bool):
        if value.lower() in _TRUE + _FALSE:
            return value.lower() in _TRUE
        raise UsageError(f"cannot be {value!r}", where=where, fix="Give true or false.")
    try:
        return int(value) if isinstance(default, int) else _number(value)
    except ValueError:
        if default is None:
            return value
        raise UsageError(f"cannot be {value!r}", where=where, fix="Give a number.") from None


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _near(name: str, known: Collection[str], title: str) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"{title} are: {', '.join(known)}."
