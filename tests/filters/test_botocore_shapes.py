"""The checker itself: each kind of constraint is seen to be enforced."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from botocore_shapes import check_shape

MESSAGE = {"role": "user", "content": [{"text": "hello"}]}
TOOL_USE = {"toolUseId": "id", "name": "tool", "input": {"list": [1, None, {"deep": True}]}}


@pytest.mark.parametrize(
    ("service", "name", "value"),
    [
        ("bedrock-runtime", "Message", MESSAGE),
        ("bedrock-runtime", "Message", {"role": "assistant", "content": [{"toolUse": TOOL_USE}]}),
        ("bedrock-runtime", "Converse", {"modelId": "amazon.nova-lite-v1:0", "messages": [MESSAGE]}),
        ("bedrock-runtime", "InferenceConfiguration", {"maxTokens": 1, "temperature": 0.5, "topP": 1}),
        ("bedrock-runtime", "ImageBlock", {"format": "png", "source": {"bytes": b"x"}}),
        ("bedrock", "RequestMetadataFilters", {"andAll": [{"equals": {"a": ""}}]}),
        ("bedrock", "ListModelCustomizationJobs", {"creationTimeAfter": datetime.datetime.now(datetime.UTC)}),
    ],
)
def test_what_the_service_takes_passes(service: str, name: str, value: Any) -> None:
    assert check_shape(service, name, value) == []


@pytest.mark.parametrize(
    ("service", "name", "value", "problem"),
    [
        ("bedrock-runtime", "Message", {"role": "user"}, "$: content is missing"),
        (
            "bedrock-runtime",
            "Message",
            {**MESSAGE, "role": "bot"},
            "$.role: 'bot' is none of user, assistant",
        ),
        ("bedrock-runtime", "Message", {**MESSAGE, "name": "x"}, "$: name is no member of Message"),
        ("bedrock-runtime", "Message", {**MESSAGE, "content": [{}]}, "$.content[0]: 0 members in a union"),
        ("bedrock-runtime", "Message", {**MESSAGE, "content": "x"}, "$.content: str where list is expected"),
        ("bedrock-runtime", "ContentBlock", {"text": 1}, "$.text: int where string is expected"),
        (
            "bedrock-runtime",
            "ContentBlock",
            {"toolUse": {**TOOL_USE, "input": {"a": [b""]}}},
            "$.toolUse.input.a[0]",
        ),
        (
            "bedrock-runtime",
            "ContentBlock",
            {"toolUse": {**TOOL_USE, "input": {1: 2}}},
            "a key that is no string",
        ),
        (
            "bedrock-runtime",
            "InferenceConfiguration",
            {"maxTokens": 0},
            "$.maxTokens: 0 as value, fewer than 1",
        ),
        ("bedrock-runtime", "InferenceConfiguration", {"maxTokens": True}, "bool where integer is expected"),
        ("bedrock-runtime", "InferenceConfiguration", {"temperature": 1.5}, "1.5 as value, more than 1"),
        (
            "bedrock-runtime",
            "ImageBlock",
            {"format": "png", "source": {"bytes": b""}},
            "0 bytes, fewer than 1",
        ),
        (
            "bedrock",
            "RequestMetadataFilters",
            {"equals": {"a": "1", "b": "2"}},
            "$.equals: 2 pairs, more than 1",
        ),
        ("bedrock", "RequestMetadataFilters", {"andAll": [{}] * 17}, "$.andAll: 17 items, more than 16"),
        ("bedrock", "RequestMetadataFilters", {"equals": {"a,": "1"}}, "does not match"),
        ("bedrock", "RequestMetadataFilters", {"equals": {"a": "é"}}, "does not match"),
        ("bedrock", "RequestMetadataFilters", {"equals": {"a": "v" * 257}}, "257 characters, more than 256"),
        ("bedrock", "RequestMetadataFilters", {"equals": {"": "v"}}, "0 characters, fewer than 1"),
        ("bedrock", "S3Uri", "s3://bucket/year=2026/", "does not match"),
    ],
)
def test_what_the_service_refuses_is_named_with_its_path(
    service: str, name: str, value: Any, problem: str
) -> None:
    assert any(problem in found for found in check_shape(service, name, value))
