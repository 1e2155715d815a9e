"""The progress line: which node works, how far it is, and how long it may still take.

On a terminal the line is rewritten in place; into a file or a pipe it prints one line per node and ten per cent.
"""

from __future__ import annotations

import shutil
import sys
import time
from typing import TextIO


class ProgressLine:
    def __init__(self, total: int, stream: TextIO = sys.stdout) -> None:
        self.total = total
        self.stream = stream
        self.in_place = stream.isatty()
        self.number = 0
        self.title = ""
        self.started = 0.0
        self.shown = -1

    def start(self, title: str) -> None:
        """A node begins."""
        self.finish()
        self.number += 1
        self.title = title
        self.started = time.monotonic()
        self._write(self._head())

    def update(self, done: float, total: float) -> None:
        """The node has done so many of its steps."""
        if not self.title or total <= 0:
            return
        percent = int(100 * min(done / total, 1.0))
        if percent == self.shown or (not self.in_place and percent // 10 == self.shown // 10):
            return
        self.shown = percent
        spent = time.monotonic() - self.started
        left = f", about {clock(spent / percent * (100 - percent))} left" if 2 <= percent < 100 else ""
        self._write(f"{self._head()}  {percent:3d} %{left}")

    def finish(self) -> None:
        """The node is done: its line stays, with the time it took."""
        if self.title:
            self._write(f"{self._head()}  {clock(time.monotonic() - self.started)}")
            if self.in_place:
                self.stream.write("\n")
        self.title, self.shown = "", -1

    def _head(self) -> str:
        return f"[{self.number}/{max(self.total, self.number)}] {self.title}"

    def _write(self, text: str) -> None:
        if self.in_place:
            width = shutil.get_terminal_size().columns - 1
            self.stream.write("\r" + text[:width].ljust(width))
        else:
            self.stream.write(text + "\n")
        self.stream.flush()


def clock(seconds: float) -> str:
    """Seconds as people say them: "4 s", "2:05"."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60}:{whole % 60:02d}"
