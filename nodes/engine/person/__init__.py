"""Who may be shown: camera -> verified session -> receipt -> data set. Nothing here knows ComfyUI."""
