"""The process that `harness.Asked` starts: opens something, and answers one question each time that it is asked."""

from __future__ import annotations

import importlib
import json
import sys
import time
from contextlib import AbstractContextManager
from typing import Any, cast

from benchmarks.memory import own_peak_bytes


def main(program: str, arguments: str) -> None:
    """Answer with a JSON object for each line of standard input, until its end."""
    module, function = program.split(":")
    opened = getattr(importlib.import_module(module), function)(**json.loads(arguments))
    with cast(AbstractContextManager[Any], opened) as ask:
        for _ in sys.stdin:
            start = time.perf_counter()
            answer = ask()
            seconds = time.perf_counter() - start
            told = {"seconds": seconds, "answer": answer, "peak_bytes": own_peak_bytes()}
            print(json.dumps(told, default=str), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
