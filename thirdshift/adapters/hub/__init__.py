"""The hub: every tree that a loop produced, in a git repository that no agent can reach."""

from thirdshift.adapters.hub.git_process import Transport
from thirdshift.adapters.hub.local_hub import LocalHub
from thirdshift.adapters.hub.survey import TreeLimits

__all__ = ["LocalHub", "Transport", "TreeLimits"]
