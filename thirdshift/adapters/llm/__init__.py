"""Models of the outside world: the vendors' SDKs live in here and nowhere else."""
