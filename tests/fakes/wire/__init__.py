"""Loopback servers that speak the vendors' wire formats, byte by byte as told."""
