"""Several ComfyUI servers draw the shots of one film, each on its own port or card, with Ray (an optional package).

Goes in: the film's prompt. What comes out lies in the folder of finished clips that all servers share; whoever runs the whole
prompt afterwards finds every clip there. A worker that dies gives its shots to the others and is started again. Ray runs on this
machine unless RAY_ADDRESS names a cluster, whose machines must see this folder under the same path.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .client import Client, ServerGoneError
from .comfyui import ROOT, SetupError
from .graph import Prompt
from .server import start_server
from .shares import Shares, share_prompt
from .terminal import ProgressLine

THREADS = "OMP_NUM_THREADS"
WAITING = "OMP_WAIT_POLICY"
RESTARTS = 2  # of each worker; one that dies more often lacks something that a restart does not give


@dataclass
class Crew:
    """The workers of one film and what each is at."""

    start: Callable[[], Any]
    running: dict[Any, tuple[Any, range]]  # Ray's promise: worker, its shots (none yet while it starts)
    processes: dict[Any, tuple[int, float]]  # worker: its server's process, and when that started
    restarts: int


def draw_shots(prompt: Prompt, shots: int, workers: int, comfyui: Path, base: Path, cpu: bool, progress: ProgressLine) -> None:
    """Has all shots of the prompt drawn. Raises RunError for what no worker can draw, SetupError where the workers cannot be had."""
    with _started_ray() as ray:
        share_of_card = 0 if cpu else min(1.0, ray.cluster_resources().get("GPU", 0) / workers)
        actor = ray.remote(num_cpus=0, num_gpus=share_of_card)(Worker)
        threads = os.environ.get(THREADS)
        crew = Crew(lambda: actor.remote(comfyui, base, cpu, threads), {}, {}, RESTARTS * workers)
        progress.start(f"{shots} shots on {workers} workers")
        try:
            for _ in range(min(workers, shots)):
                _add_worker(crew)
            _hand_out(ray, crew, prompt, Shares(shots, workers), progress)
        finally:
            for worker in list(crew.processes):
                _end(ray, crew, worker)
        progress.finish()


class Worker:
    """Lives in a process of Ray's: a ComfyUI server of its own, and the shots that it is given."""

    def __init__(self, comfyui: Path, base: Path, cpu: bool, threads: str | None) -> None:
        # Ray gives its processes one thread each. Sums in another number of threads are other sums in the last bit, so the
        # server gets as many as it would have without Ray, and the film is the same.
        os.environ.pop(THREADS, None)
        os.environ.update({THREADS: threads} if threads else {})
        # Threads that wait must not keep a core busy that another worker needs: two workers on two cores took four times as long.
        os.environ.setdefault(WAITING, "passive")
        self._server = start_server(Path(sys.executable), comfyui, base, cpu=cpu)

    def process(self) -> tuple[int, float]:
        import psutil

        return self._server.process.pid, psutil.Process(self._server.process.pid).create_time()

    def draw(self, prompt: Prompt) -> None:
        asyncio.run(_run_quietly(self._server.url, prompt))


async def _run_quietly(url: str, prompt: Prompt) -> None:
    async with Client(url) as client:
        await client.run(prompt, ProgressLine(len(prompt), io.StringIO()))


def _hand_out(ray: Any, crew: Crew, prompt: Prompt, shares: Shares, progress: ProgressLine) -> None:
    from ray.exceptions import RayActorError, RayTaskError

    while shares.done < shares.total:
        if not crew.running:
            raise SetupError("All workers ended before the film was done; their logs in .cache/run tell why. What was finished is kept.")
        (promise,), _ = ray.wait(list(crew.running), num_returns=1)
        worker, share = crew.running.pop(promise)
        try:
            result = ray.get(promise)
        except (RayActorError, ServerGoneError):
            shares.give_back(share)
            _replace(ray, crew, worker)
            continue
        except RayTaskError as error:
            raise error.cause from None  # what the worker said, without Ray's own words around it
        if worker not in crew.processes:
            crew.processes[worker] = result
        shares.finish(share)
        progress.update(shares.done, shares.total)
        following = shares.take()
        if following is not None:
            crew.running[worker.draw.remote(share_prompt(prompt, following))] = (worker, following)


def _add_worker(crew: Crew) -> None:
    worker = crew.start()
    crew.running[worker.process.remote()] = (worker, range(0))


def _replace(ray: Any, crew: Crew, worker: Any) -> None:
    _end(ray, crew, worker)
    if crew.restarts > 0:
        crew.restarts -= 1
        _add_worker(crew)


def _end(ray: Any, crew: Crew, worker: Any) -> None:
    """Ends a worker and its server, which outlives a worker that was killed."""
    import psutil

    ray.kill(worker)
    number, started = crew.processes.pop(worker, (0, 0.0))
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(number)
        if number and process.create_time() == started:  # not another process that has got the number since
            process.kill()
            process.wait(10)


@contextlib.contextmanager
def _started_ray() -> Iterator[Any]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a render tells nobody anything
    try:
        import ray
    except ImportError as error:
        raise SetupError(f"--workers needs the package Ray: {sys.executable} -m pip install ray") from error
    path = os.pathsep.join([str(ROOT / "workflows"), *filter(None, [os.environ.get("PYTHONPATH")])])
    local = {} if os.environ.get("RAY_ADDRESS") else {"include_dashboard": False, "object_store_memory": 2**27}
    ray.init(logging_level=logging.ERROR, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": path}}, **local)
    try:
        yield ray
    finally:
        ray.shutdown()
