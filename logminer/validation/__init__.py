r"""Checks datasets against the rules of those who read them: Bedrock's jobs, AWS's own scripts, other trainers.

report = validate_file("out.jsonl", resolve_profile("distillation", teacher="amazon.nova-pro-v1:0"))
print(*report_lines(report), sep="\n")
"""

from logminer.validation.checking import Allowance, check_line, validate_file, validate_stream
from logminer.validation.profile import Bounds, Profile
from logminer.validation.profiles import INVOCATION_LOGS, all_profiles, profile_names, resolve_profile
from logminer.validation.rendering import github_lines, report_lines
from logminer.validation.report import Fault, Report, Severity
from logminer.validation.rules import RULES, Rule

__all__ = [
    "INVOCATION_LOGS",
    "RULES",
    "Allowance",
    "Bounds",
    "Fault",
    "Profile",
    "Report",
    "Rule",
    "Severity",
    "all_profiles",
    "check_line",
    "github_lines",
    "profile_names",
    "report_lines",
    "resolve_profile",
    "validate_file",
    "validate_stream",
]
