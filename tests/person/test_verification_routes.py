"""The routes, asked by a well-behaved page and by everybody else: one sentence for every refusal, bounded memory, silent logs."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import random
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer
from pack.nodes.engine.person.camera_frame import LARGEST_MESSAGE
from pack.nodes.engine.person.dialogue import ChallengeError, Guidance
from pack.nodes.engine.person.notice import VERSION
from pack.nodes.engine.person.reception import CONSENTS, WAITING, Reception, ReceptionError
from pack.nodes.engine.person.session_maker import MOST, SessionMaker
from pack.nodes.engine.person.storage import PersonStore
from pack.nodes.people_routes import PeopleRoutes
from pack.nodes.route_answers import LARGEST_QUESTION
from pack.nodes.verification_routes import BREACHES, VerificationRoutes
from PIL import Image
from sitting import make_outcome, make_refusal

PREFIX = "/music_video/person"
NAME = "Aiko Beispiel-\u4f8b"
CONSENT = {"name": NAME, "purposes": ["train_lora"], "language": "en", "notice_version": VERSION, "retention_days": 90, "adult": True}
WISHES = {"relaxed": False, "colours": False, "follow": True}
QUESTIONS = ["consent", "session", "gallery", "finish", "cancel", "people/show", "people/export", "people/withdraw", "ledger/verify"]
SECRETS = (NAME, "Aiko", "Beispiel")


def run_apart(walk: Coroutine[Any, Any, None]) -> None:
    """In a thread of its own: browser tests leave an event loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, walk).result()


class StubChallenge:
    """Judges by counting: done at the tenth picture."""

    def __init__(self, number: int) -> None:
        self.session_id, self.nonce, self.outcome = f"{number:032x}", f"{number:064x}", None
        self.pictures = 0

    def receive(self, jpeg: bytes, sequence: int, nonce: str, received: float) -> Guidance:
        if nonce != self.nonce:
            raise ChallengeError("wrong_nonce")
        self.pictures += 1
        if self.pictures == 10:
            self.outcome = make_outcome(session_id=self.session_id)
            return Guidance("done")
        return Guidance("action", "smile", 1, 5, swaps_left=2)

    def swap(self) -> Guidance:
        raise ChallengeError("no_swap_left")


class StubMaker:
    def __init__(self) -> None:
        self.sessions: dict[str, StubChallenge] = {}

    def start(self, **wishes: bool) -> StubChallenge:
        challenge = StubChallenge(len(self.sessions) + 1)
        self.sessions[challenge.session_id] = challenge
        return challenge

    def find(self, session_id: str) -> StubChallenge:
        return self.sessions[session_id]

    def close(self, session_id: str) -> None:
        self.sessions[session_id].outcome = self.sessions[session_id].outcome or make_refusal("left")


class NoFace:
    name, models = "nobody", {}

    def find(self, picture: Any) -> None:
        return None

    def count(self, picture: Any) -> int:
        return 0


@asynccontextmanager
async def page(folder: Path, maker: Any = None) -> AsyncIterator[Any]:
    """The routes on a server of their own, and a client that behaves like ComfyUI's page."""
    store = PersonStore(folder / "private")
    reception = Reception(store, maker or StubMaker())
    app = web.Application()
    app.add_routes([*VerificationRoutes(reception).routes(), *PeopleRoutes(store).routes()])
    async with TestClient(TestServer(app)) as client:
        yield SimpleNamespace(client=client, store=store, reception=reception, ask=asker(client))


def asker(client: TestClient[Any, Any]) -> Callable[..., Awaitable[tuple[int, Any]]]:
    async def ask(path: str, question: Any = None, **more: Any) -> tuple[int, Any]:
        method = client.get if question is None and not more else client.post
        async with method(f"{PREFIX}/{path}", **({"json": question} if question is not None else {}), **more) as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            body = await answer.read()
            return answer.status, json.loads(body) if answer.content_type == "application/json" else body

    return ask


