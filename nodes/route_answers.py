"""What all of the pack's routes have in common: who may ask, what a question looks like, how an answer is said.

Every refusal is `{"code", "sentence"}` with a 4xx status. Nothing that a person typed or that a camera saw is ever
logged: an unforeseen error is logged by its type and place, without its text.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

PREFIX = "/music_video/person"
LARGEST_QUESTION = 16_384  # bytes of JSON
PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
STATUS = {"unknown_session": 404, "unknown_consent": 404, "unknown_receipt": 404, "foreign_page": 403, "paused": 429}
STATUS |= {"too_many_sessions": 429, "too_many_consents": 429, "camera_in_use": 409, "question_too_large": 413, "failed": 500}

log = logging.getLogger("music_video")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RouteError(ValueError):
    """A question that cannot be answered. `code` is for the page, the text is one sentence for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def answered(handler: Handler) -> Handler:
    """Wraps a handler: foreign pages are refused, errors become one sentence, nothing is cached."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            refuse_foreign_page(request)
            return await handler(request)
        except web.HTTPException:
            raise
        except Exception as error:
            refusal = refusal_of(error)
            return say(refusal, STATUS.get(refusal["code"], 400))

    return answer


def say(answer: object, status: int = 200) -> web.Response:
    return web.json_response(answer, status=status, headers=PRIVATE)


def refuse_foreign_page(request: web.Request) -> None:
    """Other websites must not reach a person's pictures through the visitor's browser, whatever CORS settings say."""
    refusal = RouteError("foreign_page", "This can only be asked from ComfyUI's own page.")
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        raise refusal
    origin = request.headers.get("Origin")
    if site is None and origin is not None:
        try:
            asked_from = urlsplit(origin).netloc.lower()
        except ValueError:
            raise refusal from None
        if asked_from != request.host.lower():
            raise refusal


async def read_question(request: web.Request) -> dict[str, Any]:
    """The JSON object in the body. Raises RouteError if it is too large or something else."""
    if request.content_type != "application/json":
        raise RouteError("bad_question", "The question must be JSON.")
    body = bytearray()
    async for piece in request.content.iter_chunked(4096):
        body += piece
        if len(body) > LARGEST_QUESTION:
            raise RouteError("question_too_large", "The question is too large.")
    try:
        question = json.loads(body)
    except (ValueError, RecursionError):
        raise RouteError("bad_question", "The question is not valid JSON.") from None
    if not isinstance(question, dict):
        raise RouteError("bad_question", "The question must be a JSON object.")
    return question


def field(question: dict[str, Any], name: str, kind: type, longest: int = 200) -> Any:
    """One value of a question, of exactly one type. Raises RouteError naming the field, never its value."""
    value = question.get(name)
    if type(value) is not kind:
        raise RouteError("bad_question", f"The field {name!r} is missing or of the wrong kind.")
    if isinstance(value, (str, list)) and len(value) > longest:
        raise RouteError("bad_question", f"The field {name!r} is too long.")
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise RouteError("bad_question", f"The field {name!r} is not text.")
    return value


def refusal_of(error: Exception) -> dict[str, str]:
    """What the page is told of an error: our own errors carry a code and a sentence, all others are logged by type and place."""
    code = getattr(error, "code", None)
    if isinstance(error, ValueError) and isinstance(code, str):
        return {"code": code, "sentence": str(error)}
    trace, place = error.__traceback__, "unknown place"
    while trace:
        place, trace = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}", trace.tb_next
    log.error("A verification route failed: %s at %s", type(error).__name__, place)
    return {"code": "failed", "sentence": "Something went wrong on the server; its log says where."}
