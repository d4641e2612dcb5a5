"""The page ``/docs``: the OpenAPI document as plain HTML, readable without internet or scripts."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from thirdring.protocol.errors import ERRORS
from thirdring.protocol.events import EVENT_KINDS
from thirdring_device.gateway.api.error_map import status_of

__all__ = ["docs_page"]

STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}td,th{text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0;"
    "border-bottom:1px solid #ccc}code{font-size:.95em}"
)


def docs_page(document: Mapping[str, Any]) -> str:
    """Return the page for an OpenAPI document."""
    return "".join(_page(document))


def _page(document: Mapping[str, Any]) -> Iterator[str]:
    info = document["info"]
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}</title>'
    yield f"<style>{STYLE}</style><h1>{escape(info['title'])} {escape(info['version'])}</h1>"
    for paragraph in info["description"].split("\n\n"):
        yield f"<p>{escape(paragraph)}</p>"
    yield '<p>Complete: <a href="/openapi.json">openapi.json</a></p><h2>Requests</h2><table>'
    for path, item in document["paths"].items():
        for method, operation in item.items():
            text = operation.get("description") or operation.get("summary", "")
            statuses = ", ".join(operation["responses"])
            yield f"<tr><td><code>{method.upper()} {escape(path)}</code><td>{escape(text)}<td>{statuses}"
    yield "</table><h2>Events</h2><table>"
    for kind, event in EVENT_KINDS.items():
        yield f"<tr><td><code>{kind}</code><td>{escape((event.__doc__ or '').strip())}"
    yield "</table><h2>Errors</h2><table><tr><th>code<th>HTTP<th>meaning"
    for code, text in ERRORS.items():
        yield f'<tr id="error-{code}"><td>{code}<td>{status_of(code).value}<td>{escape(text)}'
    yield "</table></html>"
