"""Lyrics as pasted and what a recogniser hears -> lines and words in time. `aligner` is the order of the steps."""
