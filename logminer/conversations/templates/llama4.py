"""Llama 4: as Llama 3, with the headers and ends spelled `<|header_start|>`, `<|header_end|>`, `<|eot|>`.

Tool calls stand between `<|python_start|>` and `<|python_end|>`. What is stripped and why is said in
`llama_headers`.
Source: https://www.llama.com/docs/model-cards-and-prompt-formats/llama4/
"""

from __future__ import annotations

from logminer.conversations.templates.llama_headers import HeaderTokens, header_parser
from logminer.conversations.templates.template import PromptTemplate

_TOKENS = HeaderTokens(
    begin="<|begin_of_text|>",
    open_header="<|header_start|>",
    close_header="<|header_end|>",
    ends=("<|eot|>", "<|eom|>"),
    call=("<|python_start|>", "<|python_end|>"),
)

TEMPLATE = PromptTemplate(
    name="llama4",
    rank=11,
    marker="<|header_start|>",
    parse=header_parser(_TOKENS),
    special_tokens=_TOKENS.all_tokens(),
)
