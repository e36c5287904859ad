"""Bodies that lie in objects of their own: found beside the log object, and nowhere outside of the source."""

from __future__ import annotations

import gzip
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from logminer.framing import Quarantined
from logminer.ingestion import reader
from logminer.sources import LogObject, list_source, spool_stdin
from logminer.sources.local import read_local_body
from logminer.sources.objects import BodyUnavailable

from .logs import (
    HOUR,
    LOG_NAME,
    assert_untouched,
    details,
    line,
    lines,
    only_row,
    outcomes,
    read_source,
    record,
    said,
)

BUCKET = f"s3://bucket/prefix/{HOUR}"
REQUEST = record(1)["input"]["inputBodyJson"]
RESPONSE = record(1)["output"]["outputBodyJson"]
STREAM = [
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Here, "}}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "{1}."}}},
    {"messageStop": {"stopReason": "end_turn"}},
]


def offloaded(request: str | None = None, response: str | None = None) -> dict[str, Any]:
    """The good record with paths instead of bodies."""
    value = record(1)
    for side, body, path_name, path in (
        ("input", "inputBodyJson", "inputBodyS3Path", request),
        ("output", "outputBodyJson", "outputBodyS3Path", response),
    ):
        if path is not None:
            del value[side][body]
            value[side][path_name] = path
    return value


def put(folder: Path, value: Any, bodies: dict[str, bytes], hour: str = HOUR) -> Path:
    log = folder / hour / LOG_NAME
    (log.parent / "data").mkdir(parents=True, exist_ok=True)
    log.write_bytes(gzip.compress(lines(record(0), value, record(2))))
    for name, content in bodies.items():
        (log.parent / "data" / name).write_bytes(content)
    return folder


def middle(source: Path) -> Any:
    """The row of the record with bodies elsewhere, after a look at its neighbours."""
    first, found, last = read_source(source)
    assert_untouched(first, 0)
    assert_untouched(last, 2)
    return found


REQUEST_PATH, RESPONSE_PATH = f"{BUCKET}/data/1_input.json.gz", f"{BUCKET}/data/1_output.json.gz"
PACKINGS = {
    "plain": bytes,
    "gzip": gzip.compress,
    "gzip members": lambda text: gzip.compress(text[:40]) + gzip.compress(text[40:]),
    "BOM": lambda text: b"\xef\xbb\xbf" + text,
    "string": lambda text: json.dumps(text.decode()).encode(),
    "string in a string, gzip": lambda text: gzip.compress(json.dumps(json.dumps(text.decode())).encode()),
    "pretty": lambda text: json.dumps(json.loads(text), indent=2).encode(),
}


@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS.keys())
@pytest.mark.parametrize("response", [RESPONSE, STREAM], ids=["object", "stream"])
@pytest.mark.parametrize("hour", [HOUR, "copied/here"], ids=["layout", "any folder"])
def test_bodies_beside_the_log_are_read(pack, response, hour, tmp_path):
    bodies = {"1_input.json.gz": pack(line(REQUEST)), "1_output.json.gz": pack(line(response))}
    both = put(tmp_path / "both", offloaded(REQUEST_PATH, RESPONSE_PATH), bodies, hour)
    assert_untouched(middle(both), 1)
    for value in (offloaded(request=REQUEST_PATH), offloaded(response=RESPONSE_PATH)):
        assert_untouched(middle(put(tmp_path / "one", value, bodies, hour)), 1)


@pytest.mark.parametrize(
    "source", ["", HOUR, f"{HOUR}/{LOG_NAME}", f"{HOUR}/*.gz", "**/*.json.gz", "AWSLogs/*"]
)
def test_bodies_are_found_from_any_source(source, tmp_path):
    put(tmp_path, offloaded(REQUEST_PATH), {"1_input.json.gz": line(REQUEST)})
    assert_untouched(middle(tmp_path / source), 1)


def test_a_body_in_another_hour_folder_of_the_layout_is_found(tmp_path):
    other = HOUR.replace("/08", "/07")
    put(tmp_path, offloaded(f"s3://bucket/{other}/data/1_input.json.gz"), {})
    (tmp_path / other / "data").mkdir(parents=True)
    (tmp_path / other / "data" / "1_input.json.gz").write_bytes(line(REQUEST))
    assert_untouched(middle(tmp_path), 1)
    # A source that is one hour folder ends there.
    assert "outside_source" in details(middle(tmp_path / HOUR))


