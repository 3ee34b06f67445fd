"""The web app that takes events from machines."""