def jpeg(width: int = 320, height: int = 240) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (width, height), (90, 120, 150)).save(sink, "JPEG")
    return sink.getvalue()


def message(nonce: str, sequence: int, picture: bytes | None = None) -> bytes:
    return sequence.to_bytes(4, "big") + bytes.fromhex(nonce) + (jpeg() if picture is None else picture)


async def begin(there: Any) -> tuple[str, dict[str, str]]:
    """A consent and a session for it."""
    status, answer = await there.ask("consent", CONSENT)
    assert status == 200, answer
    status, session = await there.ask("session", {"consent_id": answer["consent_id"], **WISHES})
    assert status == 200, session
    return answer["consent_id"], session


async def sit(there: Any, session: dict[str, str]) -> dict[str, Any]:
    async with there.client.ws_connect(f"{PREFIX}/camera/{session['session_id']}") as socket:
        answer: dict[str, Any] = {}
        for sequence in range(10):
            await socket.send_bytes(message(session["nonce"], sequence))
            answer = await socket.receive_json()
        assert (await socket.receive()).type in (WSMsgType.CLOSE, WSMsgType.CLOSED)
    return answer


def is_refusal(status: int, answer: Any) -> bool:
    return (
        400 <= status < 500 and set(answer) == {"code", "sentence"} and answer["sentence"].endswith(".") and "\n" not in answer["sentence"]
    )


def test_whole_way_from_consent_to_withdrawal(tmp_path: Path) -> None:
    async def walk() -> None:
        async with page(tmp_path) as there:
            assert (await there.ask("notice?language=ja"))[1]["language"] == "ja"
            consent_id, session = await begin(there)
            assert (await there.ask("gallery", {"consent_id": consent_id}))[1]["code"] == "not_verified"
            last = await sit(there, session)
            assert (last["state"], last["answers"]) == ("done", "picture")
            pictures = (await there.ask("gallery", {"consent_id": consent_id}))[1]["pictures"]
            indexes = [picture["index"] for picture in pictures]
            assert len(indexes) >= 12
            status, answer = await there.ask("finish", {"consent_id": consent_id, "keep": indexes[:7]})
            assert (status, answer["code"]) == (400, "too_few_pictures")
            receipt_id = (await there.ask("finish", {"consent_id": consent_id, "keep": indexes[:9]}))[1]["receipt_id"]
            people = (await there.ask("people"))[1]["people"]
            assert [(one["receipt_id"], one["name"], one["pictures"], one["status"]) for one in people] == [(receipt_id, NAME, 9, "valid")]
            shown = (await there.ask("people/show", {"receipt_id": receipt_id}))[1]
            assert len(shown["pictures"]) == 9 and shown["receipt"]["receipt_id"] == receipt_id
            status, body = await there.ask("people/export", {"receipt_id": receipt_id})
            assert status == 200 and len(zipfile.ZipFile(io.BytesIO(body)).namelist()) >= 10
            assert (await there.ask("ledger/verify", {}))[1]["whole"]
            assert (await there.ask("people/withdraw", {"receipt_id": receipt_id}))[1]["pictures"] == 9
            assert (await there.ask("people"))[1]["people"][0]["status"] == "withdrawn"
            assert is_refusal(*await there.ask("people/show", {"receipt_id": receipt_id}))

    run_apart(walk())


def test_a_finished_consent_is_over(tmp_path: Path) -> None:
    async def walk() -> None:
        async with page(tmp_path) as there:
            consent_id, session = await begin(there)
            await sit(there, session)
            keep = [picture["index"] for picture in (await there.ask("gallery", {"consent_id": consent_id}))[1]["pictures"]]
            assert (await there.ask("finish", {"consent_id": consent_id, "keep": keep}))[0] == 200
            for path, more in (("finish", {"keep": keep}), ("gallery", {}), ("session", WISHES), ("cancel", {})):
                assert (await there.ask(path, {"consent_id": consent_id, **more}))[0] == 404, path
            async with there.client.get(f"{PREFIX}/camera/{session['session_id']}") as answer:
                assert answer.status == 400  # no socket
            assert await refused_socket(there, session["session_id"]) == 404

    run_apart(walk())


