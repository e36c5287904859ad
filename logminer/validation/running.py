"""One dataset from wherever it lies: checked, or mended and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from logminer.errors import CheckFailed, UsageError
from logminer.outputs import check_output, open_output
from logminer.printable import printable
from logminer.source_rules import SourceRule
from logminer.validation.checking import Allowance, Check, validate_stream
from logminer.validation.mending import Mender
from logminer.validation.opening import open_any
from logminer.validation.profile import Profile
from logminer.validation.report import Report


def validate_source(
    path: str, profile: Profile, allowance: Allowance, rules: Sequence[SourceRule] = ()
) -> Report:
    """Check a file, an S3 object, or standard input (`-`). `rules` say how S3 is reached.

    Raises UsageError, ConfigurationError or StorageError for what can't be read.
    """
    with open_any(path, rules) as stream:
        return validate_stream(stream, path, profile, allowance)


def fix_source(
    path: str, output: str, profile: Profile, allowance: Allowance, rules: Sequence[SourceRule] = ()
) -> Report:
    """Write what can be mended of a dataset to `output`, whole or not at all; the report is about `output`.

    `output` may be `path` itself, which is then replaced. Raises CheckFailed where the dataset can't be read to its
    end, UsageError, ConfigurationError or StorageError.
    """
    destination = check_output(output)
    if not output.endswith(".jsonl"):
        raise UsageError("does not end in .jsonl", where=f"-o {output}", fix="Give it such a name.")
    check = Check(profile, allowance)
    with open_any(path, rules) as stream, open_output(destination) as out:
        mender = Mender(profile, out)
        if not check.read(stream, path, mender):
            raise CheckFailed(
                check.report(path).faults[0].message + ", so nothing is written",
                where=printable(path),
                fix="Make or copy the file again.",
            )
    check.end(complete=True)
    return replace(check.report(output), mends=mender.mends())
