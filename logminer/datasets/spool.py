"""Pairs on disk: stages go through them as often as they like, while memory holds a few numbers for each."""

from __future__ import annotations

import os
import uuid
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TypeVar

import msgspec

from logminer.errors import StorageError
from logminer.pairs import PromptResponsePair
from logminer.store.storage import storage_error

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(PromptResponsePair).decode
_BUFFER_BYTES = 1 << 20
_T = TypeVar("_T")


class Spool:
    """A file of pairs in their order, each with a place: its number, from 0 on.

    It holds prompts, so `folder` has to be one that its owner alone can read, and goes with it. About 250 bytes of
    memory for each pair: where it begins, and its key.
    """

    def __init__(self, folder: str, pairs: Iterable[PromptResponsePair]) -> None:
        """Write all pairs. Raises StorageError where there is no room, ValueError where two have one key."""
        self._path = os.path.join(folder, f"{uuid.uuid4().hex}.pairs")
        self._begins = array("Q", [0])
        self._places: dict[tuple[str, int], int] = {}
        # Names of log objects repeat, and each decoded pair would bring its own.
        uris: dict[str, str] = {}
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb", _BUFFER_BYTES) as stream:
                for place, pair in enumerate(pairs):
                    content = _encode(pair)
                    stream.write(content)
                    self._begins.append(self._begins[-1] + len(content))
                    uri = uris.setdefault(pair.source_uri, pair.source_uri)
                    if self._places.setdefault((uri, pair.source_position), place) != place:
                        raise ValueError(f"two pairs have the key of place {place}")
        except OSError as error:
            raise _no_room(error, folder) from error

    def __len__(self) -> int:
        return len(self._begins) - 1

    def place_of(self, key: tuple[str, int]) -> int:
        """The place of the pair with this key."""
        return self._places[key]

    def read(self, places: Iterable[int]) -> Iterator[PromptResponsePair]:
        """The pairs of these places. Several iterators do not disturb each other."""
        begins = self._begins
        with open(self._path, "rb", _BUFFER_BYTES) as stream:
            at = 0
            for place in places:
                begin, end = begins[place], begins[place + 1]
                if begin != at:
                    stream.seek(begin)
                yield _decode(stream.read(end - begin))
                at = end

    def delete(self) -> None:
        """Remove the file; nothing can be read any more."""
        os.unlink(self._path)


def _no_room(error: OSError, folder: str) -> StorageError:
    found = storage_error(error, folder)
    return StorageError(found.problem, where=folder, fix="Point TMPDIR to a larger disk, and run again.")


class PairSet:
    """Some pairs of a spool, in its order. Stages make new ones of it."""

    def __init__(self, spool: Spool, places: array[int] | None = None) -> None:
        self.spool = spool
        self.places: array[int] = places if places is not None else array("I", range(len(spool)))

    def __len__(self) -> int:
        return len(self.places)

    def __iter__(self) -> Iterator[PromptResponsePair]:
        return self.spool.read(self.places)

    def numbered(self) -> Iterator[tuple[int, PromptResponsePair]]:
        """The pairs with their places."""
        return zip(self.places, self, strict=True)

    def without(self, places: Collection[int]) -> PairSet:
        """The others."""
        return PairSet(self.spool, array("I", (place for place in self.places if place not in places)))

    def only(self, places: Collection[int]) -> PairSet:
        """Those that are among `places`."""
        return PairSet(self.spool, array("I", (place for place in self.places if place in places)))

    def each(self, look: Callable[[PromptResponsePair], _T]) -> list[_T]:
        """What `look` gives for each pair, in their order."""
        return [look(pair) for pair in self]
