"""Routes of the agent's work: notes of calls, contacts, call-backs."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Query, Response
from fastapi.responses import JSONResponse

from thirdring.protocol.codec import to_fields
from thirdring.protocol.commands import FinishCallBack, RemoveContact, SaveContact, TakeNotes
from thirdring.protocol.errors import ThirdringError, error
from thirdring.protocol.views import CallBackView, ContactView, NotesView, PromptView
from thirdring_device.gateway.api.models import (
    CallId,
    ContactRequest,
    FinishCallBackRequest,
    Imported,
    NotesRequest,
    RemoveContactRequest,
)
from thirdring_device.gateway.api.problems import ENGINE, JOURNAL, problems
from thirdring_device.gateway.contacts_csv import contacts_from_csv, contacts_to_csv
from thirdring_device.gateway.engine_client import EngineClient
from thirdring_device.gateway.journal import Reader
from thirdring_device.gateway.prompts import Prompter

__all__ = ["work_router"]

SOURCE: Final = "http"
CSV: Final = "text/csv; charset=utf-8"
CSV_ANSWER: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The contacts", "content": {"text/csv": {"schema": {"type": "string"}}}}
}
CSV_BODY: Final = {"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}}


def work_router(client: EngineClient, reader: Reader, prompter: Prompter) -> APIRouter:  # noqa: C901, RUF100 - a list of routes
    """Return the routes."""
    router = APIRouter(prefix="/v1", tags=["work"])

    @router.get(
        "/prompts", response_model=list[PromptView], responses=problems(1004, 2000, 5009, *JOURNAL, *ENGINE)
    )
    async def prompts(
        call_id: Annotated[str, Query(description="of this call", max_length=64)],
        language: Annotated[
            str, Query(description="`zh` or `en`; empty: as set in firm.language", max_length=8)
        ] = "",
    ) -> Any:
        """Return the prompts that a call's agent was shown, in words, with the names filled in."""
        settings = await prompter.settings()
        shown = await asyncio.to_thread(prompter.shown, call_id, language, settings)
        return JSONResponse([to_fields(view) for view in shown])

    @router.get("/notes", response_model=list[NotesView], responses=problems(*JOURNAL))
    def notes(
        call_id: Annotated[str, Query(description="of this call only", max_length=64)] = "",
        limit: Annotated[int, Query(description="how many at most", ge=1, le=1000)] = 100,
    ) -> Any:
        """Return what was written down of calls, the newest call first."""
        return JSONResponse([to_fields(view) for view in reader.notes(call_id, limit)])

    @router.post("/notes", responses=problems(1004, 2000, *ENGINE))
    async def take_notes(request: NotesRequest) -> CallId:
        """Write down what a call was about; replaces the call's notes as a whole."""
        await client.command(TakeNotes(**request.model_dump(), source=SOURCE))
        return CallId(call_id=request.call_id)

    @router.get("/contacts", response_model=list[ContactView], responses=problems(*JOURNAL))
    def contacts(
        number: Annotated[str, Query(description="only this number", max_length=64)] = "",
        limit: Annotated[int, Query(description="how many at most", ge=1, le=10_000)] = 10_000,
        after: Annotated[
            str, Query(description="number to go on behind: the last one of the page before", max_length=64)
        ] = "",
    ) -> Any:
        """Return the contacts in order of number, with how often and when they called last."""
        return JSONResponse([to_fields(view) for view in reader.contacts(number, limit, after)])

    @router.post("/contacts", responses=problems(1004, 2005, *ENGINE))
    async def save_contact(request: ContactRequest) -> CallId:
        """Write a contact, replacing the one with the same number."""
        await client.command(SaveContact(**request.model_dump(), source=SOURCE))
        return CallId(call_id="")

    @router.post("/contacts/remove", responses=problems(1003, 2005, *ENGINE))
    async def remove_contact(request: RemoveContactRequest) -> CallId:
        """Remove a contact."""
        await client.command(RemoveContact(number=request.number, source=SOURCE))
        return CallId(call_id="")

    @router.get("/contacts.csv", response_class=Response, responses={**CSV_ANSWER, **problems(*JOURNAL)})
    def export_contacts() -> Response:
        """Return all contacts as CSV."""
        return Response(contacts_to_csv(reader.contacts()), media_type=CSV)

    @router.post("/contacts.csv", responses=problems(1004, 2005, *ENGINE), openapi_extra=CSV_BODY)
    async def import_contacts(body: Annotated[bytes, Body(media_type="text/csv")] = b"") -> Imported:
        """Write the contacts of a CSV file, whose header names the columns; all lines are read first."""
        try:
            commands = list(contacts_from_csv(body.decode("utf-8"), SOURCE))
        except UnicodeDecodeError as reason:
            raise error(1004, f"not UTF-8: {reason}") from reason
        for place, command in enumerate(commands, start=2):
            try:
                await client.command(command)
            except ThirdringError as reason:
                raise error(reason.code, f"contact {place - 1}: {reason.detail}") from reason
        return Imported(saved=len(commands))

    @router.get("/call_backs", response_model=list[CallBackView], responses=problems(*JOURNAL))
    def call_backs(
        done: Annotated[bool, Query(description="those that have happened instead")] = False,  # noqa: FBT002, RUF100
        limit: Annotated[int, Query(description="how many at most", ge=1, le=1000)] = 100,
    ) -> Any:
        """Return who is to be called back, the most urgent first."""
        return JSONResponse([to_fields(view) for view in reader.call_backs(limit, done=done)])

    @router.post("/call_backs/done", responses=problems(2000, *ENGINE))
    async def finish_call_back(request: FinishCallBackRequest) -> CallId:
        """Tick a call-back off by hand; calling the number does so by itself."""
        await client.command(FinishCallBack(call_id=request.call_id, source=SOURCE))
        return CallId(call_id=request.call_id)

    return router