def test_a_missing_body_is_named(tmp_path):
    row = middle(put(tmp_path, offloaded(REQUEST_PATH, RESPONSE_PATH), {}))
    assert row.conversation.status == "body_missing"
    assert details(row) == ["offloaded", "request", "response"]
    row = middle(put(tmp_path, offloaded(response=RESPONSE_PATH), {}))
    assert details(row) == ["offloaded", "response"]
    assert json.loads(row.conversation.messages)[0]["content"] == [{"text": "Where is 1?"}]


DAMAGED = {
    "empty": b"",
    "prose": b"no JSON",
    "cut off": line(REQUEST)[:-5],
    "gzip cut off": gzip.compress(line(REQUEST))[:-20],
    "gzip damaged": gzip.compress(line(REQUEST))[:-8] + b"12345678",
    "gzip with garbage": gzip.compress(line(REQUEST)) + b"garbage",
    "two values": line(REQUEST) * 2,
    "invalid UTF-8": line(REQUEST).replace(b"Where", b"Wh\xffre"),
    "invalid UTF-8 unseen": line(REQUEST)[:-1] + b', "newField": "\xff"}',
    "deep": b'{"x":' * 100_000 + b"1" + b"}" * 100_000,
    "deep list": b"[" * 100_000,
    "NaN": b'{"messages": NaN}',
    "NULs": bytes(100),
}


@pytest.mark.parametrize("damaged", DAMAGED.values(), ids=DAMAGED.keys())
@pytest.mark.parametrize("side", ["request", "response"])
def test_a_damaged_body_is_a_missing_one(damaged, side, tmp_path):
    name, path = (
        ("1_input.json.gz", REQUEST_PATH) if side == "request" else ("1_output.json.gz", RESPONSE_PATH)
    )
    row = middle(put(tmp_path, offloaded(**{side: path}), {name: damaged}))
    assert row.conversation.status == "body_missing"
    assert details(row) == ["unreadable_body", side]


@pytest.mark.parametrize(
    "text", [b"5", b"null", b"true", b"[]", b"[5]", b'"text"', b"{}", b'{"messages": 5}']
)
def test_a_body_of_no_known_shape_costs_nothing_else(text, tmp_path):
    for side, name, path in (
        ("request", "1_input.json.gz", REQUEST_PATH),
        ("response", "1_output.json.gz", RESPONSE_PATH),
    ):
        row = middle(put(tmp_path / side, offloaded(**{side: path}), {name: text}))
        assert row.conversation.status in ("body_missing", "unrecognized")


def test_wrong_types_and_replaced_text_in_a_body_are_named_as_in_a_record(tmp_path):
    body = {**REQUEST, "inferenceConfig": {"maxTokens": "x"}}
    content = line(body).replace(b"Where", b"\\ud800")
    row = middle(put(tmp_path, offloaded(REQUEST_PATH), {"1_input.json.gz": content}))
    assert details(row) == ["wrong_type:input.inputBodyJson.inferenceConfig.maxTokens", "replaced_text"]
    assert said(row)[0] == "\ufffd is 1?"


def test_a_body_over_the_limit_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("logminer.sources.local.MAX_BODY_BYTES", len(line(REQUEST)) - 1)
    put(tmp_path, offloaded(REQUEST_PATH), {"1_input.json.gz": line(REQUEST)})
    assert details(middle(tmp_path)) == ["too_large", "request"]


def test_a_body_that_inflates_over_the_limit_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "MAX_BODY_BYTES", 2_000_000)
    content = gzip.compress(line(REQUEST) + b" " * 10_000_000)
    put(tmp_path, offloaded(REQUEST_PATH), {"1_input.json.gz": content})
    assert details(middle(tmp_path)) == ["too_large", "request"]


# --- paths are what a caller of the model, or a thief, may have written --------------------------------------

SECRET = {"messages": [{"role": "user", "content": [{"text": "secret"}]}]}


def hostile_paths(tmp_path: Path) -> list[str]:
    absolute = str(tmp_path / "secret.json")
    return [
        absolute,
        f"file://{absolute}",
        f"s3://bucket{absolute}",
        "s3://bucket/..",
        "s3://bucket/.",
        "s3://bucket/",
        "/",
        "..",
        "../../secret.json",
        "../secret.json",
        f"{BUCKET}/data/../../../../../../../../secret.json",
        f"{BUCKET}/data/..",
        "s3://bucket/BedrockModelInvocationLogs/../../2026/06/03/08/data/secret.json",
        "BedrockModelInvocationLogs/us-west-2/2026/06/03/08/../../../../../../../secret.json",
        "BedrockModelInvocationLogs/us-west-2/2026/06/03/08//secret.json",
        f"{BUCKET}/data/secret.json\0",
        "secret.json\0.gz",
        "\0",
        "\\..\\secret.json",
        "%2e%2e%2fsecret.json",
        "~/secret.json",
        "x" * 5_000,
        f"{BUCKET}/data/" + "x/" * 3_000,
        "\ufffd",
        "\u2028secret.json",
    ]


