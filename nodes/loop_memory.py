"""Forgets what the nodes of a finished shot made, so that one shot is in memory at a time.

Core keeps the results of all nodes, those made by node expansion too, until the run is over (ComfyUI issues 4646 and 5385;
ComfyUI-Easy-Use issue 781): forty shots of five seconds at 1280x720 would be 50 GiB. Core has no call that drops them,
so this looks up its caches and takes the entries out. Where a later core keeps them in another way, nothing is found here:
the film is the same, and only needs more memory.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable
from typing import Any


def forget_results(node_ids: Iterable[str]) -> int:
    """Takes the results of these nodes out of core's caches and returns how many there were."""
    wanted = list(node_ids)
    return sum(_forget(cache, node_id) for cache in _caches() for node_id in wanted)


def _caches() -> list[Any]:
    """Core's caches of results and of node objects, in whichever mode it runs. Nothing hands them to a node; the collector knows all."""
    from comfy_execution import caching

    kind = getattr(caching, "BasicCache", ())
    return [thing for thing in gc.get_objects() if issubclass(type(thing), kind)] if kind else []


def _forget(cache: Any, node_id: str) -> int:
    find_key, entries = getattr(getattr(cache, "cache_key_set", None), "get_data_key", None), getattr(cache, "cache", None)
    key = find_key(node_id) if find_key else None
    return int(key is not None and isinstance(entries, dict) and entries.pop(key, None) is not None)
