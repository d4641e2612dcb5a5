"""schemathesis' hooks for ``bench.api_fuzz``."""

from typing import Any

import schemathesis
from schemathesis import GenerationMode

MALFORMED = (1000, 1001)


def valid_requests_are_understood(ctx: Any, response: Any, case: Any) -> None:
    """What the document allows may be refused for what it says (a number of its own), never for its form.

    In place of ``positive_data_acceptance``, which knows no refusals for what a schema cannot express: a
    number that nobody has, a file that is not there, a setting that does not exist.
    """
    meta = case.meta
    if (
        meta is None
        or meta.generation.mode != GenerationMode.POSITIVE
        or response.status_code not in (400, 422)
    ):
        return
    code = response.json()["code"]
    assert code not in MALFORMED, f"{code} for a request that the document allows"


schemathesis.check(valid_requests_are_understood)
