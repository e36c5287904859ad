"""Workers in processes of their own, spoken to in messages over pipes.

They are started as `python -m logminer.ingest.pool`, not by forking: deltalake and pyarrow do not survive a
fork, and a caller's script needs no `if __name__ == "__main__"`. They are in a session of their own, so that
Ctrl-C reaches the driver alone; they end when their pipe does, so a killed driver leaves none behind.
"""

from __future__ import annotations

import contextlib
import gc
import io
import selectors
import struct
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from typing import BinaryIO, cast

import msgspec

from logminer.errors import LogminerError, StorageError
from logminer.ingest.worker import Harvest, IngestWorker, Tally
from logminer.model import IngestRun
from logminer.sources import LogObject
from logminer.store.storage import open_storage

_LENGTH = struct.Struct("<Q")


class Start(msgspec.Struct, tag=True, frozen=True):
    """The first message to a worker."""

    store: str
    run: IngestRun
    metadata_fields: list[str]


class Read(msgspec.Struct, tag=True, frozen=True):
    """Read these objects; answered by `Done`."""

    logs: list[LogObject]


class HandOver(msgspec.Struct, tag=True, frozen=True):
    """Finish all files; answered by `Handed`. New files may have `metadata_fields`."""


class Done(msgspec.Struct, tag=True, frozen=True):
    """Objects were read."""

    tally: Tally


class Handed(msgspec.Struct, tag=True, frozen=True):
    """What a worker wrote since it was last asked."""

    harvest: Harvest


class Broken(msgspec.Struct, tag=True, frozen=True):
    """A worker cannot go on. `trace` is there where it is a fault of logminer's own."""

    problem: str
    where: str
    fix: str
    trace: str


Request = Start | Read | HandOver
Answer = Done | Handed | Broken

_encode = msgspec.msgpack.Encoder().encode
_decode_request = msgspec.msgpack.Decoder(Request).decode
_decode_answer = msgspec.msgpack.Decoder(Answer).decode


def _send(stream: BinaryIO, message: Request | Answer) -> None:
    frame = _encode(message)
    stream.write(_LENGTH.pack(len(frame)) + frame)
    stream.flush()


def _receive(stream: BinaryIO) -> bytes | None:
    """The next frame; None where the other side is gone."""
    head = _read_exactly(stream, _LENGTH.size)
    return _read_exactly(stream, _LENGTH.unpack(head)[0]) if head is not None else None


def _read_exactly(stream: BinaryIO, size: int) -> bytes | None:
    pieces: list[bytes] = []
    while size:
        piece = stream.read(size)
        if not piece:
            return None
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


class WorkerProcess:
    """The driver's end of one worker."""

    def __init__(self, start: Start) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "logminer.ingest.pool"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,  # an answer that lies in a buffer would not wake the selector
        )
        self._input = io.BufferedWriter(cast(io.RawIOBase, self._process.stdin))
        self.output = cast(BinaryIO, self._process.stdout)
        self.waiting = 0  # answers that are still to come
        self._post(start)

    def ask(self, request: Read | HandOver) -> None:
        """Send a request. Raises StorageError where the worker is gone."""
        self._post(request)
        self.waiting += 1

    def _post(self, request: Request) -> None:
        try:
            _send(self._input, request)
        except BrokenPipeError as error:
            raise self._gone() from error

    def answer(self) -> Done | Handed:
        """The next answer. Raises StorageError where the worker is gone or cannot go on."""
        frame = _receive(self.output)
        if frame is None:
            raise self._gone()
        answer = _decode_answer(frame)
        self.waiting -= 1
        if isinstance(answer, Broken):
            if answer.trace:
                raise RuntimeError(f"a worker failed:\n{answer.trace}")
            raise StorageError(answer.problem, where=answer.where, fix=answer.fix)
        return answer

    def _gone(self) -> StorageError:
        code = self._process.wait()
        return StorageError(
            f"a worker process ended unexpectedly (exit code {code})",
            fix="Run again: what was committed stays, the rest is read anew. Out of memory? Try --workers 1.",
        )

    def close(self) -> None:
        """End the worker."""
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._input.close()
        self._process.kill()
        self._process.wait()
        self.output.close()


def answers(workers: Sequence[WorkerProcess]) -> Iterator[tuple[WorkerProcess, Done | Handed]]:
    """Answers of all workers as they come, until none is waited for."""
    with selectors.DefaultSelector() as selector:
        for worker in workers:
            selector.register(worker.output, selectors.EVENT_READ, worker)
        while any(worker.waiting for worker in workers):
            for key, _ in selector.select():
                yield key.data, key.data.answer()


def main() -> None:
    """Serve one driver until it closes the pipe."""
    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    frame = _receive(requests)
    if frame is None:
        return
    start = _decode_request(frame)
    assert isinstance(start, Start)
    worker = IngestWorker(open_storage(start.store), start.run, start.metadata_fields)
    # Rows wait in lists by the ten thousand and hold no cycles: looking through them again and again is waste.
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)
    while (frame := _receive(requests)) is not None:
        try:
            answer = _serve(worker, _decode_request(frame))
        except LogminerError as error:
            answer = Broken(error.problem, error.where, error.fix, "")
        except OSError as error:
            answer = Broken(f"cannot read: {error.strerror}", str(error.filename or ""), "Run again.", "")
        except Exception:  # noqa: BLE001 - a bug's whole trace goes to the driver, which shows it
            answer = Broken("", "", "", traceback.format_exc())
        _send(replies, answer)
        if isinstance(answer, Broken):
            worker.abandon()


def _serve(worker: IngestWorker, request: Request) -> Answer:
    if isinstance(request, Read):
        return Done(worker.read(request.logs))
    assert isinstance(request, HandOver)
    return Handed(worker.harvest())


if __name__ == "__main__":
    main()
