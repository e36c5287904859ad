"""Drops pairs with a word that Amazon Nova's own prompt template is made of, such as `User:` or `[EOS]`.

AWS's guide forbids these words in data for Nova, and its validator refuses the line. Other models do not mind, so
only pairs of a Nova teacher are judged, whose students are Nova models too; `models=any` judges all, for answers
of another model that are to train a Nova model.
Source: https://docs.aws.amazon.com/nova/latest/userguide/customize-fine-tune-prepare.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from logminer.curation.options import RuleOptions
from logminer.curation.rule import Dropped, Pairs, Rule
from logminer.curation.texts import texts_of
from logminer.curation.verdicts import Fault, pair_by_pair
from logminer.pairs import PromptResponsePair
from logminer.reserved_words import find_reserved_word
from logminer.teachers import is_nova


def _make(options: Mapping[str, Any]) -> Callable[[Pairs], Iterator[Dropped]]:
    given = RuleOptions("reserved_words", options)
    any_model = given.one_of("models", ("nova", "any")) == "any"
    reasoning = given.switch("reasoning")

    def judge(pair: PromptResponsePair) -> Fault | None:
        model = pair.model or pair.model_id
        if not any_model and not (model is not None and is_nova(model)):
            return None
        for place, text in texts_of(pair, reasoning=reasoning):
            word = find_reserved_word(text.encode("utf-8", "surrogatepass"))
            if word is not None:
                return Fault("reserved_word", f"{word} in {place}")
        return None

    return pair_by_pair(judge)


RULE = Rule(
    name="reserved_words",
    about="drops pairs of Amazon Nova with a word that Nova reserves; models=any looks at all models' pairs",
    reasons={"reserved_word": "a word that AWS forbids in data for Amazon Nova, in any case"},
    order=40,
    make=_make,
    options={"models": "nova", "reasoning": False},
)
