"""The stages joined into the few calls that scripts and the command line share.

Each call takes a store (a path) and, where it asks a question, the options of a selection by the names of the
flags: `filter="project=CustomerService"`, `since="7d"`, `teacher="meta.llama3-1-405b"`.
"""

from __future__ import annotations

from logminer.pipeline.datasets import (
    check_export_path,
    convert,
    dataset_manifest,
    diff_datasets,
    explain_export,
    export,
    validate,
    verify_dataset,
)
from logminer.pipeline.ingesting import (
    IngestOptions,
    ingest,
    plan_ingest,
)
from logminer.pipeline.options import (
    ExportOptions,
    SelectionOptions,
    make_selection,
    open_view,
)
from logminer.pipeline.questions import (
    count,
    explain,
    keys,
    plain_record,
    select,
    stats,
)
from logminer.pipeline.stores import (
    QuarantinedEntry,
    StoreInfo,
    compact,
    expire,
    forget,
    quarantine,
    store_ddl,
    store_history,
    store_info,
    vacuum,
)

__all__ = [
    "ExportOptions",
    "IngestOptions",
    "QuarantinedEntry",
    "SelectionOptions",
    "StoreInfo",
    "check_export_path",
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
    "make_selection",
    "open_view",
    "plain_record",
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
