"""The secrets file: ``NAME=value`` lines, readable by its owner alone."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from thirdshift.core.errors import SettingsInvalid

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


def read_secrets(path: Path) -> dict[str, str]:
    """Names and values of the file; nothing if there is none.

    Raises SettingsInvalid, never quoting a value, if others may read the file or a line is no ``NAME=value``.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise SettingsInvalid(
                f"{path}: mode {mode:03o} lets others read the keys in it; make it private: chmod 600 {path}"
            )
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{path}: cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None
    secrets: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        match = _LINE.fullmatch(bare)
        if match is None:
            raise SettingsInvalid(f"{path}:{number}: not a NAME=value line")
        secrets[match[1]] = _unquoted(match[2].strip())
    return secrets


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value
