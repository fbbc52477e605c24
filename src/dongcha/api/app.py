"""The application: the router of every file in routes/, over one open shop."""

from __future__ import annotations

import pkgutil
from datetime import datetime
from importlib import import_module

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware

from dongcha import __version__
from dongcha import columns as c
from dongcha.api import routes
from dongcha.api.around import Around
from dongcha.api.door import Door
from dongcha.api.live import published_at
from dongcha.api.metrics import Metrics
from dongcha.api.refusals import RESPONSES, add_handlers
from dongcha.api.upkeep import upkeep
from dongcha.assemble import Shop

LARGEST_BODY = 1 << 20
"""Bytes of a body where a route sets no limit of its own."""


def create_app(shop: Shop) -> FastAPI:
    """The REST API of one workspace."""
    app = FastAPIOffline(
        title="Dongcha",
        version=__version__,
        redoc_url=None,
        lifespan=upkeep,
        responses=RESPONSES,
        max_body_size=LARGEST_BODY,
    )
    app.state.shop = shop
    app.state.metrics = metrics = Metrics()
    metrics.watch("dongcha_job_running", "Whether a job is running.", lambda: shop.background.running)
    metrics.watch("dongcha_inbox_backlog", "Events that wait for the lake.", lambda: float(shop.inbox.backlog()))
    metrics.watch("dongcha_view_age_seconds", "Since the serving view was made.", lambda: _view_age(shop))
    metrics.watch("dongcha_live_age_seconds", "Since what live answers read was written.", lambda: _live_age(shop))
    add_handlers(app)
    for found in pkgutil.iter_modules(routes.__path__):
        app.include_router(import_module(f"{routes.__name__}.{found.name}").router)
    _stand_guard(app, shop)
    return app


def _view_age(shop: Shop) -> float:
    return (shop.clock() - datetime.fromisoformat(shop.view.about[c.MADE_AT])).total_seconds()


def _live_age(shop: Shop) -> float:
    return shop.clock().timestamp() - published_at(shop)


def _stand_guard(app: FastAPI, shop: Shop) -> None:
    """What every request passes, from the inside out."""
    serve = shop.settings.serve
    if serve.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=serve.origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
        )
    app.add_middleware(Door, unguarded=lambda: shop.access.unguarded, hosts=serve.hosts, origins=serve.origins)
    app.add_middleware(
        Around, metrics=app.state.metrics, count=lambda key_id, refused: shop.access.keys.count(key_id, refused=refused)
    )
