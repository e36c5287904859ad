"""What the TOML files of users have in common: a setting that nobody knows is a mistake, and often a slip."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from logminer.errors import LogminerError


def refuse_unknown(
    table: Mapping[str, Any], known: Collection[str], prefix: str, where: str, error: type[LogminerError]
) -> None:
    """Raise `error` for a setting of `table` that is not known, with the near name; `prefix` is the table's own."""
    for name in table:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise error(
                f"there is no setting {prefix + name!r}",
                where=where,
                fix=f"Did you mean {prefix + near[0]!r}?" if near else f"Known are: {', '.join(known)}.",
            )
