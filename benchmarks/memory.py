"""The memory of a process and of all that it started, added up while they run."""

from __future__ import annotations

import resource
import threading
from pathlib import Path
from types import TracebackType

_PROC = Path("/proc")
_INTERVAL_SECONDS = 0.02


def can_be_seen() -> bool:
    """Whether this system tells of other processes' memory."""
    return (_PROC / "self" / "smaps_rollup").exists()


class TreeMemory:
    """Looks every 20 ms at a process and its descendants; `peak_bytes` is the most that they held together.

    Pages that processes share count once (PSS). Looking takes time from them, so nothing is timed meanwhile.
    """

    def __init__(self, pid: int) -> None:
        self.peak_bytes = 0
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> TreeMemory:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_INTERVAL_SECONDS):
            self.peak_bytes = max(self.peak_bytes, sum(map(_pss_bytes, _tree(self._pid))))


def _tree(pid: int) -> list[int]:
    """A process and its descendants."""
    found, waiting = [], [pid]
    while waiting:
        each = waiting.pop()
        found.append(each)
        try:
            for thread in (_PROC / str(each) / "task").iterdir():
                waiting += map(int, (thread / "children").read_text().split())
        except OSError:  # it ended
            continue
    return found


def _pss_bytes(pid: int) -> int:
    try:
        text = (_PROC / str(pid) / "smaps_rollup").read_text()
    except OSError:
        return 0
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def own_peak_bytes() -> int:
    """The most memory that this process held.

    Linux's resource usage also counts what the process was a copy of before its program began, `VmHWM` does not.
    """
    try:
        text = (_PROC / "self" / "status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS tells bytes
    (line,) = (line for line in text.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
