"""How well the borders and repetitions of songs of known form are found, beside librosa's Laplacian segmentation in the same run.

    python tests/bench/bench_sections.py FOLDER [--first 16] [--songs 12] [--known-bars]

Songs are rendered into FOLDER once (`song_forms.py`). The first 16 served to set the weights, those from 16 on did not. Scores are
mir_eval's: F of the borders at 0.5 and 3 s without the song's two ends, and pairwise F of the labels. Bars are those that the analyser
hears, or with --known-bars the score's. librosa's recipe (McFee & Ellis 2014,
as in its gallery) works on its own beats, with as many kinds of part as the song has.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import conftest  # noqa: E402, F401  (loads the pack as ComfyUI does)
import song_forms  # noqa: E402


def score(song: song_forms.FormedSong, borders: np.ndarray, labels: list[str]) -> tuple[float, float, float]:
    import mir_eval

    end = song.borders[-1]
    kept = borders[:-1] < end - 0.05
    borders, labels = np.append(borders[:-1][kept], end), [label for label, keep in zip(labels, kept, strict=True) if keep]
    truth, found = (np.stack([times[:-1], times[1:]], axis=1) for times in (song.borders, borders))
    half, three = (mir_eval.segment.detection(truth, found, window=window, trim=True)[2] for window in (0.5, 3.0))
    return half, three, mir_eval.segment.pairwise(truth, song.labels, found, labels)[2]


def ours(samples: np.ndarray, rate: int, song: song_forms.FormedSong, known: bool) -> tuple[np.ndarray, list[str]]:
    from pack.nodes.engine.song.analysis import analyse_song
    from pack.nodes.engine.song.recording import examine_recording
    from pack.nodes.engine.song.sections import find_sections
    from pack.nodes.engine.song.spectrum import measure_spectrum

    if known:
        recording = examine_recording(samples, rate)
        sections = find_sections(measure_spectrum(recording, lambda *_: None), song.downbeats, song.borders[-1])
    else:
        sections = analyse_song(samples, rate).sections
    if not sections:
        return np.array([0.0, song.borders[-1]]), ["A"]
    return np.array([0.0, *(part.end for part in sections)]), [part.label for part in sections]


def laplacian(samples: np.ndarray, rate: int, song: song_forms.FormedSong) -> tuple[np.ndarray, list[str]]:
    """librosa's gallery example, in its own parameters."""
    import librosa
    import scipy
    from sklearn.cluster import KMeans

    y = librosa.resample(samples.mean(axis=0), orig_sr=rate, target_sr=22050)
    kinds = len(set(song.labels))
    spectrum = librosa.amplitude_to_db(np.abs(librosa.cqt(y=y, sr=22050, bins_per_octave=36, n_bins=7 * 36)), ref=np.max)
    _, beats = librosa.beat.beat_track(y=y, sr=22050, trim=False)
    synchronous = librosa.util.sync(spectrum, beats, aggregate=np.median)
    times = librosa.frames_to_time(librosa.util.fix_frames(beats, x_min=0), sr=22050)
    recurrence = librosa.segment.recurrence_matrix(synchronous, width=3, mode="affinity", sym=True)
    repeated = librosa.segment.timelag_filter(scipy.ndimage.median_filter)(recurrence, size=(1, 7))
    timbre = librosa.util.sync(librosa.feature.mfcc(y=y, sr=22050), beats)
    distance = np.sum(np.diff(timbre, axis=1) ** 2, axis=0)
    near = np.exp(-distance / np.median(distance))
    path = np.diag(near, k=1) + np.diag(near, k=-1)
    degree, repeated_degree = path.sum(axis=1), repeated.sum(axis=1)
    share = degree.dot(degree + repeated_degree) / np.sum((degree + repeated_degree) ** 2)
    graph = scipy.sparse.csgraph.laplacian(share * repeated + (1 - share) * path, normed=True)
    vectors = scipy.ndimage.median_filter(scipy.linalg.eigh(graph)[1], size=(9, 1))
    norm = np.cumsum(vectors**2, axis=1) ** 0.5
    labels = KMeans(n_clusters=kinds, n_init=10, random_state=0).fit_predict(vectors[:, :kinds] / (norm[:, kinds - 1 : kinds] + 1e-9))
    starts = 1 + np.flatnonzero(labels[:-1] != labels[1:])
    borders = np.concatenate([[0.0], times[starts], [song.borders[-1]]])
    assert len(borders) == len(starts) + 2
    return borders, [str(labels[0]), *(str(labels[start]) for start in starts)]


def main() -> None:
    import soundfile

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--first", type=int, default=16)
    parser.add_argument("--songs", type=int, default=12)
    parser.add_argument("--known-bars", action="store_true")
    parser.add_argument("--alone", action="store_true", help="leave librosa out")
    options = parser.parse_args()
    rows: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    for song in song_forms.render_songs(options.folder, range(options.first, options.first + options.songs)):
        samples, rate = soundfile.read(song.sound, dtype="float32", always_2d=True)
        samples = samples[: int(song.borders[-1] * rate)].T
        methods = {"ours": lambda s=samples, r=rate, o=song: ours(s, r, o, options.known_bars)}
        if not options.alone:
            methods["librosa, Laplacian"] = lambda s=samples, r=rate, o=song: laplacian(s, r, o)
        for name, method in methods.items():
            began = time.process_time()
            borders, labels = method()
            cost = (time.process_time() - began) / song.borders[-1] * 60
            rows[name].append((*score(song, borders, labels), len(labels), len(song.labels), cost))
            print(f"{song.name:14s} {name:20s}", *(f"{value:.2f}" for value in rows[name][-1]), "".join(labels) if name == "ours" else "",
                  "".join(song.labels), flush=True)  # fmt: skip
    print("\n| method | songs | border F, 0.5 s | border F, 3 s | pairwise F | sections | truth | CPU s/min |")
    print("|---|---|---|---|---|---|---|---|")
    for name, found in rows.items():
        means = np.mean(found, axis=0)
        print(
            f"| {name} | {len(found)} | "
            + " | ".join(f"{mean:.3f}" for mean in means[:3])
            + " | "
            + " | ".join(f"{m:.1f}" for m in means[3:])
            + " |"
        )


if __name__ == "__main__":
    main()
