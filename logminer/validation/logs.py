"""What a distillation job would find in log objects: `--profile invocation-logs`.

A job that is given logs drops what it cannot use and says nothing of it, and needs 100 pairs of what is left. So a
record that is no pair is a warning here, and too few pairs are an error. Whether the service follows the paths of
offloaded bodies, reads streamed answers or takes several turns is not documented; here a body counts as missing
where the record does not have it, and several turns are for Amazon Nova alone.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/prequisites-model-distillation.html
"""

from __future__ import annotations

import functools
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO, Final

from logminer.conversations import Conversation, conversation_of, record_decoder
from logminer.errors import LogminerError, StorageError
from logminer.framing import Quarantined, ReadRecord, read_values
from logminer.model import AnyRecord
from logminer.models import ModelNames, match_teacher
from logminer.printable import counted, printable
from logminer.source_rules import SourceRule
from logminer.sources import Listing, LogObject, SourceReader, list_source, spool_stdin
from logminer.store.quarantine import QUARANTINE_REASONS
from logminer.teachers import MAX_PAIRS, MIN_PAIRS, turn_rule
from logminer.validation.log_script import ScriptCount
from logminer.validation.profiles import INVOCATION_LOGS
from logminer.validation.report import KEPT_FAULTS, FaultLog, Report, Severity
from logminer.validation.rules import Finding

RULE_OF_STATUS: Final = {
    "error": "failed_call",
    "body_missing": "body_elsewhere",
    "not_text_generation": "not_text_in_and_out",
    "unrecognized": "unknown_body",
    "blocked": "unusable_answer",
    "masked": "unusable_answer",
    "incomplete": "unusable_answer",
    "tool_call": "unusable_answer",
    "empty_response": "unusable_answer",
    "media": "not_text_in_and_out",
    "tool_turns": "not_text_in_and_out",
    "bad_turns": "unusable_prompt",
    "truncated": "unusable_answer",
}
_MESSAGES: Final = {
    "error": "the call failed",
    "body_missing": "a body is not in the record",
    "not_text_generation": "the call made no text",
    "unrecognized": "the bodies have no known shape",
    "blocked": "a guardrail, filter or refusal took the place of the answer",
    "masked": "a guardrail masked parts of the texts",
    "incomplete": "the answer has no proper end",
    "tool_call": "the answer calls a tool",
    "empty_response": "the answer has no text",
    "media": "the prompt has an image, document, video or audio",
    "tool_turns": "the prompt has tool calls or results",
    "bad_turns": "the prompt is blank, or does not start with a user turn",
    "truncated": "the answer hit its length limit",
}
_PLACES: Final = {"failed_call": "$.errorCode", "unusable_answer": "$.output", "other_model": "$.modelId"}
LOG_SEVERITIES: Final[Mapping[str, Severity]] = {
    **dict.fromkeys(RULE_OF_STATUS.values(), "warning"),
    **dict.fromkeys(("not_a_record", "several_turns", "other_model", "too_many_lines"), "warning"),
    "too_few_lines": "error",
    "empty_file": "error",
}
_NAMED_MODELS: Final = 5


def validate_logs(
    source: str,
    *,
    teacher: str | None = None,
    aliases: Mapping[str, str] | None = None,
    rules: Sequence[SourceRule] = (),
    allow_few: bool = False,
    keep: int = KEPT_FAULTS,
) -> Report:
    """Look at every record of the log objects of a folder, file, glob, S3 prefix, or standard input (`-`).

    In the report a line is a record, `valid` those that are pairs of the teacher, or of any model without one.
    Raises UsageError, ConfigurationError or StorageError.
    """
    reader = SourceReader(rules)
    severities: Mapping[str, Severity] = (
        {**LOG_SEVERITIES, "too_few_lines": "warning"} if allow_few else LOG_SEVERITIES
    )
    check = _LogCheck(FaultLog(severities, keep), teacher, ModelNames(aliases or {}))
    with tempfile.TemporaryDirectory(prefix="logminer-") as spool:
        if source == "-":
            listing = Listing([spool_stdin(sys.stdin.buffer, spool)])
        else:
            listing = list_source(source, reader=reader)
        for log, stream in reader.open_each(listing.objects):
            if isinstance(stream, LogminerError):
                raise stream
            check.read(log, stream)
    return check.report(source, listing)


