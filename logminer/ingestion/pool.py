"""Workers in processes of their own, spoken to in messages over pipes.

They are started anew, not by forking: deltalake and pyarrow do not survive a fork, and a caller's script needs
no `if __name__ == "__main__"`. They are in a session of their own, so that Ctrl-C reaches the driver alone; when
their pipe ends they delete what nobody has asked for and end, so a killed driver leaves none behind.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import queue
import selectors
import signal
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import BinaryIO, NoReturn, cast

import msgspec

from logminer.errors import ConfigurationError, LogminerError, StorageError
from logminer.ingestion.text_scope import TextScope
from logminer.ingestion.worker import Harvest, IngestWorker, Tally
from logminer.model import IngestRun
from logminer.s3.encryption import Encryption, encrypt_writes
from logminer.source_rules import SourceRule
from logminer.sources.objects import LogObject
from logminer.store.storage import open_storage, storage_error

_LENGTH = struct.Struct("<Q")
# No message comes near it; a longer one is no message.
_MAX_FRAME_BYTES = 256 << 20
_END_SECONDS = 5
# A worker finds the modules that its driver finds, and no others that happen to lie in the current folder.
WORKER_PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from logminer.ingestion.pool import main; main()"


class Start(msgspec.Struct, tag=True, frozen=True):
    """The first message to a worker."""

    store: str
    run: IngestRun
    rules: list[SourceRule] = []
    text_scope: TextScope | None = None
    encryption: Encryption | None = None


class Read(msgspec.Struct, tag=True, frozen=True):
    """Read these objects, with the encoded metadata fields that the table has; answered by `Done`."""

    logs: list[LogObject]
    metadata_fields: list[str]


class HandOver(msgspec.Struct, tag=True, frozen=True):
    """Finish all files; answered by `Handed`."""


class Done(msgspec.Struct, tag=True, frozen=True):
    """Objects were read."""

    tally: Tally


class Handed(msgspec.Struct, tag=True, frozen=True):
    """What a worker wrote since it was last asked."""

    harvest: Harvest


class Broken(msgspec.Struct, tag=True, frozen=True):
    """A worker cannot go on. `exit_code` is that of its error; `trace` shows a fault of logminer's own."""

    problem: str = ""
    where: str = ""
    fix: str = ""
    exit_code: int = StorageError.exit_code
    trace: str = ""


Request = Start | Read | HandOver
Answer = Done | Handed | Broken

_encode = msgspec.msgpack.Encoder().encode
_decode_request: Callable[[bytes], Request] = msgspec.msgpack.Decoder(Request).decode
_decode_answer: Callable[[bytes], Answer] = msgspec.msgpack.Decoder(Answer).decode


def _send(stream: BinaryIO, message: Request | Answer) -> None:
    frame = _encode(message)
    stream.write(_LENGTH.pack(len(frame)) + frame)
    stream.flush()


class _BadFrame(Exception):  # noqa: N818 - control flow
    """What came is no message."""


