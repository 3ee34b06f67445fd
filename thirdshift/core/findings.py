"""What is wrong with a file that a person wrote: every finding, each with its line, in the order of the lines."""

from __future__ import annotations

from difflib import get_close_matches

from thirdshift.core.text import one_line

_MOST_SHOWN = 50


class Findings:
    """Collects findings; nothing is raised before all of them are known."""

    def __init__(self) -> None:
        self._found: list[tuple[int, str]] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, line: int, message: str) -> None:
        """Note what is wrong on a line (from 1), with the remedy. The same one twice is one."""
        if (line, message) not in self._found[-_MOST_SHOWN:]:
            self._found.append((line, message))

    def report(self, path: str) -> str:
        """One line for each finding: ``path:line: message``; the first fifty, then how many more there are."""
        ordered = sorted(self._found, key=lambda finding: finding[0])
        shown = [f"{one_line(path, 200)}:{line}: {message}" for line, message in ordered[:_MOST_SHOWN]]
        if len(ordered) > _MOST_SHOWN:
            shown.append(f"{one_line(path, 200)}: and {len(ordered) - _MOST_SHOWN} more findings")
        return "\n".join(shown)


def closest(name: str, known: list[str]) -> str | None:
    """The known name that was probably meant; None where nothing is close."""
    if len(name) > 60:
        return None
    lowered = {candidate.casefold(): candidate for candidate in known}
    folded = name.casefold().replace("_", "-")
    for spelling in (name.casefold(), folded, folded.replace("-", "_")):
        if spelling in lowered:
            return lowered[spelling]
    close = get_close_matches(name.casefold(), list(lowered), n=1, cutoff=0.6)
    return lowered[close[0]] if close else None
