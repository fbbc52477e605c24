"""The application: every router, over one open shop."""

from __future__ import annotations

from fastapi import FastAPI

from dongcha import __version__
from dongcha.api.routes import health, live
from dongcha.assemble import Shop


def create_app(shop: Shop) -> FastAPI:
    """The REST API of one workspace."""
    app = FastAPI(title="Dongcha", version=__version__)
    app.state.shop = shop
    app.include_router(health.router)
    app.include_router(live.router)
    return app
