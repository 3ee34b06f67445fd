"""From a kind of forge to the client that speaks to it."""

from __future__ import annotations

from thirdshift.core.forge import Forge


def build_forge(kind: str, url: str, token: str) -> Forge:
    """A client; ``kind`` is ``github`` or ``gitlab``. Their libraries are loaded only where one is asked for."""
    if kind == "github":
        from thirdshift.adapters.forge.github_forge import GitHubForge

        return GitHubForge(url, token)
    if kind == "gitlab":
        from thirdshift.adapters.forge.gitlab_forge import GitLabForge

        return GitLabForge(url, token)
    raise ValueError(f"no such kind of forge: {kind!r}")
