"""The work itself: song, person, film and demo meet only in `timeline`. Knows nothing of ComfyUI."""
