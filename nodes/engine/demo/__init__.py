"""The built-in model: its pictures, its training and its weights."""
