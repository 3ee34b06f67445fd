"""The spec files that a shift's globs name, now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from thirdshift.core.errors import BadInput


def spec_files(root: Path, patterns: Sequence[str]) -> tuple[Path, ...]:
    """The files below ``root`` that any glob matches, each once, sorted. Raises BadInput for a bad glob."""
    found: set[Path] = set()
    for pattern in patterns:
        try:
            found |= {path for path in root.glob(pattern) if path.is_file()}
        except (ValueError, NotImplementedError) as error:
            raise BadInput(f"glob `{pattern}` cannot be used: {error}") from None
    return tuple(sorted(found))
