"""The files of one dataset: all of them written, then all of them put in their places, the manifest last."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from types import TracebackType
from typing import Any, BinaryIO, cast

import msgspec

from logminer.datasets.funnel import origin_of
from logminer.datasets.manifest import PairLine
from logminer.exports.format import ExportFormat, OpenFile
from logminer.json_text import encode_json
from logminer.outputs import check_output, check_output_folder, open_output, open_output_folder
from logminer.pairs import PromptResponsePair
from logminer.store.storage import Storage


class Digesting(io.BufferedIOBase):
    """Hands what is written on, and knows its SHA-256 and size."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        """Of all that was written so far."""
        return self._digest.hexdigest()

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Write bytes."""
        self._stream.write(data)
        self._digest.update(data)
        self.size_bytes += memoryview(data).nbytes
        return memoryview(data).nbytes

    def tell(self) -> int:
        """How many bytes were written."""
        return self.size_bytes


class OutputSet:
    """Opens files to write; when its context ends without an error they appear, the one opened last first.

    On an error none of them does.
    """

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> OutputSet:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Let the files appear, or none of them."""
        return self._stack.__exit__(kind, error, trace)

    def open(self, path: str) -> BinaryIO:
        """A file to write, by what `check_output` gave."""
        return self._stack.enter_context(open_output(path))

    def open_folder(self, path: str) -> OpenFile:
        """A folder to fill, by what `check_output_folder` gave."""
        return self._stack.enter_context(open_output_folder(path))

    def on_success(self, action: Callable[[], None]) -> None:
        """Do something after the files opened later have appeared and before those opened earlier."""

        def act(kind: Any, error: Any, trace: Any) -> None:
            if kind is None:
                action()

        self._stack.push(act)

    def on_failure(self, action: Callable[[], None]) -> None:
        """Do something after all files opened later are done with, where an error came."""

        def act(kind: Any, error: Any, trace: Any) -> None:
            if kind is not None:
                action()

        self._stack.push(act)


@dataclass
class Written:
    """What was written for one set of pairs: its files by name inside the export (`""` is its path), and counts."""

    files: dict[str, tuple[str, int]] = field(default_factory=dict)
    lines: int = 0
    request_ids: list[str] = field(default_factory=list)
    input_tokens: int = 0
    output_tokens: int = 0
    uncounted: int = 0

    @property
    def sha256(self) -> str:
        """Of the file, or of the list of the files and their digests as `sha256sum` writes it."""
        if list(self.files) == [""]:
            return self.files[""][0]
        listed = "".join(f"{sha256}  {name}\n" for name, (sha256, _) in sorted(self.files.items()))
        return hashlib.sha256(listed.encode()).hexdigest()

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(size for _, size in self.files.values())


def check_place(form: ExportFormat, path: str, storage: Storage | None = None) -> str:
    """The absolute place of an export, as `check_output` gives it. Raises UsageError, ConfigurationError."""
    return check_output_folder(path, storage) if form.ending == "/" else check_output(path, storage)


def write_pairs(
    form: ExportFormat, pairs: Iterable[PromptResponsePair], path: str, outputs: OutputSet, sidecar: BinaryIO
) -> Written:
    """Write pairs in a format, and a line of the sidecar for each. What becomes of the files is up to `outputs`."""
    written = Written()
    if form.write_line is None:
        assert form.write_files is not None
        form.write_files(_noted(pairs, written, sidecar), _opener(form, path, outputs, written))
        return written
    stream = Digesting(outputs.open(path))
    for pair in pairs:
        line = form.write_line(_as_logged(pair))
        stream.write(line)
        _note(pair, blake2b(line.rstrip(b"\n"), digest_size=16).hexdigest(), written, sidecar)
    written.files[""] = (stream.sha256, stream.size_bytes)
    return written


def _noted(
    pairs: Iterable[PromptResponsePair], written: Written, sidecar: BinaryIO
) -> Iterator[PromptResponsePair]:
    for pair in pairs:
        plain = _as_logged(pair)
        texts = [plain.system, plain.messages, plain.response, plain.response_blocks, plain.reasoning]
        digest = blake2b(encode_json(texts), digest_size=16).hexdigest()
        _note(pair, digest, written, sidecar)
        yield plain


def _as_logged(pair: PromptResponsePair) -> PromptResponsePair:
    """The pair with the address of its log object alone."""
    uri, turn = origin_of(pair.source_uri)
    return pair if turn is None else msgspec.structs.replace(pair, source_uri=uri)


def _note(pair: PromptResponsePair, line_hash: str, written: Written, sidecar: BinaryIO) -> None:
    uri, turn = origin_of(pair.source_uri)
    written.lines += 1
    line = PairLine(
        written.lines, pair.request_id, uri, pair.source_position, pair.prompt_hash, pair.pair_hash, line_hash, turn
    )  # fmt: skip
    sidecar.write(encode_json(line) + b"\n")
    written.request_ids.append(pair.request_id or "")
    written.input_tokens += pair.input_tokens or 0
    written.output_tokens += pair.output_tokens or 0
    written.uncounted += pair.input_tokens is None or pair.output_tokens is None


def _opener(form: ExportFormat, path: str, outputs: OutputSet, written: Written) -> OpenFile:
    open_in_folder = outputs.open_folder(path) if form.ending == "/" else None

    @contextlib.contextmanager
    def open_file(name: str) -> Iterator[BinaryIO]:
        if open_in_folder is None:
            assert name == "", "a file has no files in it"
            stream = Digesting(outputs.open(path))
            yield cast(BinaryIO, stream)
        else:
            with open_in_folder(name) as opened:
                stream = Digesting(opened)
                yield cast(BinaryIO, stream)
        written.files[name] = (stream.sha256, stream.size_bytes)

    return open_file
