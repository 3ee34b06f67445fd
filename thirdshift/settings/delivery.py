"""``[delivery]`` and ``[forges.NAME]``: with which rights a worker pushes, and where it asks for merges."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from thirdshift.core.frozen import Frozen

_URLS: Final = {"github": "https://api.github.com", "gitlab": "https://gitlab.com"}
_SSH: Final = "ssh -oBatchMode=yes"


class DeliverySection(Frozen):
    """``[delivery]``: how git reaches remotes. Git's own configuration of this user is not read."""

    git_config: str = ""
    """A git configuration file for pushes alone: credential helpers, proxies."""
    ssh_command: str = _SSH
    ssh_agent: bool = False
    """Whether ssh may ask the agent that SSH_AUTH_SOCK names."""


class ForgeSection(Frozen):
    """``[forges.NAME]``: a GitHub or a GitLab."""

    kind: Literal["github", "gitlab"]
    token_env: Annotated[str, Field(min_length=1)]
    """The variable that holds the token."""
    url: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    """Of the API; empty: the public one."""
    host: str = ""
    """In the URLs of its repositories; empty: that of ``url``."""


class DeliveryAccess(Frozen):
    """How git reaches remotes."""

    git_config: Path | None = None
    ssh_command: str = _SSH
    ssh_agent_socket: str = ""


class ForgeAccess(Frozen):
    """A forge and its token. Never prints the token."""

    name: str
    kind: Literal["github", "gitlab"]
    url: str
    host: str
    token_variable: str
    token: SecretStr | None = None
    token_elsewhere: bool = False
    """Whether another process has the token, and delivers."""

    def described(self) -> str:
        """For people."""
        return f"{self.kind}, {self.host}, {self.token_variable} {'set' if self.token else 'missing'}"


def delivery_access(
    section: DeliverySection, root: Path, environ: Mapping[str, str], *, elsewhere: bool = False
) -> DeliveryAccess:
    """``[delivery]`` with its path made absolute and the agent's socket found; nothing if another process delivers."""
    if elsewhere:
        return DeliveryAccess(ssh_command="false")
    return DeliveryAccess(
        git_config=root / Path(section.git_config).expanduser() if section.git_config else None,
        ssh_command=section.ssh_command,
        ssh_agent_socket=environ.get("SSH_AUTH_SOCK", "") if section.ssh_agent else "",
    )


def forge_access(name: str, section: ForgeSection, keys: Mapping[str, str], *, elsewhere: bool = False) -> ForgeAccess:
    """``[forges.NAME]`` with what it leaves open filled in; ``elsewhere`` if another process has its token."""
    url = (section.url or _URLS[section.kind]).rstrip("/")
    host = section.host or (urlsplit(url).hostname or "").removeprefix("api.")
    token = keys.get(section.token_env)
    return ForgeAccess(
        name=name,
        kind=section.kind,
        url=url,
        host=host.lower(),
        token_variable=section.token_env,
        token=SecretStr(token) if token else None,
        token_elsewhere=elsewhere,
    )
