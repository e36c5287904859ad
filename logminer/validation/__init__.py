r"""Checks datasets against the rules of those who read them: Bedrock's distillation, AWS's own script.

report = validate_file("out.jsonl", resolve_profile("distillation", teacher="amazon.nova-pro-v1:0"))
print(*report_lines(report), sep="\n")
"""

from logminer.validation.checking import check_line, validate_file, validate_stream
from logminer.validation.profile import Profile
from logminer.validation.profiles import all_profiles, profile_names, resolve_profile
from logminer.validation.rendering import report_lines
from logminer.validation.report import Fault, Report, Severity
from logminer.validation.rules import RULES, Rule

__all__ = [
    "RULES",
    "Fault",
    "Profile",
    "Report",
    "Rule",
    "Severity",
    "all_profiles",
    "check_line",
    "profile_names",
    "report_lines",
    "resolve_profile",
    "validate_file",
    "validate_stream",
]
