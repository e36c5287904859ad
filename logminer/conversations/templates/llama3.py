"""Llama 3.x: `<|start_header_id|>role<|end_header_id|>` headers, turns ended by `<|eot_id|>`.

The role `ipython` brings the result of a tool, `<|python_tag|>` begins a call of one. What is stripped and
why is said in `llama_headers`.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html
"""

from __future__ import annotations

from logminer.conversations.templates.llama_headers import HeaderTokens, header_parser
from logminer.conversations.templates.template import PromptTemplate

_TOKENS = HeaderTokens(
    begin="<|begin_of_text|>",
    open_header="<|start_header_id|>",
    close_header="<|end_header_id|>",
    ends=("<|eot_id|>", "<|eom_id|>"),
    call=("<|python_tag|>",),
)

TEMPLATE = PromptTemplate(
    name="llama3",
    rank=10,
    marker="<|start_header_id|>",
    parse=header_parser(_TOKENS),
    special_tokens=_TOKENS.all_tokens(),
)
