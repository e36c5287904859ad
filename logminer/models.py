"""Model identity: which model an id in a log means, and which logged ids a teacher argument means.

One model is logged in many spellings: its own id, an inference profile in front of it, ARNs of either, and
ids that tell nothing by themselves (application profiles, provisioned throughput, routers). The canonical id
is the foundation model's own, version included; ids differ by case.
Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html (`modelId`) and
https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

ModelForm = Literal[
    "bare",
    "geo_profile",
    "profile_arn",
    "foundation_arn",
    "application_profile",
    "provisioned",
    "custom",
    "imported",
    "router",
    "prompt",
    "endpoint",
    "unknown",
]

# First labels of the ids in https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html and of
# models announced since. A provider that is missing here costs nothing but for ids with a geo label of an
# unusual spelling.
PROVIDERS = frozenset(
    {
        "ai21",
        "amazon",
        "anthropic",
        "cohere",
        "deepseek",
        "google",
        "luma",
        "meta",
        "minimax",
        "mistral",
        "moonshot",
        "moonshotai",
        "nvidia",
        "openai",
        "qwen",
        "stability",
        "twelvelabs",
        "writer",
        "xai",
        "zai",
    }
)

_MAX_ID_LENGTH = 2048  # of `modelId` in InvokeModel and Converse
_ARN = re.compile(
    r"arn:aws[^:]*:(?P<service>bedrock|sagemaker):(?P<region>[^:]*):(?P<account>[^:]*):"
    r"(?P<kind>[a-z-]+)/(?P<resource>.+)",
    re.DOTALL,
)
_ARN_FORMS: Mapping[tuple[str, str], ModelForm] = {
    ("bedrock", "foundation-model"): "foundation_arn",
    ("bedrock", "inference-profile"): "profile_arn",
    ("bedrock", "application-inference-profile"): "application_profile",
    ("bedrock", "provisioned-model"): "provisioned",
    ("bedrock", "custom-model"): "custom",
    ("bedrock", "custom-model-deployment"): "custom",
    ("bedrock", "imported-model"): "imported",
    ("bedrock", "prompt-router"): "router",
    ("bedrock", "default-prompt-router"): "router",
    ("bedrock", "prompt"): "prompt",
    ("sagemaker", "endpoint"): "endpoint",
}
_NAMES_ITS_MODEL = frozenset({"foundation_arn", "profile_arn"})

_FOUNDATION_ID = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_.:-]+")
_GEO_LABEL = re.compile(r"[a-z]{2,4}|us-gov|global")
_PROVIDER_LABEL = re.compile(r"[a-z][a-z0-9]*")  # no hyphen: `granite-4` in `ibm.granite-4.1` is a model
_VERSION_END = re.compile(r".*(?::[0-9]+|-v[0-9]+)")
# `:128k` is a context length, `:512` that of an embedding model, `:mm` the modality.
_VARIANT = re.compile(r"[0-9]+k|[0-9]{3,}|mm")
_SEPARATORS = "-:."


@dataclass(frozen=True, slots=True)
class ModelId:
    """What a logged `modelId` tells.

    `model` is the canonical id, None where the id names no foundation model by itself. `region`, `account`
    and `resource` (what follows the kind, as in `custom-model/<resource>`) are an ARN's; None where it has
    none, as the ARN of a foundation model has no account.
    """

    logged: str
    model: str | None
    form: ModelForm
    region: str | None = None
    account: str | None = None
    resource: str | None = None


@dataclass(frozen=True, slots=True)
class TeacherCandidate:
    """One model that a teacher argument may mean, with the ids that logs call it by, sorted."""

    model: str
    logged: tuple[ModelId, ...]


@dataclass(frozen=True, slots=True)
class TeacherMatch:
    """What a teacher argument means among the logged ids.

    `candidates` are sorted by model; an export needs exactly one. `near` holds models that were perhaps meant
    where there is no candidate, the likeliest first. `asked` is the argument itself as a model id: its form
    tells why an opaque one found nothing.
    """

    asked: ModelId
    candidates: tuple[TeacherCandidate, ...]
    near: tuple[str, ...] = ()


def parse_model_id(text: str) -> ModelId:
    """What `text` tells of its model. Any string is taken; one that is no model id has the form `unknown`.

    The base model that a custom model's ARN shows is not its model: a custom model answers differently.
    """
    if len(text) > _MAX_ID_LENGTH:
        return ModelId(text, None, "unknown")
    arn = _ARN.fullmatch(text)
    if arn is not None:
        return _read_arn(text, arn)
    if _FOUNDATION_ID.fullmatch(text) is None:
        return ModelId(text, None, "unknown")
    without_geo = _drop_geo_label(text)
    return ModelId(text, _drop_variant(without_geo), "bare" if without_geo == text else "geo_profile")


def _read_arn(text: str, arn: re.Match[str]) -> ModelId:
    form = _ARN_FORMS.get((arn["service"], arn["kind"]), "unknown")
    model = None
    if form in _NAMES_ITS_MODEL:
        named = arn["resource"].rpartition("/")[2]
        if _FOUNDATION_ID.fullmatch(named) is not None:
            model = _drop_variant(_drop_geo_label(named))
    return ModelId(text, model, form, arn["region"] or None, arn["account"] or None, arn["resource"])


def _drop_geo_label(model: str) -> str:
    """`model` without `us.`, `global.` and the like.

    There is no list of geo labels, for it grows: a label is one when a provider follows it, or when it looks
    like one and so does what follows it.
    """
    while True:
        labels = model.split(".", 2)
        if len(labels) < 3 or not labels[2] or labels[0] in PROVIDERS:
            return model
        if labels[1] not in PROVIDERS and not (
            _GEO_LABEL.fullmatch(labels[0]) and _PROVIDER_LABEL.fullmatch(labels[1])
        ):
            return model
        model = f"{labels[1]}.{labels[2]}"


def _drop_variant(model: str) -> str:
    """`model` without the variants of it that are told by context length or modality."""
    while True:
        head, _, last = model.rpartition(":")
        if _VARIANT.fullmatch(last) is None or _VERSION_END.fullmatch(head) is None:
            return model
        model = head


class ModelNames:
    """Models by the names that a configuration gives to opaque ids.

    The keys of `aliases` are ids as logged, or the resource part of an ARN, or what follows the last `/` of
    it; the targets are model ids of any form, other aliases included.
    """

    def __init__(self, aliases: Mapping[str, str]) -> None:
        self._aliases = dict(aliases)

    def resolve(self, logged: str) -> ModelId:
        """`parse_model_id`, with the model of an opaque id from the aliases.

        `model` stays None where no alias leads to a model, a circle of aliases included.
        """
        asked = parse_model_id(logged)
        named, seen = asked, {logged}
        while named.model is None:
            target = self._alias_of(named)
            if target is None or target in seen:
                break
            seen.add(target)
            named = parse_model_id(target)
        return replace(asked, model=named.model)

    def _alias_of(self, named: ModelId) -> str | None:
        resource = named.resource or ""
        for key in (named.logged, resource, resource.rpartition("/")[2]):
            if key in self._aliases:
                return self._aliases[key]
        return None


def match_teacher(argument: str, logged_ids: Iterable[str], names: ModelNames) -> TeacherMatch:
    """Which of the logged models `argument` means: that very model, else those that it is the beginning of.

    A shortened id has to end where a part of the id ends, so `meta.llama3-1-4` does not mean the 405B model.
    An ARN names its model in full and is never a beginning. Case counts.
    """
    asked = names.resolve(argument)
    by_model: dict[str, set[ModelId]] = {}
    for logged in logged_ids:
        known = names.resolve(logged)
        if known.model is not None:
            by_model.setdefault(known.model, set()).add(known)
    matching = _matching_models(asked, by_model)
    candidates = tuple(
        TeacherCandidate(model, tuple(sorted(by_model[model], key=lambda known: known.logged)))
        for model in sorted(matching)
    )
    return TeacherMatch(asked, candidates, () if candidates else _near_models(asked, by_model))


def _matching_models(asked: ModelId, models: Iterable[str]) -> list[str]:
    known = list(models)
    if asked.model in known:
        return [asked.model]
    if asked.form not in ("bare", "geo_profile", "unknown"):
        return []
    beginning = (asked.model or asked.logged).rstrip(_SEPARATORS)
    if not beginning:
        return []
    return [model for model in known if _begins(model, beginning)]


def _begins(model: str, beginning: str) -> bool:
    return model.startswith(beginning) and model[len(beginning) : len(beginning) + 1] in {"", *_SEPARATORS}


_MAX_NEAR = 3
_MAX_NEAR_LENGTH = 128  # comparing takes time with the square of the length, and ids are callers' words


def _near_models(asked: ModelId, models: Iterable[str]) -> tuple[str, ...]:
    """Models that contain what was asked for, in any case, then those that are spelled like it."""
    wanted = (asked.model or asked.logged).lower()[:_MAX_NEAR_LENGTH]
    by_lower = {model.lower(): model for model in sorted(models) if len(model) <= _MAX_NEAR_LENGTH}
    found = [lower for lower in by_lower if wanted and wanted in lower]
    found += difflib.get_close_matches(wanted, by_lower, n=_MAX_NEAR)
    return tuple(by_lower[lower] for lower in dict.fromkeys(found))[:_MAX_NEAR]


# Models that write no text, by the beginning of their id. TwelveLabs' Pegasus does write text, but only about
# a video. Sources: the pages on embeddings, reranking, images, video and speech below
# https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
_NOT_TEXT_BEGINNINGS = (
    "amazon.nova-canvas",
    "amazon.nova-reel",
    "amazon.nova-sonic",
    "amazon.nova-2-sonic",
    "amazon.titan-e1t",
    "amazon.titan-image",
    "luma.",
    "stability.",
    "twelvelabs.",
)
_NOT_TEXT_WORDS = re.compile(r"[.-](?:embed(?:ding)?s?|rerank(?:er)?)(?:[.:-]|\Z)")


def looks_not_text(model: str) -> bool:
    """Whether `model`, an id of any form, makes embeddings, ranks, images, video or speech and not text."""
    canonical = parse_model_id(model).model or model
    return canonical.startswith(_NOT_TEXT_BEGINNINGS) or _NOT_TEXT_WORDS.search(canonical) is not None
