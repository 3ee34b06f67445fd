"""Builds the sandbox that the configuration names."""

from __future__ import annotations

from thirdshift.adapters.sandbox.bubblewrap import Bubblewrap
from thirdshift.adapters.sandbox.container import DEFAULT_IMAGE, Container
from thirdshift.adapters.sandbox.unconfined import Unconfined
from thirdshift.core.errors import SandboxUnavailable
from thirdshift.core.ports import Sandbox

BACKENDS = ("bubblewrap", "container", "none")


def build_sandbox(backend: str, *, read_only: tuple[str, ...] = (), image: str = DEFAULT_IMAGE) -> Sandbox:
    """Return the sandbox ``backend``. Never falls back from one to another.

    ``read_only`` are directories of tools that bubblewrap shows beside /usr; ``image`` is the container's. Raises
    SandboxUnavailable with the remedy.
    """
    if backend == "bubblewrap":
        return Bubblewrap(read_only=read_only)
    if backend == "container":
        return Container(image=image)
    if backend == "none":
        return Unconfined()
    raise SandboxUnavailable(f"There is no sandbox backend {backend!r}; write one of: {', '.join(BACKENDS)}.")
