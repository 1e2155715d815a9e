"""How the built-in beat network's weights were made: music with exactly known beats, and the training. Not used by the nodes."""