class _LogCheck:
    def __init__(self, log: FaultLog, teacher: str | None, names: ModelNames) -> None:
        self._log = log
        self._teacher = teacher
        self._names = names
        self._is_teacher = functools.lru_cache(maxsize=4096)(self._means_teacher)
        self._records = self._prompts = self._offloaded = 0
        self._pairs: Counter[str] = Counter()
        self._script = ScriptCount()

    def _means_teacher(self, model_id: str) -> bool:
        assert self._teacher is not None
        return bool(match_teacher(self._teacher, [model_id], self._names).candidates)

    def read(self, log: LogObject, stream: BinaryIO) -> None:
        """Judge every record of one log object."""
        try:
            with stream:
                for value in read_values(stream, record_decoder()):
                    self._records += 1
                    finding = self._judge(value, log.uri)
                    if finding is not None:
                        self._log.add(value.position + 1, finding, log.uri)
        except OSError as error:
            raise StorageError(f"cannot read: {error.strerror}", where=printable(log.uri)) from error

    def _judge(self, value: ReadRecord | Quarantined, uri: str) -> Finding | None:
        """What keeps a record from being a pair; None where nothing does."""
        if isinstance(value, Quarantined):
            return _no_record(value.reason)
        record = value.decoded.record
        try:
            conversation = conversation_of(record, value.decoded.details)
        except UnicodeDecodeError:
            return _no_record("invalid_utf8")
        except RecursionError:
            return _no_record("too_deep")
        finding = self._finding(record, conversation)
        self._offloaded += _is_offloaded(record)
        self._prompts += conversation.prompt_status == "ok" and not self._has_too_many_turns(
            record, conversation
        )
        if finding is None:
            model = self._names.resolve(record.model_id or "").model or record.model_id
            self._pairs[model or "no model id"] += 1
        self._script.add(value.text, uri, is_pair=finding is None)
        return finding

    def _finding(self, record: AnyRecord, conversation: Conversation) -> Finding | None:
        status = conversation.status
        if status != "pair":
            rule = RULE_OF_STATUS[status]
            return Finding(rule, _PLACES.get(rule, "$.input"), _MESSAGES[status])
        if self._has_too_many_turns(record, conversation):
            return Finding("several_turns", "$.input", f"the prompt has {conversation.turns} user turns")
        if self._teacher is not None and not self._is_teacher(record.model_id or ""):
            return Finding("other_model", "$.modelId", "another model's record")
        return None

    def _has_too_many_turns(self, record: AnyRecord, conversation: Conversation) -> bool:
        if (conversation.turns or 0) <= 1:
            return False
        model = self._teacher or self._names.resolve(record.model_id or "").model or ""
        return turn_rule(model) == "single"

    def report(self, source: str, listing: Listing) -> Report:
        """Everything that was found, and the verdict on the number of pairs."""
        pairs = self._pairs.total()
        if not self._records:
            self._log.add(0, Finding("empty_file", "", "there are no log records"))
        elif pairs < MIN_PAIRS:
            problem = f"{counted(pairs, 'pair')}, at least {MIN_PAIRS} are needed"
            self._log.add(0, Finding("too_few_lines", "", problem))
        if pairs > MAX_PAIRS:
            problem = f"{pairs:,} pairs, a job takes at most {MAX_PAIRS:,}"
            self._log.add(0, Finding("too_many_lines", "", problem, _NARROW))
        return Report(
            path=source,
            profile=INVOCATION_LOGS,
            lines=self._records,
            valid=pairs,
            labelled=pairs,
            size_bytes=sum(log.size_bytes for log in listing.objects),
            errors=self._log.totals["error"],
            warnings=self._log.totals["warning"],
            faults=self._log.faults(),
            counts=dict(sorted(self._log.counts.items())),
            notes=tuple(self._remarks(listing)),
            unit="record",
        )

    def _remarks(self, listing: Listing) -> Iterator[str]:
        yield f"log objects: {len(listing.objects):,}; other files, passed over: {listing.other_files:,}"
        if self._pairs:
            models = [
                f"{printable(model)} {count:,}" for model, count in self._pairs.most_common(_NAMED_MODELS)
            ]
            more = len(self._pairs) - len(models)
            yield f"pairs by model: {', '.join(models)}" + (f", and {more} more" if more else "")
        if self._teacher is None and len(self._pairs) > 1:
            yield "a job that trains on the logged answers takes those of its teacher alone: give --teacher"
        yield f"usable without their answers, whatever model was asked: {counted(self._prompts, 'prompt')}"
        if self._offloaded:
            yield (
                f"bodies in objects of their own: {counted(self._offloaded, 'record')}; whether a job follows these "
                "is not documented, and AWS's own script reads such objects as records"
            )
        yield from self._script.remarks()


_NARROW = "Narrow the job with requestMetadataFilters, or export with --max."


def _no_record(reason: str) -> Finding:
    return Finding("not_a_record", "", f"no log record: {QUARANTINE_REASONS.get(reason, reason)}")


def _is_offloaded(record: AnyRecord) -> bool:
    sent, received = record.input, record.output
    return bool(sent and sent.input_body_s3_path) or bool(received and received.output_body_s3_path)
