"""Whether the model that answered is the one that was asked."""

from __future__ import annotations

import re

# Vendors date their snapshots as 2024-08-06, 20250514 or 0613, after a dash or an at sign.
_SNAPSHOT = re.compile(r"[-@](?:\d{4}-\d{2}-\d{2}|\d{8}|\d{4})(?:-v\d+(?::\d+)?)?")
# Moving names that stand for "whatever snapshot is current".
_MOVING = re.compile(r"-(?:latest|0)$")


def same_model(asked: str, served: str) -> bool:
    """Whether ``served`` is ``asked``, or a dated snapshot of it. A vendor that does not say is believed.

    ``same_model("gpt-4o", "gpt-4o-2024-08-06")`` is true; the reverse is not, as no one knows which snapshot an
    undated name stands for. Case and a leading ``models/`` make no difference. A router's variant suffix, as in
    ``vendor/model:free``, may be left out of the answer.
    """
    wanted, got = _plain(asked), _plain(served)
    if not got or got == wanted:
        return True
    names = {wanted, wanted.partition(":")[0], _MOVING.sub("", wanted)}
    return any(got == name or _is_snapshot(name, got) for name in names)


def _plain(name: str) -> str:
    return name.strip().lower().removeprefix("models/")


def _is_snapshot(name: str, served: str) -> bool:
    return served.startswith(name) and _SNAPSHOT.fullmatch(served[len(name) :]) is not None
