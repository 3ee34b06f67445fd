"""Settings: the only reader of the environment, of thirdshift.toml and of the secrets file."""

from thirdshift.settings.loading import load_settings
from thirdshift.settings.model import Provider, Settings
from thirdshift.settings.sections import RiskPolicy

__all__ = ["Provider", "RiskPolicy", "Settings", "load_settings"]
