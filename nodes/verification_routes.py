"""The HTTP routes of a verification: notice, consent, the camera's socket, the gallery, the receipt.

The page asks them in this order. The camera's pictures come over one WebSocket, each answered before the next is
sent; they are judged in memory and go nowhere else. What it decides lies in the engine's `reception`.
"""

from __future__ import annotations

import asyncio
import base64
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from .engine.person.camera_frame import LARGEST_MESSAGE
from .engine.person.notice import notice_text
from .engine.person.receipt import Consent
from .engine.person.reception import Reception
from .people_routes import PeopleRoutes
from .route_answers import PREFIX, RouteError, answered, field, read_question, refusal_of, say

SILENCE = 30  # seconds without a picture, after which a camera is taken to be gone
SWAP = "swap"  # all that the page ever says in words while the camera runs
# After these the next message may do better; everything else ends the session.
MENDABLE = {"wrong_nonce", "bad_question", "no_swap_left", "nothing_to_swap"}
BREACHES = 20  # bad messages in one session, after which its line is cut


class VerificationRoutes:
    def __init__(self, reception: Reception) -> None:
        self._reception = reception

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{PREFIX}/notice", answered(self.notice)),
            web.post(f"{PREFIX}/consent", answered(self.consent)),
            web.post(f"{PREFIX}/session", answered(self.session)),
            web.get(f"{PREFIX}/camera/{{session_id}}", answered(self.camera)),
            web.post(f"{PREFIX}/gallery", answered(self.gallery)),
            web.post(f"{PREFIX}/finish", answered(self.finish)),
            web.post(f"{PREFIX}/cancel", answered(self.cancel)),
        ]

    async def notice(self, request: web.Request) -> web.Response:
        return say(notice_text(request.query.get("language", "en")[:8]).to_json())

    async def consent(self, request: web.Request) -> web.Response:
        question = await read_question(request)
        purposes = field(question, "purposes", list, longest=10)
        consent = Consent(
            name=field(question, "name", str),
            purposes=tuple(str(purpose)[:40] for purpose in purposes),
            language=field(question, "language", str, longest=8),
            notice_version=field(question, "notice_version", str, longest=40),
            retention_days=field(question, "retention_days", int),
            adult=field(question, "adult", bool),
        )
        return say({"consent_id": await asyncio.to_thread(self._reception.take_consent, consent)})

    async def session(self, request: web.Request) -> web.Response:
        question = await read_question(request)
        wishes = {name: field(question, name, bool) for name in ("relaxed", "colours", "follow")}
        challenge = await asyncio.to_thread(self._reception.open_session, field(question, "consent_id", str), **wishes)
        return say({"session_id": challenge.session_id, "nonce": challenge.nonce})

    async def camera(self, request: web.Request) -> web.WebSocketResponse:
        session_id = request.match_info["session_id"]
        socket = web.WebSocketResponse(max_msg_size=LARGEST_MESSAGE + 1, receive_timeout=SILENCE, compress=False)
        if not socket.can_prepare(request):
            raise RouteError("bad_question", "Pictures are taken over a WebSocket only.")
        self._reception.watch(session_id)
        try:
            await socket.prepare(request)
            await self._listen(socket, session_id)
        finally:
            await asyncio.shield(self._leave(session_id))
        await socket.close()
        return socket

    async def _leave(self, session_id: str) -> None:
        try:
            await asyncio.to_thread(self._reception.leave, session_id)
        except Exception as error:
            refusal_of(error)  # logged; the socket has no use for a second answer

    async def _listen(self, socket: web.WebSocketResponse, session_id: str) -> None:
        breaches = 0
        while breaches < BREACHES:
            try:
                message = await socket.receive()
            except (asyncio.TimeoutError, TimeoutError):
                return
            if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
                return
            answer = await self._answer(session_id, message.type, message.data)
            breaches += "code" in answer
            await socket.send_json(answer)
            if answer.get("state") in ("done", "refused") or answer.get("code", "wrong_nonce") not in MENDABLE:
                return

    async def _answer(self, session_id: str, kind: WSMsgType, data: Any) -> dict[str, Any]:
        answers = "picture" if kind == WSMsgType.BINARY else "swap"
        try:
            if kind == WSMsgType.TEXT and data != SWAP:
                raise RouteError("bad_question", "Only pictures and the wish to swap are understood here.")
            judge = self._reception.swap if isinstance(data, str) else partial(self._reception.receive, message=data)
            guidance = await asyncio.to_thread(judge, session_id)
            return {**guidance.to_json(), "answers": answers}
        except Exception as error:
            return {**refusal_of(error), "answers": answers}

    async def gallery(self, request: web.Request) -> web.Response:
        question = await read_question(request)
        pictures = self._reception.gallery(field(question, "consent_id", str))
        shown = [{"index": item.index, "caption": item.caption, "jpeg": base64.b64encode(item.thumbnail).decode()} for item in pictures]
        return say({"pictures": shown})

    async def finish(self, request: web.Request) -> web.Response:
        question = await read_question(request)
        keep = field(question, "keep", list, longest=100)
        if not all(type(index) is int for index in keep):
            raise RouteError("bad_question", "The field 'keep' must hold numbers.")
        receipt = await asyncio.to_thread(self._reception.finish, field(question, "consent_id", str), keep)
        return say({"receipt_id": receipt.receipt_id})

    async def cancel(self, request: web.Request) -> web.Response:
        question = await read_question(request)
        await asyncio.to_thread(self._reception.cancel, field(question, "consent_id", str))
        return say({"cancelled": True})


def add_routes() -> None:
    """Puts the routes of verification and of the People panel on ComfyUI's server, if there is one in this process."""
    import folder_paths
    from server import PromptServer

    from .engine.person.challenge import SessionMaker
    from .engine.person.face import open_tracker
    from .person_folder import person_store

    server = getattr(PromptServer, "instance", None)
    if server is None:
        return
    store = person_store()
    maker = SessionMaker(partial(open_tracker, Path(folder_paths.models_dir) / "mediapipe"))
    verification = VerificationRoutes(Reception(store, maker))
    for route in [*verification.routes(), *PeopleRoutes(store).routes()]:
        server.routes.route(route.method, route.path)(route.handler)
