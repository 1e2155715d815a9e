"""What both commands share: a Python environment, a ComfyUI, a server, and one workflow run on it.

    environment.py   a virtual environment with everything installed   (standard library only)
    comfyui.py       where ComfyUI is, or a copy fetched into .cache    (standard library only)
    server.py        ComfyUI without a window, on a free port, with folders of its own
    graph.py         a workflow as the editor saves it -> the prompt that the server takes
    client.py        sends a prompt, follows it, says what went wrong
    terminal.py      the progress line

It knows nothing of the pack's code: it uses the pack as a person would, through ComfyUI.
"""
