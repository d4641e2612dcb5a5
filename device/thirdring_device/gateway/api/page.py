"""The web page: what ``nox -s page`` built out of ``gateway/web``, served from memory.

Its files hold no secret and need no token; everything they show they ask of ``/v1``.
"""

import gzip
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Request, Response

from thirdring.protocol.errors import error

__all__ = ["page_router"]

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy: nothing but the page's own files; recordings are played from the appliance."""

FOR_EVER: Final = "public, max-age=31536000, immutable"
"""For assets, whose names change with their contents."""

MEDIA_TYPES: Final[Mapping[str, str]] = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
}


class _File:
    """One file, as it is and compressed."""

    def __init__(self, name: str, content: bytes, *, kept: bool = False) -> None:
        self._content = content
        self._compressed = gzip.compress(content, mtime=0)
        self._media_type = MEDIA_TYPES[name.rpartition(".")[2]]
        self._headers = {"content-security-policy": PAGE_POLICY, "vary": "accept-encoding"}
        if kept:
            self._headers["cache-control"] = FOR_EVER

    def answer(self, request: Request) -> Response:
        headers = dict(self._headers)
        content = self._content
        if "gzip" in request.headers.get("accept-encoding", ""):
            content = self._compressed
            headers["content-encoding"] = "gzip"
        return Response(content, media_type=self._media_type, headers=headers)


def page_router() -> APIRouter:
    """Return the routes of the page, its assets, and the words that reports and page have in common."""
    router = APIRouter(include_in_schema=False)
    built = files("thirdring_device.gateway").joinpath("web", "built")
    index = _File("index.html", built.joinpath("index.html").read_bytes())
    words = files("thirdring_device.report").joinpath("messages.json").read_bytes()
    catalogue = _File("words.json", words)
    assets = {
        asset.name: _File(asset.name, asset.read_bytes(), kept=True)
        for asset in built.joinpath("assets").iterdir()
    }

    @router.get("/")
    async def page(request: Request) -> Response:
        return index.answer(request)

    @router.get("/words.json")
    async def shared_words(request: Request) -> Response:
        return catalogue.answer(request)

    @router.get("/assets/{name}")
    async def asset(name: str, request: Request) -> Response:
        if name not in assets:
            raise error(1003, name[:60])
        return assets[name].answer(request)

    return router
