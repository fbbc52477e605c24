"""The dashboard: what people keep open all day, on the API's own server."""

from dongcha.dashboard.mount import mount

__all__ = ["mount"]
