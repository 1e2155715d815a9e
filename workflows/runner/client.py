"""Sends a prompt to a running ComfyUI, follows it over the websocket, and says in one sentence what went wrong.

Goes in: the server's address and a prompt. Comes out: the run's history entry. It knows nothing of films.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from pathlib import Path
from typing import Any

import aiohttp

from .graph import Prompt
from .terminal import ProgressLine

TIDY_SECONDS = 15  # an interrupt is heard between two sampling steps


class RunError(RuntimeError):
    """The server refused or could not finish the prompt; the message is for people."""


class ServerGoneError(RunError):
    """The server ended or no longer answers; another one may do better."""


class Client:
    """`async with Client(url) as client` ... Raises RunError where the server says no or is gone."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.id = uuid.uuid4().hex

    async def __aenter__(self) -> Client:
        # Nothing is read from the environment: a proxy must not stand between us and our own machine.
        self.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, sock_connect=10))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def object_info(self) -> dict[str, Any]:
        return await self._get("/object_info")

    async def _interrupt(self, socket: Any) -> None:
        """Asks the server to stop the run, and gives it a moment to tidy up after itself."""
        async with self.session.post(f"{self.url}/interrupt", json={}):
            pass
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(_until_interrupted(socket), TIDY_SECONDS)

    async def run(self, prompt: Prompt, progress: ProgressLine, workflow: dict[str, Any] | None = None) -> dict[str, Any]:
        """Runs a prompt to its end and returns its outputs by node id. Cancelling it interrupts the server."""
        try:
            async with self.session.ws_connect(f"{self.url}/ws?clientId={self.id}", max_msg_size=0) as socket:
                run_id = await self._queue(prompt, workflow)
                try:
                    await self._follow(socket, run_id, prompt, progress)
                except asyncio.CancelledError:
                    await self._interrupt(socket)
                    raise
            history = await self._get(f"/history/{run_id}")
        except aiohttp.ClientError as error:
            raise ServerGoneError(f"ComfyUI no longer answers ({error}); its log tells why.") from error
        return history.get(run_id, {}).get("outputs", {})

    async def _queue(self, prompt: Prompt, workflow: dict[str, Any] | None) -> str:
        body: dict[str, Any] = {"prompt": prompt, "client_id": self.id}
        if workflow is not None:
            body["extra_data"] = {"extra_pnginfo": {"workflow": workflow}}
        async with self.session.post(f"{self.url}/prompt", json=body) as answer:
            data = await answer.json()
        if answer.status != 200:
            raise RunError(_refusal(data, prompt))
        return data["prompt_id"]

    async def _follow(self, socket: Any, run_id: str, prompt: Prompt, progress: ProgressLine) -> None:
        async for message in socket:
            if message.type != aiohttp.WSMsgType.TEXT:
                continue  # previews
            event = json.loads(message.data)
            if event.get("data", {}).get("prompt_id") == run_id and _show(event["type"], event["data"], prompt, progress):
                return
        raise ServerGoneError("ComfyUI ended in the middle of the run; its log tells why. What was finished is kept: run it again.")

    async def _get(self, path: str) -> dict[str, Any]:
        async with self.session.get(self.url + path) as answer:
            answer.raise_for_status()
            return await answer.json()


async def _until_interrupted(socket: Any) -> None:
    async for message in socket:
        if message.type == aiohttp.WSMsgType.TEXT and json.loads(message.data)["type"] == "execution_interrupted":
            return


def _show(kind: str, data: dict[str, Any], prompt: Prompt, progress: ProgressLine) -> bool:
    """Draws one event; True when the run is over. Raises RunError if it failed."""
    if kind == "executing" and data.get("node") is None:
        progress.finish()
        return True  # sent after the history is written, unlike "execution_success"
    shown = data.get("display_node", data.get("node"))  # of a node's copy in a loop the node itself
    if kind == "executing" and shown in prompt:
        progress.start(prompt[shown]["_meta"]["title"])
    elif kind == "progress":
        progress.update(data["value"], data["max"])
    elif kind == "execution_cached":
        progress.total -= len(data.get("nodes", []))
    elif kind == "execution_error":
        title = prompt.get(str(data.get("node_id")), {}).get("_meta", {}).get("title", data.get("node_type"))
        raise RunError(f"{title}: {str(data.get('exception_message', '')).strip()}")
    elif kind == "execution_interrupted":
        raise RunError("The run was interrupted. What was finished is kept: run it again to go on.")
    return False


def _refusal(data: dict[str, Any], prompt: Prompt) -> str:
    """Why the server did not take the prompt, with the node's title and what it said about the input."""
    for node_id, node in data.get("node_errors", {}).items():
        for error in node.get("errors", []):
            title = prompt.get(node_id, {}).get("_meta", {}).get("title", node.get("class_type"))
            return f"{title}: {error.get('message', '')} ({error.get('details', '')})"
    error = data.get("error", {})
    return f"ComfyUI refused the workflow: {error.get('message', error) if isinstance(error, dict) else error}"


def output_files(outputs: dict[str, Any], base: Path) -> list[Path]:
    """The files that a run saved into the output folder, in the order of the nodes."""
    found = []
    for result in outputs.values():
        for items in result.values():
            for item in items if isinstance(items, list) else []:
                if isinstance(item, dict) and item.get("type") == "output" and "filename" in item:
                    found.append(base / "output" / item.get("subfolder", "") / item["filename"])
    return found
