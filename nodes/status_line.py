"""The line of text that ComfyUI shows on a node while and after it runs."""

from __future__ import annotations


def show_status(node_id: str | None, text: str) -> None:
    """Shows one line on the node; does nothing where no server runs (in tests and in other programs)."""
    from server import PromptServer

    server = getattr(PromptServer, "instance", None)
    if server is not None and node_id is not None:
        server.send_progress_text(text, node_id)
