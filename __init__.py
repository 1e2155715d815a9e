"""Personal Music Video: a song and a consenting person's face become a beat-synced film, in ComfyUI.

ComfyUI calls `comfy_entrypoint` and serves `WEB_DIRECTORY`. Nothing is imported before it asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from comfy_api.latest import ComfyExtension

WEB_DIRECTORY = "./js"


async def comfy_entrypoint() -> ComfyExtension:
    """The pack's nodes. ComfyUI logs an error here as one line, so the traceback is logged first."""
    import logging

    try:
        from .nodes.extension import PersonalMusicVideo

        return PersonalMusicVideo()
    except Exception:
        logging.getLogger("music_video").exception("Personal Music Video could not be loaded")
        raise
