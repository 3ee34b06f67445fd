"""What machines send us: whether it is genuine, and what of it becomes an event. All of it is hostile text."""