def test_a_cancelled_consent_keeps_nothing(tmp_path: Path) -> None:
    async def walk() -> None:
        async with page(tmp_path) as there:
            consent_id, session = await begin(there)
            await sit(there, session)
            assert (await there.ask("cancel", {"consent_id": consent_id}))[0] == 200
            assert (await there.ask("gallery", {"consent_id": consent_id}))[1]["code"] == "unknown_consent"
            assert (await there.ask("people"))[1]["people"] == []

    run_apart(walk())


# --- what does not come from our page


FOREIGN = [
    {"Origin": "https://elsewhere.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://[broken"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


def test_foreign_pages_are_refused(tmp_path: Path) -> None:
    async def walk() -> None:
        async with page(tmp_path) as there:
            _, session = await begin(there)
            for headers in FOREIGN:
                for path in ("people", "notice"):
                    async with there.client.get(f"{PREFIX}/{path}", headers=headers) as answer:
                        assert is_refusal(answer.status, await answer.json()) and answer.status == 403, headers
                for path in QUESTIONS:
                    status, answer = await there.ask(path, CONSENT, headers=headers)
                    assert is_refusal(status, answer) and status == 403, (path, headers)
                assert await refused_socket(there, session["session_id"], headers) == 403, headers

    run_apart(walk())


async def refused_socket(there: Any, session_id: str, headers: dict[str, str] | None = None) -> int:
    """The status with which a WebSocket is refused."""
    upgrade = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
    }
    url = there.client.make_url("/").with_path(f"{PREFIX}/camera/{session_id}", encoded=True)
    async with ClientSession() as client, client.get(url, headers={**upgrade, **(headers or {})}) as answer:
        if answer.content_type == "application/json":
            assert is_refusal(answer.status, await answer.json())
        return answer.status


def test_socket_without_a_session_is_refused(tmp_path: Path) -> None:
    async def walk() -> None:
        async with page(tmp_path) as there:
            for session_id in ("0" * 32, "x", "..%2f..%2fetc%2fpasswd", "%00", "a" * 5000, "%F0%9F%98%80", "';%20drop%20table"):
                assert await refused_socket(there, session_id) == 404, session_id

    run_apart(walk())


def test_one_session_has_one_camera(tmp_path: Path) -> None:
    async def walk() -> None:
        async with page(tmp_path) as there:
            _, session = await begin(there)
            async with there.client.ws_connect(f"{PREFIX}/camera/{session['session_id']}"):
                assert await refused_socket(there, session["session_id"]) == 409
            await asyncio.sleep(0.1)
            assert await refused_socket(there, session["session_id"]) == 404  # the session ended with its camera

    run_apart(walk())


BAD_FRAMES = {
    "nothing": b"",
    "no picture": b"\0" * 36,
    "half a header": b"\0" * 20,
    "not a JPEG": message("00" * 32, 0, b"\x89PNG" + b"0" * 900),
    "a tiny picture": message("00" * 32, 0, jpeg(8, 8)),
    "a decompression bomb": message("00" * 32, 0, jpeg().replace(b"\x00\xf0\x01\x40", b"\xff\xf0\xff\x40", 1)),
    "text as bytes": b"hello" * 200,
}


def test_bad_frames_end_the_session_in_a_sentence(tmp_path: Path) -> None:
    async def walk() -> None:
        async with page(tmp_path) as there:
            for kind, data in BAD_FRAMES.items():
                _, session = await begin(there)
                async with there.client.ws_connect(f"{PREFIX}/camera/{session['session_id']}") as socket:
                    await socket.send_bytes(data)
                    answer = await socket.receive_json()
                    assert answer["code"] and answer["sentence"].endswith("."), kind
                    assert (await socket.receive()).type in (WSMsgType.CLOSE, WSMsgType.CLOSED), kind
            assert (await there.ask("people"))[0] == 200

    run_apart(walk())


def test_huge_frames_are_cut_off(tmp_path: Path) -> None:
    async def walk() -> None:
        async with page(tmp_path) as there:
            _, session = await begin(there)
            async with there.client.ws_connect(f"{PREFIX}/camera/{session['session_id']}") as socket:
                await socket.send_bytes(b"\0" * (4 * LARGEST_MESSAGE))
                assert (await socket.receive()).type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR)
            assert (await there.ask("people"))[0] == 200

    run_apart(walk())


