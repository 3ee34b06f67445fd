"""Sandboxes: where commands that a model or a repository wrote are run."""
