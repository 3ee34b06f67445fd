"""Reading the history of a base branch: what became of the work that was delivered to it."""
