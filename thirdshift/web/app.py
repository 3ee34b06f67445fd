"""The ASGI app: ``POST /events/<source>`` and ``GET /healthz``."""

from __future__ import annotations

import asyncio
import http
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from thirdshift.web.answers import Refused, refusal, told
from thirdshift.web.reception import Bounds, Desk, Reception, Source
from thirdshift.web.refusal_log import RefusalLog
from thirdshift.web.shelving import Shelf

_NOWHERE = "there is nothing here; events are sent to /events/NAME, NAME being a source in thirdshift.toml"
_METHOD = "this method is not for this address; events are sent with POST"


def build_app(sources: Sequence[Source], bounds: Bounds, desk: Desk) -> Starlette:
    """The app for these sources."""
    shelf, large = Shelf(desk.book), asyncio.Semaphore(1)
    receptions = {source.terms.name: Reception(source, bounds, desk, shelf, large) for source in sources}
    log = RefusalLog(desk.steady)

    async def take_event(request: Request) -> Response:
        name = request.path_params["source"]
        reception = receptions.get(name)
        if reception is None:
            raise HTTPException(404)
        try:
            taken = await reception.take(request)
        except Refused as refused:
            log.note(name, refused.status)
            return refusal(refused)
        return told(taken.status, taken.words)

    app = Starlette(
        routes=[Route("/events/{source}", take_event, methods=["POST"]), Route("/healthz", _healthy, methods=["GET"])],
        exception_handlers={HTTPException: _not_routed, Exception: _at_fault},
    )
    app.router.redirect_slashes = False
    return app


async def _healthy(_request: Request) -> Response:
    return told(200, "ok")


async def _not_routed(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    words = {404: _NOWHERE, 405: _METHOD}.get(status, http.HTTPStatus(status).phrase)
    allowed = (error.headers or {}) if isinstance(error, HTTPException) else {}
    return told(status, words, {**allowed, "connection": "close"})


async def _at_fault(_request: Request, _error: Exception) -> Response:
    # The traceback goes to the log: the framework raises the error again once this is sent.
    return told(500, "this is a fault of Thirdshift; its log has the details", {"connection": "close"})
