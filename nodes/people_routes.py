"""The HTTP routes of the People panel: who is there, one person's receipt, export, withdrawal, the ledger's proof."""

from __future__ import annotations

import asyncio
import base64

from aiohttp import web

from .engine.person.storage import PersonStore
from .route_answers import PREFIX, PRIVATE, answered, field, read_question, say


class PeopleRoutes:
    def __init__(self, store: PersonStore) -> None:
        self._store = store

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{PREFIX}/people", answered(self.people)),
            web.post(f"{PREFIX}/people/show", answered(self.show)),
            web.post(f"{PREFIX}/people/export", answered(self.export)),
            web.post(f"{PREFIX}/people/withdraw", answered(self.withdraw)),
            web.post(f"{PREFIX}/ledger/verify", answered(self.verify)),
        ]

    async def people(self, request: web.Request) -> web.Response:
        summaries = await asyncio.to_thread(self._store.list)
        return say({"people": [summary.to_json() for summary in summaries]})

    async def show(self, request: web.Request) -> web.Response:
        """The signed receipt, and what is kept, small enough to look through."""
        receipt_id = await _receipt_id(request)
        receipt = await asyncio.to_thread(self._store.receipt, receipt_id)
        pictures = await asyncio.to_thread(self._store.thumbnails, receipt_id)
        return say({"receipt": receipt.body, "pictures": [base64.b64encode(picture).decode() for picture in pictures]})

    async def export(self, request: web.Request) -> web.Response:
        """Everything that is held on one person, as a zip."""
        body = await asyncio.to_thread(self._store.export, await _receipt_id(request))
        headers = {**PRIVATE, "Content-Disposition": 'attachment; filename="receipt.zip"'}
        return web.Response(body=body, content_type="application/zip", headers=headers)

    async def withdraw(self, request: web.Request) -> web.Response:
        deletion = await asyncio.to_thread(self._store.withdraw, await _receipt_id(request))
        return say(deletion.to_json())

    async def verify(self, request: web.Request) -> web.Response:
        await read_question(request)
        broken = await asyncio.to_thread(self._store.verify_ledger)
        return say({"whole": broken is None, "line": broken.line if broken else None, "reason": broken.reason if broken else None})


async def _receipt_id(request: web.Request) -> str:
    return field(await read_question(request), "receipt_id", str, longest=64)
