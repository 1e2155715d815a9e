"""A song as the sound of a film: checks its samples, makes it fit what the encoders take, hands it out in blocks.

Samples are float32, shape [channels, samples], nominal -1..1; time zero of the song is time zero of the film.
Knows nothing of pictures or files.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

log = logging.getLogger("music_video")

BLOCK = 4096  # samples per block: under a tenth of a second, so that sound and pictures lie side by side in the file
LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1"}  # those that every codec here takes


@dataclass(frozen=True)
class Sound:
    samples: np.ndarray  # float32 [channels, samples], -1..1
    rate: int  # Hz

    @property
    def layout(self) -> str:
        return LAYOUTS[len(self.samples)]

    @property
    def duration(self) -> float:
        return self.samples.shape[1] / self.rate

    def blocks(self) -> Iterator[np.ndarray]:
        """The samples in order as contiguous pieces [channels, up to BLOCK]."""
        for start in range(0, self.samples.shape[1], BLOCK):
            yield np.ascontiguousarray(self.samples[:, start : start + BLOCK], dtype=np.float32)


@dataclass(frozen=True)
class PreparedSound:
    sound: Sound
    remarks: tuple[str, ...]


def prepare_sound(samples: np.ndarray, rate: int) -> PreparedSound:
    """The song ready to be encoded, and what had to be changed, one sentence each.

    A song louder than full scale is turned down as a whole, because encoders would clip its peaks one by one.
    Raises ValueError for samples that are no song: none, not finite, more than 7 channels, an impossible rate.
    """
    if samples.ndim != 2 or 0 in samples.shape:
        raise ValueError(f"The audio is empty (its shape is {list(samples.shape)}); connect a song with sound in it.")
    if len(samples) not in LAYOUTS:
        raise ValueError(f"The audio has {len(samples)} channels, and a film can carry 7 at most; mix it down to stereo or 5.1.")
    if not 4000 <= rate <= 768000:
        raise ValueError(f"The audio has a sample rate of {rate} Hz; convert it to one from 4000 to 768000 Hz, best 44100 or 48000.")
    peak = float(max(samples.max(), -samples.min()))  # NaN and infinity survive both
    if not np.isfinite(peak):
        raise ValueError(
            "The audio holds values that are no numbers (NaN or infinite); load the song again or repair the node that made it."
        )
    if peak <= 1.0:
        return PreparedSound(Sound(samples, rate), ())
    remark = f"The song goes {20 * np.log10(peak):.1f} dB over full scale and was turned down by that much so that it does not clip."
    log.warning(remark)
    return PreparedSound(Sound((samples / np.float32(peak)).astype(np.float32), rate), (remark,))