@pytest.mark.slow
def test_foreign_nonces_and_chatter_change_nothing_until_the_line_is_cut(tmp_path: Path) -> None:
    async def walk() -> None:
        async with page(tmp_path) as there:
            _, session = await begin(there)
            async with there.client.ws_connect(f"{PREFIX}/camera/{session['session_id']}") as socket:
                codes = []
                for index in range(BREACHES):
                    if index % 2:
                        await socket.send_str(["hello", "swap", "{}", "\0"][index // 2 % 4])
                    else:
                        await socket.send_bytes(message("ab" * 32, index))
                    codes.append((await socket.receive_json())["code"])
                    await asyncio.sleep(0.06)  # no faster than a camera
                assert set(codes) <= {"wrong_nonce", "bad_question", "no_swap_left"}
                assert (await socket.receive()).type in (WSMsgType.CLOSE, WSMsgType.CLOSED)

    run_apart(walk())


def test_a_flood_of_frames_is_cut_off(tmp_path: Path) -> None:
    async def walk() -> None:
        async with page(tmp_path) as there:
            _, session = await begin(there)
            challenge = there.reception._maker.sessions[session["session_id"]]
            challenge.receive = lambda *_: Guidance("neutral")
            async with there.client.ws_connect(f"{PREFIX}/camera/{session['session_id']}") as socket:
                picture, answer = jpeg(), {}
                for sequence in range(500):
                    await socket.send_bytes(message(session["nonce"], sequence, picture))
                    answer = await socket.receive_json()
                    if "code" in answer:
                        break
                assert answer["code"] == "too_fast"

    run_apart(walk())


WEIRD = [
    None,
    True,
    0,
    -1,
    1.5,
    2**70,
    "",
    "x" * 300,
    "\0",
    "../../etc/passwd",
    "\ud800",
    [],
    [[]],
    ["a"] * 200,
    {},
    {"a": 1},
    "none",
    "0" * 32,
]


def test_any_json_gets_a_sentence(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Every route, every field, every kind of wrong value: 540 questions, no 500, nothing logged."""

    async def walk() -> None:
        async with page(tmp_path) as there:
            dice = random.Random(7)
            fields = [*CONSENT, *WISHES, "consent_id", "receipt_id", "keep"]
            for number in range(540):
                question = {**CONSENT, **WISHES, "consent_id": "0" * 32, "receipt_id": "0" * 32, "keep": [1]}
                for name in dice.sample(fields, dice.randint(1, 4)):
                    question[name] = dice.choice(WEIRD)
                path = QUESTIONS[number % len(QUESTIONS)]
                status, answer = await there.ask(path, question)
                assert status == 200 or is_refusal(status, answer), (path, question, status, answer)

    with caplog.at_level(logging.DEBUG):
        run_apart(walk())
    assert not [record for record in caplog.records if record.name == "music_video"]
    assert not any(secret in record.getMessage() for record in caplog.records for secret in SECRETS)


BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"[" * 8000,
    b'{"a":' * 3000,
    b"\xff\xfe",
    b'{"name": NaN',
    b"{}" + b" " * LARGEST_QUESTION,
    b"x" * 100_000,
]


def test_broken_bodies_get_a_sentence(tmp_path: Path) -> None:
    async def walk() -> None:
        async with page(tmp_path) as there:
            for body in BODIES:
                for path in QUESTIONS:
                    assert is_refusal(*await there.ask(path, data=body, headers={"Content-Type": "application/json"})), (path, body[:20])
                assert is_refusal(*await there.ask(path, data=body, headers={"Content-Type": "text/plain"})), body[:20]

    run_apart(walk())


def test_path_tricks_reach_nothing(tmp_path: Path) -> None:
    async def walk() -> None:
        async with page(tmp_path) as there:
            for receipt_id in ("../../../etc/passwd", "..", "/", "C:\\", "0" * 31, "0" * 33, "\0" * 32, "G" * 32, "0" * 32):
                for path in ("people/show", "people/export", "people/withdraw"):
                    status, answer = await there.ask(path, {"receipt_id": receipt_id})
                    assert is_refusal(status, answer) and answer["code"] == "unknown_receipt", (path, receipt_id, answer)

    run_apart(walk())


# --- bounds


def test_a_thousand_sessions_are_not_opened(tmp_path: Path) -> None:
    async def walk() -> None:
        async with page(tmp_path, SessionMaker(NoFace)) as there:
            consent_id = (await there.ask("consent", CONSENT))[1]["consent_id"]
            answers = [await there.ask("session", {"consent_id": consent_id, **WISHES}) for _ in range(1000)]
            assert sum(status == 200 for status, _ in answers) == MOST
            assert all(status == 429 and is_refusal(status, answer) for status, answer in answers if status != 200)
            assert len(there.reception._visits) <= MOST

    run_apart(walk())


def test_sessions_that_ran_out_are_let_go(tmp_path: Path) -> None:
    clock = SimpleNamespace(now=0.0)
    reception = Reception(PersonStore(tmp_path / "private"), SessionMaker(NoFace, lambda: clock.now), lambda: clock.now)
    consent_id = reception.take_consent(consent())
    for _ in range(6):
        with pytest.raises(ChallengeError):
            for _ in range(MOST + 1):
                reception.open_session(consent_id, relaxed=False, colours=False, follow=True)
        assert len(reception._visits) <= 2 * MOST
        clock.now += 130


def test_consents_that_wait_are_few_and_forgotten(tmp_path: Path) -> None:
    clock = SimpleNamespace(now=0.0)
    store = PersonStore(tmp_path / "private")
    reception = Reception(store, SessionMaker(NoFace), lambda: clock.now)
    for _ in range(CONSENTS):
        reception.take_consent(consent())
    with pytest.raises(ReceptionError):
        reception.take_consent(consent())
    lines = len((tmp_path / "private" / "ledger.jsonl").read_text().splitlines())
    with pytest.raises(ReceptionError):
        reception.take_consent(consent())
    assert len((tmp_path / "private" / "ledger.jsonl").read_text().splitlines()) == lines  # a refused one writes nothing
    clock.now += WAITING + 1
    reception.take_consent(consent())
    assert len(reception._waiting) == 1


def consent() -> Any:
    from pack.nodes.engine.person.receipt import Consent

    return Consent(**{**CONSENT, "purposes": ("train_lora",)})


def test_unforeseen_errors_say_nothing_of_the_person(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def walk() -> None:
        async with page(tmp_path) as there:

            def fail(*_: Any) -> None:
                raise RuntimeError(f"could not write {NAME}")

            there.store.begin_consent = fail
            status, answer = await there.ask("consent", CONSENT)
            assert status == 500 and answer["code"] == "failed"
            assert not any(secret in json.dumps(answer, ensure_ascii=False) for secret in SECRETS)

    with caplog.at_level(logging.DEBUG):
        run_apart(walk())
    assert "RuntimeError" in caplog.text
    assert not any(secret in caplog.text for secret in SECRETS)
