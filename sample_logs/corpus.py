"""The committed corpus: the teacher's pairs, every shape and template, odd usable pairs, traffic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from failures import Failures
from layout import ACCOUNT, Call
from misfits import Misfits
from odd_pairs import OddPairs
from planting import CANNED, NOVA_PRO, TEACHER, call_of, tags
from prose import PROJECTS, Dice, Exchange, compose
from shapes import SHAPES

TEACHER_PROFILE = f"us.{TEACHER}"
TEACHER_ARN = f"arn:aws:bedrock:us-west-2:{ACCOUNT}:inference-profile/{TEACHER_PROFILE}"
FILTER = "project=CustomerService AND priority=High"
WANTED = {"project": "CustomerService", "priority": "High"}


def all_calls(dice: Dice) -> list[Call]:
    """Every call of the corpus except re-deliveries, in no particular order."""
    groups = (
        Teacher(dice).calls(),
        shape_coverage(dice),
        Failures(dice).calls(),
        Misfits(dice).calls(),
        OddPairs(dice).calls(),
        metadata_oddities(dice),
        model_id_forms(dice),
        traffic(dice),
    )
    return dice.shuffled([call for group in groups for call in group])


@dataclass(frozen=True, slots=True)
class Teacher:
    """Traffic of the teacher model under the metadata that the README filters by."""

    dice: Dice

    def calls(self) -> Iterator[Call]:
        """Single-turn pairs first, then what the filter finds but a data set cannot use."""
        yield from self.single_turn()
        yield from self.duplicates()
        yield from self.losses()

    def single_turn(self) -> Iterator[Call]:
        """Usable pairs: bare model id in all four operations, then the two profile forms."""
        for shape, era, count in (
            ("converse", "2024", 34),
            ("converse", "2026", 50),
            ("converse_stream", "2026", 26),
            ("llama", "2026", 42),
            ("llama_stream", "2026", 12),
        ):
            for _ in range(count):
                yield self._call("teacher_bare", shape, era=era)
        for shape, model, count in (
            ("converse", TEACHER_PROFILE, 8),
            ("llama", TEACHER_PROFILE, 4),
            ("converse", TEACHER_ARN, 6),
        ):
            for _ in range(count):
                form = "teacher_profile" if model == TEACHER_PROFILE else "teacher_profile_arn"
                yield self._call(form, shape, model=model)

    def duplicates(self) -> Iterator[Call]:
        """Retries: exact copies under a new id, one prompt answered twice, other spellings of a prompt."""
        for _ in range(4):
            call = self._call("teacher_repeated", "converse")
            yield from (call, replace(call, kind="teacher_exact_duplicate"))
        for _ in range(2):
            call = self._call("teacher_repeated", "converse")
            assert call.exchange is not None
            other = replace(call.exchange, answer=f"{call.exchange.answer} Is there anything else I can do?")
            yield from (call, self._again("teacher_second_answer", other))
        for spelled in (str.upper, str.lower, lambda text: text.replace(". ", ".  ")):
            call = self._call("teacher_repeated", "converse")
            assert call.exchange is not None
            asked = spelled(call.exchange.question)
            yield from (
                call,
                self._again("teacher_near_duplicate", replace(call.exchange, turns=(("user", asked),))),
            )

    def losses(self) -> Iterator[Call]:
        """Multi-turn conversations and every other way to lose a record of the teacher."""
        for number in range(14):
            yield self._call(
                "teacher_multi_turn", "llama" if number % 4 == 0 else "converse", turns=2 + number % 2
            )
        for shape in ("converse", "converse", "llama", "llama", "llama_stream"):
            stop = SHAPES[shape].truncated
            yield self._call("teacher_truncated", shape, status="truncated", stop=stop)
        for code in ("ThrottlingException", "ThrottlingException", "ModelTimeoutException"):
            failed = self._call("teacher_error", "converse", status="error", error_code=code)
            yield replace(failed, response=None)
        for _ in range(2):
            yield self._call("teacher_guardrail", "converse", status="blocked", stop="guardrail_intervened")
            call = self._call("teacher_tool_use", "converse", status="tool_call", stop="tool_use")
            use = {"toolUseId": "tooluse_t1", "name": "order_status", "input": {"order": "HP-20418-33"}}
            call.response["output"]["message"]["content"].append({"toolUse": use})
            yield call
            yield self._call("teacher_lost_body", "converse", status="body_missing", lost=("output",))
        yield self._call("teacher_offloaded", "llama", offloaded=("input", "output"))
        yield self._call("teacher_offloaded", "converse", offloaded=("input",))

    def _call(self, kind: str, shape: str, **more: Any) -> Call:
        asked = compose(
            self.dice, "CustomerService", user_turns=more.pop("turns", 1), system=self.dice.chance(80)
        )
        if more.get("status") == "truncated":
            asked = replace(asked, answer=asked.answer[: len(asked.answer) // 2])
        if more.get("status") == "blocked":
            asked = replace(asked, answer=CANNED)
        return self._again(kind, asked, shape=shape, **more)

    def _again(self, kind: str, asked: Exchange, shape: str = "converse", **more: Any) -> Call:
        wanted = WANTED | (
            {"channel": self.dice.pick(("chat", "mail", "app"))} if self.dice.chance(40) else {}
        )
        settings = {"model": TEACHER, "era": "2026", "region": "us-west-2"} | more
        return call_of(kind, shape, asked, metadata=wanted, **settings)


def shape_coverage(dice: Dice) -> Iterator[Call]:
    """Two single-turn calls and a conversation in every body shape; the first has no system text."""
    for shape in SHAPES.values():
        region = "us-east-1" if "imported-model" in shape.models[0] else None
        for number, turns in enumerate((1, 1, 2)):
            project = dice.pick(PROJECTS)
            asked = compose(dice, project, user_turns=turns, system=number > 0)
            yield call_of(
                f"shape_{shape.name}",
                shape.name,
                asked,
                model=shape.models[number % len(shape.models)],
                metadata=tags(dice, project),
                era="2026",
                region=region,
            )


def metadata_oddities(dice: Dice) -> Iterator[Call]:
    """Metadata that filters stumble over, on the teacher's own records.

    Of these only the one with `Project` beside `project` matches the README's filter.
    """
    near_misses: tuple[tuple[str, dict[str, str]], ...] = (
        ("key_differs_in_case", {"Project": "CustomerService", "priority": "High"}),
        ("key_misspelt", {"project": "CustomerService", "priorty": "High"}),
        ("value_differs_in_case", {"project": "customerservice", "priority": "High"}),
        ("value_differs_in_case", {"project": "CustomerService", "priority": "high"}),
        ("value_with_trailing_space", {"project": "CustomerService ", "priority": "High"}),
        (
            "two_spellings_of_one_key",
            {"project": "CustomerService", "Project": "Returns", "priority": "High"},
        ),
        (
            "hash_and_comma",
            {"project": "CustomerService", "priority": "Low", "ticket#": "CS#1042", "labels": "a,b"},
        ),
        ("hash_and_comma", {"project": "CustomerService", "priority": "Low", "queue": "refunds, express #2"}),
        ("empty_value", {"project": "CustomerService", "priority": "", "campaign": ""}),
        (
            "sixteen_keys",
            {"project": "CustomerService", "priority": "Low"}
            | {f"dimension.{number:02d}": f"v{number}" for number in range(14)},
        ),
        ("empty_metadata", {}),
    )
    for kind, metadata in near_misses:
        for _ in range(2):
            asked = compose(dice, "CustomerService")
            yield call_of(
                kind, "converse", asked, model=TEACHER, metadata=metadata, era="2026", region="us-west-2"
            )


def model_id_forms(dice: Dice) -> Iterator[Call]:
    """Every spelling of a model id beyond bare ids and geo profiles."""
    west, east = (f"arn:aws:bedrock:{region}" for region in ("us-west-2", "us-east-1"))
    forms = (
        ("foundation_model_arn", f"{west}::foundation-model/meta.llama3-1-70b-instruct-v1:0", "us-west-2"),
        ("profile_arn", f"{east}:{ACCOUNT}:inference-profile/us.amazon.nova-premier-v1:0", "us-east-1"),
        (
            "application_profile_arn",
            f"{west}:{ACCOUNT}:application-inference-profile/a1b2c3d4e5f6",
            "us-west-2",
        ),
        ("provisioned_arn", f"{east}:{ACCOUNT}:provisioned-model/p7q8r9s0t1u2", "us-east-1"),
        ("context_suffix", f"{NOVA_PRO}:300k", "us-east-1"),
        ("prompt_router_arn", f"{east}:{ACCOUNT}:default-prompt-router/anthropic.claude:1", "us-east-1"),
        ("custom_model_arn", f"{east}:{ACCOUNT}:custom-model-deployment/d3f4g5h6j7k8", "us-east-1"),
        ("bare", "meta.llama3-1-70b-instruct-v1:0", "us-west-2"),
        ("bare", "us.amazon.nova-premier-v1:0", "us-east-1"),
    )
    for kind, model, region in forms:
        for turns in (1, 1, 2):
            project = dice.pick(PROJECTS)
            yield call_of(
                f"model_id_{kind}",
                "converse",
                compose(dice, project, user_turns=turns),
                model=model,
                metadata=tags(dice, project),
                era="2026",
                region=region,
            )


_MIX = (
    ("converse", 34),
    ("converse_stream", 28),
    ("anthropic", 12),
    ("nova", 8),
    ("llama", 8),
    ("anthropic_stream", 2),
    ("nova_stream", 1),
    ("llama_stream", 1),
    ("mistral_chat", 2),
    ("cohere_command_r", 1),
    ("openai_chat", 3),
)


def traffic(dice: Dice, count: int = 330) -> Iterator[Call]:
    """Ordinary days: mostly Converse, some conversations, a few untagged or old calls."""
    shapes = [name for name, share in _MIX for _ in range(share)]
    for _ in range(count):
        project, shape, turns = dice.pick(PROJECTS), dice.pick(shapes), 1
        if dice.chance(16):
            turns = dice.pick((2, 2, 3))
        era = "2024" if shape in _OLD_MODELS and dice.chance(18) else "2026"
        model = _OLD_MODELS[shape] if era == "2024" else dice.pick(SHAPES[shape].models)
        tagged = not dice.chance(12) and (era == "2026" or SHAPES[shape].operation.startswith("Converse"))
        asked = compose(dice, project, user_turns=turns, system=dice.chance(80))
        yield call_of(
            "traffic", shape, asked, model=model, metadata=tags(dice, project) if tagged else None, era=era
        )


_OLD_MODELS = {
    "converse": "anthropic.claude-3-5-sonnet-20241022-v2:0",
    "converse_stream": "meta.llama3-1-70b-instruct-v1:0",
    "anthropic": "anthropic.claude-3-haiku-20240307-v1:0",
    "llama": "meta.llama3-1-8b-instruct-v1:0",
    "mistral_chat": "mistral.mistral-large-2407-v1:0",
    "cohere_command_r": "cohere.command-r-plus-v1:0",
}
