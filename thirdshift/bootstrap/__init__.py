"""The one place that wires adapters to activities, and builds services and workers."""
