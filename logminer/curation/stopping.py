"""Whether an answer ended where the caller wanted it cut, and not where the model was done."""

from __future__ import annotations

from logminer.conversations.stops import STOPPED_AT_SEQUENCE
from logminer.conversations.templates import find_special_token
from logminer.curation.texts import params_of
from logminer.pairs import PromptResponsePair

# These say that the model was done; `stop` and `COMPLETE` say it of a stop sequence as well.
_DONE = frozenset({"end_turn", "endoftext"})


def may_be_cut_by_caller(pair: PromptResponsePair) -> bool:
    """Whether a stop sequence may have ended the answer, one that is more than the end of a turn.

    Callers begin an answer with a code fence and let it stop at the next one: such an answer is whole, and looks
    broken off. A turn's end is a special token, or a label such as `Human:`.
    """
    if pair.stop_reason in _DONE:
        return False
    sequences = params_of(pair).get("stop_sequences")
    if not isinstance(sequences, list) or not sequences:
        return pair.stop_reason in STOPPED_AT_SEQUENCE
    return not all(isinstance(sequence, str) and _ends_turn(sequence) for sequence in sequences)


def _ends_turn(sequence: str) -> bool:
    word = sequence.strip()
    return word == "</s>" or word.endswith(":") or find_special_token(sequence) is not None
