"""What a shift would find tonight, were it tonight: said when the shift is made, not in the morning."""

from __future__ import annotations

from pathlib import Path

from thirdshift.core.errors import SpecInvalid
from thirdshift.core.frozen import Frozen
from thirdshift.core.shifts import ShiftPlan
from thirdshift.core.words import counted

_SHOWN = 10


class SpecsNow(Frozen):
    """The files that a shift's globs name now."""

    found: int
    refused: dict[str, str]
    """Path to what ``thirdshift check`` says of it."""

    def remarks(self, plan: ShiftPlan) -> list[str]:
        """What a person should know; empty where every file is a good spec."""
        if not self.found:
            return [no_spec_words(plan)]
        if not self.refused:
            return []
        head = f"{len(self.refused)} of {counted(self.found, 'file')} will be refused; see `thirdshift check`:"
        shown = [f"  {words.splitlines()[0]}" for words in list(self.refused.values())[:_SHOWN]]
        more = len(self.refused) - _SHOWN
        return [head, *shown, *([f"  and {more} more"] if more > 0 else [])]


def no_spec_words(plan: ShiftPlan) -> str:
    """That there is nothing to do, and where it was looked for."""
    return f"no file below {plan.root} matches {', '.join(plan.specs)}"


def specs_now(plan: ShiftPlan) -> SpecsNow:
    """Look, and check each. Raises BadInput for a glob that cannot be used."""
    from thirdshift.adapters.spec_file import read_spec
    from thirdshift.adapters.spec_globs import spec_files

    refused = {}
    paths = spec_files(Path(plan.root), plan.specs)
    for path in paths:
        try:
            read_spec(path)
        except SpecInvalid as error:
            refused[str(path)] = str(error)
    return SpecsNow(found=len(paths), refused=refused)
