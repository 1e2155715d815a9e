"""What the user gives beside the timeline, shot by shot: a picture to begin with, and the part of the song that is heard."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from .engine.film.shot_loop import cut_sound
from .engine.timeline import Timeline, hash_samples, require_song
from .sockets import read_audio, to_audio

if TYPE_CHECKING:
    import torch


class ShotMaterial:
    """The pictures and the song, where they are connected; ValueError where they do not belong to the timeline."""

    def __init__(self, timeline: Timeline, audio: dict[str, Any] | None, keyframes: torch.Tensor | None) -> None:
        self._samples, self._rate = read_audio(audio) if audio is not None else (None, 0)
        if self._samples is not None:
            require_song(timeline, self._samples, self._rate)
        if keyframes is not None and len(keyframes) not in (1, len(timeline.shots)):
            raise ValueError(
                f"There are {len(keyframes)} keyframes, but the timeline has {len(timeline.shots)} shots; give one a shot, or one for all."
            )
        self._keyframes = keyframes
        self.has_pictures, self.has_sound = keyframes is not None, audio is not None

    def keyframe(self, number: int) -> torch.Tensor | None:
        """The picture of a shot (counted from 1), IMAGE [1, height, width, channels]."""
        if self._keyframes is None:
            return None
        return self._keyframes[number - 1 : number] if len(self._keyframes) > 1 else self._keyframes

    def sound(self, begin: float, seconds: float) -> dict[str, Any] | None:
        """What is heard from `begin` on, as core's AUDIO."""
        return None if self._samples is None else to_audio(cut_sound(self._samples, self._rate, begin, seconds), self._rate)

    def mark_picture(self, number: int) -> str:
        """SHA-256 of the shot's picture; empty where there is none."""
        picture = self.keyframe(number)
        return "" if picture is None else sha256(picture.cpu().float().numpy().tobytes()).hexdigest()

    def mark_sound(self, begin: float, seconds: float) -> str:
        """SHA-256 of what is heard; empty where there is no song."""
        return "" if self._samples is None else hash_samples(cut_sound(self._samples, self._rate, begin, seconds), self._rate)
