"""The notifier, where one is configured."""

from __future__ import annotations

from thirdshift.core.errors import SettingsInvalid
from thirdshift.core.notices import Notifier
from thirdshift.settings import Settings


def open_notifier(settings: Settings) -> Notifier | None:
    """Whoever tells people of gates; None where nobody is to be told. Raises SettingsInvalid for bad addresses."""
    if settings.notify.missing:
        raise SettingsInvalid(
            f"[notify] names variables that are not set: {', '.join(settings.notify.missing)};\n"
            f"set them in the environment or in {settings.secrets_path} (mode 600), or take them out"
        )
    if not settings.notify.addresses:
        return None
    # Imported only here: the library brings a plugin for each of its hundred services.
    from thirdshift.adapters.notifier import AppriseNotifier

    return AppriseNotifier(settings.notify.urls())
