"""Routes whose ids may hold anything: a slash in an id, written %2F, does not end it."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import unquote

from fastapi.routing import APIRoute
from starlette.routing import Match


class WholeIds(APIRoute):
    """Matches the path as it was sent, and decodes its ids afterwards: `a%2Fb` is one id, `a/b` are two parts."""

    def matches(self, scope: MutableMapping[str, Any]) -> tuple[Match, MutableMapping[str, Any]]:
        """As any route, on the path as it was sent; a server that does not hand that on has only the decoded one."""
        raw = scope.get("raw_path")
        sent = raw.decode("ascii", "replace") if isinstance(raw, bytes) else scope["path"]
        match, found = super().matches({**scope, "path": sent})
        if "path_params" in found:
            decoded = {k: unquote(v) if isinstance(v, str) else v for k, v in found["path_params"].items()}
            found["path_params"] = decoded
        return match, found
