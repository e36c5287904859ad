"""How many tokens a pair has: the logged counts where they count what is trained on, else an estimate.

The estimate takes three bytes of UTF-8 for a token. AWS gives two rules of thumb: six characters a token, on the
page about preparing data (https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-prepare.html),
and three, in its validation script for Claude 3 Haiku. English has between four and five, code and JSON about
three. Three errs on the side that a limit needs: what is counted too high is looked at, and what is counted too
low fails in the job. Bytes and not characters, since a Chinese character is a token rather than a third of one.
"""

from __future__ import annotations

from typing import NamedTuple

from logminer.curation.texts import prompt_texts
from logminer.pairs import PromptResponsePair

BYTES_PER_TOKEN = 3

# No tokenizer gets twelve bytes of ordinary text into one token: the rest of such a prompt was read from a cache,
# whose tokens the logged count leaves out.
_LEAST_SHARE_OF_ESTIMATE = 1 / 4


class TokenCount(NamedTuple):
    """A number of tokens, and whether it is an estimate."""

    tokens: int
    estimated: bool

    def __str__(self) -> str:
        """For people: `about 512 tokens (estimated)`."""
        return f"about {self.tokens} tokens (estimated)" if self.estimated else f"{self.tokens} tokens"


def estimate_tokens(text: str) -> int:
    """An upper estimate of the tokens of a text; 0 for the empty one."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    return -(-size // BYTES_PER_TOKEN)


def prompt_tokens(pair: PromptResponsePair) -> TokenCount:
    """The tokens of system text and turns. The logged count holds those of offered tools too."""
    estimate = sum(estimate_tokens(placed.text) for placed in prompt_texts(pair))
    if pair.input_tokens is not None and pair.input_tokens >= estimate * _LEAST_SHARE_OF_ESTIMATE:
        return TokenCount(pair.input_tokens, estimated=False)
    return TokenCount(estimate, estimated=True)


def answer_tokens(pair: PromptResponsePair) -> TokenCount:
    """The tokens of the answer; 0 where there is none. Estimated for a model that reasoned, as that is counted too."""
    if pair.response is None:
        return TokenCount(0, estimated=False)
    if pair.output_tokens is not None and pair.reasoning is None:
        return TokenCount(pair.output_tokens, estimated=False)
    return TokenCount(estimate_tokens(pair.response), estimated=True)
