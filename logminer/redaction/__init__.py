"""Redaction: personal data and credentials leave the texts of a pair before the pair leaves the store.

redactor = Redactor(mode="surrogate", salt=salt)
report = RedactionReport()
for pair in redactor.redact_all(pairs, report): ...
"""

from logminer.redaction.detector import Detector
from logminer.redaction.named_entities import DEFAULT_MODEL, ENTITY_ABOUT, ENTITY_KINDS, spacy_version
from logminer.redaction.redactor import Redactor, built_in_detectors, check_kinds, redaction_kinds
from logminer.redaction.replacing import MODES, Mode
from logminer.redaction.report import RedactionReport

__all__ = [
    "DEFAULT_MODEL",
    "ENTITY_ABOUT",
    "ENTITY_KINDS",
    "MODES",
    "Detector",
    "Mode",
    "RedactionReport",
    "Redactor",
    "built_in_detectors",
    "check_kinds",
    "redaction_kinds",
    "spacy_version",
]