def test_no_path_leads_to_anything_but_bodies(tmp_path):
    source = put(tmp_path / "source", record(1), {})
    for place in (tmp_path, source, source / HOUR, source / HOUR / "deeper"):
        place.mkdir(exist_ok=True)
        (place / "secret.json").write_bytes(line(SECRET))
    for path in hostile_paths(tmp_path):
        put(tmp_path / "source", offloaded(path), {})
        found = read_source(source / HOUR / LOG_NAME)[1]
        assert details(found) in (["offloaded", "request"], ["outside_source", "request"]), path
        (log,) = list_source(str(source / HOUR / LOG_NAME)).objects
        with pytest.raises(BodyUnavailable):
            read_local_body(log, path)


def test_links_out_of_the_source_are_not_followed(tmp_path):
    (tmp_path / "secret.json").write_bytes(line(SECRET))
    put(tmp_path / "source", offloaded(REQUEST_PATH), {})
    data = tmp_path / "source" / HOUR / "data"
    (data / "1_input.json.gz").symlink_to(tmp_path / "secret.json")
    assert details(middle(tmp_path / "source")) == ["outside_source", "request"]
    (data / "1_input.json.gz").unlink()
    data.rmdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "1_input.json.gz").write_bytes(line(SECRET))
    data.symlink_to(tmp_path / "elsewhere")
    assert details(middle(tmp_path / "source")) == ["outside_source", "request"]


def test_a_folder_whose_name_begins_like_the_sources_is_outside(tmp_path):
    (tmp_path / "source-secret").mkdir()
    (tmp_path / "source-secret" / "x").write_bytes(line(SECRET))
    put(tmp_path / "source", offloaded(REQUEST_PATH), {})
    (tmp_path / "source" / HOUR / "data" / "1_input.json.gz").symlink_to(tmp_path / "source-secret" / "x")
    assert details(middle(tmp_path / "source")) == ["outside_source", "request"]


def test_what_is_no_file_is_no_body(tmp_path):
    put(tmp_path, offloaded(REQUEST_PATH), {})
    data = tmp_path / HOUR / "data"
    (data / "1_input.json.gz").mkdir()
    assert details(middle(tmp_path)) == ["offloaded", "request"]
    (data / "1_input.json.gz").rmdir()
    os.mkfifo(data / "1_input.json.gz")
    assert details(middle(tmp_path)) == ["offloaded", "request"]
    (data / "1_input.json.gz").unlink()
    (data / "1_input.json.gz").symlink_to("1_input.json.gz")
    assert details(middle(tmp_path)) == ["offloaded", "request"]


def test_a_body_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    put(tmp_path, offloaded(REQUEST_PATH), {"1_input.json.gz": line(REQUEST)})
    opened = open

    def refuse(path, *arguments, **options):
        if "/data/" in os.fspath(path):
            raise PermissionError(13, "Permission denied", path)
        return opened(path, *arguments, **options)

    monkeypatch.setattr("builtins.open", refuse)
    assert details(middle(tmp_path)) == ["forbidden", "request"]


def test_nothing_is_followed_from_standard_input(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "1_input.json.gz").write_bytes(line(SECRET))
    log = spool_stdin(io.BytesIO(b"x"), str(tmp_path))
    with pytest.raises(BodyUnavailable) as raised:
        read_local_body(log, REQUEST_PATH)
    assert raised.value.reason == "offloaded"


def test_a_root_that_is_the_root_holds_everything(tmp_path):
    put(tmp_path, offloaded(REQUEST_PATH), {"1_input.json.gz": line(REQUEST)})
    (log,) = list_source(str(tmp_path / HOUR / LOG_NAME)).objects
    assert read_local_body(LogObject(log.uri, "file:///", 1, "1"), REQUEST_PATH) == line(REQUEST)


def test_an_inline_body_is_taken_before_a_path(tmp_path):
    value = record(1)
    value["input"]["inputBodyS3Path"] = REQUEST_PATH
    put(tmp_path, value, {"1_input.json.gz": line(SECRET)})
    assert_untouched(middle(tmp_path), 1)


def test_bodies_without_records_of_their_own_stay_out(tmp_path):
    put(tmp_path, record(1), {"1_input.json.gz": line(record(5))})
    assert outcomes(read_source(tmp_path)) == ["request-0", "request-1", "request-2"]
    assert not any(isinstance(value, Quarantined) for value in read_source(tmp_path))
    assert only_row(read_source(tmp_path)[1:2]).record.request_id == "request-1"
