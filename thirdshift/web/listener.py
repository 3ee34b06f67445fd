"""The app as the settings describe it."""

from __future__ import annotations

import time

from starlette.applications import Starlette

from thirdshift.bootstrap.books import now
from thirdshift.bootstrap.listening import Listening
from thirdshift.core.events.deliveries import SourceTerms
from thirdshift.settings import Settings
from thirdshift.settings.listening import EventSource
from thirdshift.web.app import build_app
from thirdshift.web.reception import Bounds, Desk, Source


def listener(settings: Settings, opened: Listening) -> Starlette:
    """The app. Raises SettingsInvalid where nobody is listened to, or a source has no secret."""
    return build_app(
        [_source(one) for one in settings.require_sources()],
        Bounds(tolerance_seconds=settings.listen.tolerance_seconds, body_seconds=settings.listen.body_seconds),
        Desk(
            book=opened.ledger,
            announce=opened.announcer.announce,
            clock=now,
            steady=time.monotonic,
            secrets=opened.secrets,
        ),
    )


def _source(source: EventSource) -> Source:
    return Source(
        terms=SourceTerms(
            name=source.name, kind=source.kind, repository=source.repository, repositories=source.repositories
        ),
        secrets=tuple(secret.get_secret_value() for secret in source.secrets),
        most_bytes=source.max_body_bytes,
        per_minute=source.per_minute,
        burst=source.burst,
    )
