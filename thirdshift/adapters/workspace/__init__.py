"""The directory that an agent works in, and its files as the host may touch them."""
