"""Notices through apprise, which speaks to mail servers, Slack, Teams, webhooks and some hundred more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import apprise

from thirdshift.core.errors import SettingsInvalid
from thirdshift.core.gates import same_person
from thirdshift.core.notices import Notice, NoticeNotSent

EVERYBODY = "everybody"
"""The name under which the addresses are configured that hear of every gate."""


class AppriseNotifier:
    """Implements ``core.notices.Notifier``. Addresses are apprise URLs; they hold keys and are never shown."""

    def __init__(self, addresses: Mapping[str, Sequence[str]]) -> None:
        """Name of a reviewer, or ``everybody``, to apprise URLs. Raises SettingsInvalid for what is none."""
        self._services: dict[str, apprise.Apprise] = {}
        for name, urls in addresses.items():
            services = apprise.Apprise()
            for number, url in enumerate(urls, start=1):
                if not services.add(url):
                    raise SettingsInvalid(
                        f"notify: address {number} of {name!r} is no apprise URL (it is not shown, since it may hold "
                        "a key); see https://github.com/caronc/apprise/wiki for how they are written"
                    )
            self._services[name] = services

    def send(self, notice: Notice, to: Sequence[str]) -> None:
        """Send to everybody, and to those of ``to`` who have addresses. Raises NoticeNotSent naming who was missed."""
        named = [name for name in self._services if any(same_person(name, one) for one in to)]
        missed = []
        for name in dict.fromkeys([*named, *(name for name in self._services if name == EVERYBODY)]):
            if not self._services[name].notify(title=notice.title, body=notice.body, body_format="text"):
                missed.append(name)
        if missed:
            raise NoticeNotSent(
                f"a notice could not be sent to {', '.join(missed)}; check the addresses under [notify] and the network"
            )