def _receive(stream: BinaryIO) -> bytes | None:
    """The next frame; None where the other side is gone."""
    head = _read_exactly(stream, _LENGTH.size)
    if head is None:
        return None
    size = _LENGTH.unpack(head)[0]
    if size > _MAX_FRAME_BYTES:
        raise _BadFrame
    return _read_exactly(stream, size)


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
    """The driver's end of one worker. Raises StorageError where it cannot be started."""

    def __init__(self, start: Start, program: str = WORKER_PROGRAM) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter and our own program
                [sys.executable, "-c", program, *sys.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
                bufsize=0,  # an answer that lies in a buffer would not wake the selector
            )
        except OSError as error:
            raise StorageError(
                f"cannot start a worker process: {error.strerror}", fix="Try --workers 1."
            ) from error
        self._input = io.BufferedWriter(cast(io.RawIOBase, self._process.stdin))
        self.output = cast(BinaryIO, self._process.stdout)
        self.waiting = 0  # answers that are still to come
        try:
            self._post(start)
        except BaseException:
            self.close()
            raise

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
        """The next answer. Raises the worker's error; StorageError where it is gone."""
        try:
            frame = _receive(self.output)
            if frame is None:
                raise self._gone()
            answer = _decode_answer(frame)
        except (_BadFrame, msgspec.DecodeError) as error:
            raise StorageError(
                "a worker process sent what is no message", fix="Run again; what was committed stays."
            ) from error
        self.waiting -= 1
        if isinstance(answer, Broken):
            _raise_broken(answer)
        return answer

    def _gone(self) -> StorageError:
        code = self._end()
        how = f"exit code {code}" if code >= 0 else f"killed by signal {-code}"
        return StorageError(
            f"a worker process ended unexpectedly ({how})",
            fix="Run again: what was committed stays, the rest is read anew. Out of memory? Try --workers 1.",
        )

    def dismiss(self) -> None:
        """Tell the worker to end; what it has not handed over is for nobody."""
        with contextlib.suppress(OSError, ValueError):
            self._input.close()

    def close(self) -> None:
        """Wait for the worker's end, or bring it about."""
        self.dismiss()
        self._end()
        self.output.close()

    def _end(self) -> int:
        try:
            return self._process.wait(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def _raise_broken(answer: Broken) -> NoReturn:
    if answer.trace:
        raise RuntimeError(f"a worker failed:\n{answer.trace}")
    kind = ConfigurationError if answer.exit_code == ConfigurationError.exit_code else StorageError
    raise kind(answer.problem, where=answer.where, fix=answer.fix)


def answers(workers: Sequence[WorkerProcess]) -> Iterator[tuple[WorkerProcess, Done | Handed]]:
    """Answers of all workers as they come, until none is waited for."""
    with selectors.DefaultSelector() as selector:
        for worker in workers:
            selector.register(worker.output, selectors.EVENT_READ, worker)
        while any(worker.waiting for worker in workers):
            for key, _ in selector.select():
                yield key.data, key.data.answer()


class _Inbox:
    """Requests as they come, taken from the pipe at once, so that the driver never waits to send one.

    When the pipe ends, SIGTERM ends the main thread's work, whatever it is at.
    """

    def __init__(self, stream: io.FileIO) -> None:
        self._stream = cast(BinaryIO, stream)
        self._frames: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._fill, daemon=True).start()

    def _fill(self) -> None:
        with contextlib.suppress(_BadFrame):
            while (frame := _receive(self._stream)) is not None:
                self._frames.put(frame)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    def next(self) -> Request:
        """The next request."""
        return _decode_request(self._frames.get())


def _end_once(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit


def main() -> None:
    """Serve one driver until it closes the pipe."""
    signal.signal(signal.SIGTERM, _end_once)
    # What some library prints must not get between the frames.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    worker: IngestWorker | None = None
    try:
        inbox = _Inbox(io.FileIO(0, closefd=False))
        start = inbox.next()
        assert isinstance(start, Start)
        encrypt_writes(start.encryption)
        worker = IngestWorker(open_storage(start.store), start.run, start.rules, start.text_scope)
        _serve_all(worker, inbox, replies)
    except (SystemExit, BrokenPipeError):
        pass
    finally:
        if worker is not None:
            with contextlib.suppress(LogminerError):
                worker.abandon()
    # An orderly end would wait for the thread that reads.
    os._exit(0)


def _serve_all(worker: IngestWorker, inbox: _Inbox, replies: BinaryIO) -> NoReturn:
    # Rows wait in lists by the ten thousand and hold no cycles: looking through them again and again is waste.
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)
    while True:
        answer = _answer(worker, inbox.next())
        _send(replies, answer)
        if isinstance(answer, Broken):
            worker.abandon()


def _answer(worker: IngestWorker, request: Request) -> Answer:
    try:
        return _serve(worker, request)
    except LogminerError as error:
        return Broken(error.problem, error.where, error.fix, error.exit_code)
    except OSError as error:
        found = storage_error(error, str(error.filename or ""))
        return Broken(f"cannot read: {found.problem}", found.where, found.fix, found.exit_code)
    except Exception:  # noqa: BLE001 - a bug's whole trace goes to the driver, which shows it
        return Broken(trace=traceback.format_exc())


def _serve(worker: IngestWorker, request: Request) -> Answer:
    if isinstance(request, Read):
        return Done(worker.read(request.logs, request.metadata_fields))
    assert isinstance(request, HandOver)
    return Handed(worker.harvest())
