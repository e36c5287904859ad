"""Amazon Bedrock model invocation logs into training sets for model distillation.

    import logminer

    logminer.ingest("logs/", store="logminer-store")
    print(logminer.stats("logminer-store", teacher="meta.llama3-1-405b").models[0].distinct_pairs)
    for record in logminer.select("logminer-store", filter="project=CustomerService AND priority=High"):
        print(record["request_id"], record["response"])
    logminer.export("train.jsonl", "logminer-store", filter="project=CustomerService")

Every command of the command line is one of these calls. Errors are `logminer.LogminerError` and its kinds.
Importing this package loads nothing heavy; the first call does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logminer.errors import (
    CheckFailed,
    ConfigurationError,
    LogminerError,
    StorageError,
    TooManyQuarantined,
    UsageError,
)

if TYPE_CHECKING:
    from logminer.filters import FilterError, parse_filter
    from logminer.pipeline import (
        compact,
        convert,
        count,
        dataset_manifest,
        diff_datasets,
        expire,
        explain,
        explain_export,
        export,
        forget,
        ingest,
        keys,
        plan_ingest,
        quarantine,
        select,
        stats,
        store_ddl,
        store_history,
        store_info,
        vacuum,
        validate,
        verify_dataset,
    )

__all__ = [
    "CheckFailed",
    "ConfigurationError",
    "FilterError",
    "LogminerError",
    "StorageError",
    "TooManyQuarantined",
    "UsageError",
    "compact",
    "convert",
    "count",
    "dataset_manifest",
    "diff_datasets",
    "expire",
    "explain",
    "explain_export",
    "export",
    "forget",
    "ingest",
    "keys",
    "parse_filter",
    "plan_ingest",
    "quarantine",
    "select",
    "stats",
    "store_ddl",
    "store_history",
    "store_info",
    "vacuum",
    "validate",
    "verify_dataset",
]

_FROM_FILTERS = frozenset({"FilterError", "parse_filter"})


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'logminer' has no attribute {name!r}")
    import importlib

    module = "logminer.filters" if name in _FROM_FILTERS else "logminer.pipeline"
    return getattr(importlib.import_module(module), name)
