"""The built-in model: the pictures it learns from, its networks, its training (`train.py`) and its weights (`load.py` reads them)."""
