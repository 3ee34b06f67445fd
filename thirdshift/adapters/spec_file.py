"""Reading a spec from its file."""

from __future__ import annotations

import re
from pathlib import Path

from thirdshift.core.errors import SpecInvalid
from thirdshift.core.front_matter import MAX_FILE_BYTES
from thirdshift.core.spec import Spec
from thirdshift.core.spec_text import parse_spec


def read_source(path: Path) -> bytes:
    """The file's bytes, one more than allowed at most. Raises SpecInvalid, with the remedy, where it cannot be read."""
    try:
        if not (path.is_file() or path.is_dir() or not path.exists()):
            # A pipe would be read for ever.
            raise SpecInvalid(f"{path}: is no regular file; name a spec file")
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise SpecInvalid(f"{path}: no such file; `thirdshift init` writes a first spec") from None
    except IsADirectoryError:
        raise SpecInvalid(f"{path}: is a directory; name the spec file in it") from None
    except OSError as error:
        raise SpecInvalid(f"{path}: cannot be read: {error.strerror}") from None


def read_spec(path: Path) -> Spec:
    """The checked spec in a file. Raises SpecInvalid for anything that is wrong with the file or the spec."""
    return parse_spec(read_source(path), str(path))


def repository_of(spec: Spec, path: Path) -> str:
    """The repository that the spec in this file names; a relative path counts from the file's own directory."""
    is_url = "://" in spec.repo or re.fullmatch(r"[\w.-]+@[\w.-]+:\S+", spec.repo) is not None
    return spec.repo if is_url else str((path.parent / spec.repo).resolve())
