"""Hold-outs that are none: files that the repository has as well, where every agent can read them."""

from __future__ import annotations

import base64

from activities.context import holdout_of
from activities.refusing import refusal
from activities.services import Services
from thirdshift.core.history import StopReason
from thirdshift.core.ledger import JobRow
from thirdshift.core.text import one_line
from thirdshift.core.words import listed

TRIVIAL_BYTES = 16
"""An ``__init__.py`` with nothing in it gives nothing away."""


def refuse_known_holdout(services: Services, job: JobRow, tree: str) -> None:
    """Raise a ``spec_invalid`` refusal if a held-out file's content is anywhere in the tree. Blocking."""
    contents = [base64.b64decode(content) for content in holdout_of(services, job).holdout.values()]
    telling = [content for content in contents if len(content.strip()) > TRIVIAL_BYTES]
    found = services.hub.paths_holding(tree, telling) if telling else ()
    if found:
        shown = listed([one_line(path, 100) for path in found])
        raise refusal(
            StopReason.SPEC_INVALID,
            f"The repository itself has held-out files at base, so the agent could read them: {shown}. "
            "Keep them outside it: take them out of the repository, or name another directory with `holdout_dir`.",
        )
