"""The error answers of each route in the OpenAPI document."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from thirdring.protocol.errors import error
from thirdring_device.gateway.api.error_map import problem, status_of
from thirdring_device.gateway.api.gate import SESSION_COOKIE
from thirdring_device.gateway.api.models import Problem
from thirdring_device.gateway.api.roles import Need, needed

__all__ = ["ENGINE", "JOURNAL", "PLAN", "complete_openapi", "problems"]

EVERYWHERE: Final = (1000, 1001, 1007, 6000, 6001, 6002, 6004, 6006, 7002, 7003)
ENGINE: Final = (7000, 7001)
"""What every route that asks the engine may answer."""
PLAN: Final = (2009, 2010, 2011, 2012)
"""What every route that names a number to be called may answer."""
JOURNAL: Final = (5001, 5002, 7000)
"""What every route that reads the journal may answer."""

SECURITY_SCHEMES: Final = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "the token in DIR/api-token, or one made"},
    "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE},
}


def problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses`` of a route that may answer with these numbered errors."""
    return _responses({*codes, *EVERYWHERE})


def _responses(codes: Iterable[int]) -> dict[int | str, dict[str, Any]]:
    by_status: dict[int, list[int]] = defaultdict(list)
    for code in sorted(codes):
        by_status[status_of(code).value].append(code)
    return {
        status: {
            "description": "; ".join(f"{code} {problem(error(code))['title']}" for code in group),
            "content": {
                "application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "examples": {str(code): {"value": problem(error(code))} for code in group},
                }
            },
        }
        for status, group in by_status.items()
    }


def _add_role(operation: dict[str, Any], need: Need) -> None:
    operation["x-role"] = need
    if need == "public":
        operation["security"] = []
    else:
        operation["security"] = [{"bearer": []}, {"session": []}]


def complete_openapi(app: FastAPI) -> None:
    """Make ``app.openapi()`` carry the schema of ``Problem`` in place of the framework's, and the roles."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            schemas = document["components"]["schemas"]
            schemas.pop("HTTPValidationError", None)
            schemas.pop("ValidationError", None)
            schemas["Problem"] = Problem.model_json_schema()
            document["components"]["securitySchemes"] = SECURITY_SCHEMES
            for path, item in document["paths"].items():
                for method, operation in item.items():
                    _add_role(operation, needed(method.upper(), path))
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
