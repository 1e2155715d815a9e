"""The recogniser: faster-whisper with settings for singing.

Speech recognisers lose the thread in music. So: nothing said before steers what is heard next, text that repeats itself or stands in
silence is distrusted, and no detector of speech decides (on real mixes they miss most singing); where a vocals stem says when
somebody sings, only that is listened to. Sound is mono float32 at 16 kHz, times are seconds. A model is given as a folder.
Source of the settings: measurements in audio.md of this project; Radford et al. 2022 for Whisper's own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .heard_words import HeardSegment, HeardWord
from .recogniser import HEARING_RATE, Hearing
from .voice import join_spans
from .whisper_models import RecogniserError, check_model

PIECE = 300.0  # seconds that are listened to in one go; the spectrum of hours would fill the memory
QUIET = 20.0  # seconds around the end of a piece in which a quiet moment is looked for
SHORTEST = 0.2  # seconds; faster-whisper fails on less
NEARBY = 3.0  # seconds; spans of singing that are closer are heard as one
AROUND = 0.4  # seconds of sound kept on either side of a span
WINDOW = 30.0  # seconds that the model hears at once
FRAMES = 3000  # of its spectrum in that time
MOST_TOKENS = 440  # of the 448 that the model can hold
DOUBTED_SILENCE = 2.0  # seconds of silence around words that make them suspect

log = logging.getLogger("music_video")


class Whisper:
    """A loaded model. `remark` says what had to be done differently, if anything."""

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        check_model(folder)
        self.remark = ""
        try:
            self._model = _load(folder, device)
        except RecogniserError:
            if device == "cpu":
                raise
            self.remark = "The graphics card could not run the recogniser, so the processor did."
            log.warning("faster-whisper does not run on the graphics card here (cuBLAS 12 and cuDNN 9 are needed); it uses the processor.")
            self._model = _load(folder, "cpu")

    def hear(
        self, sound: np.ndarray, spans: np.ndarray | None, language: str | None, on_progress: Callable[[float, float], None]
    ) -> Hearing:
        """What is sung; see `recogniser.Recogniser`. `on_progress` gets seconds heard and in all, and may raise to stop."""
        total = len(sound) / HEARING_RATE
        on_progress(0.0, total)
        wanted = None if spans is None else _widen(spans, total)
        language = self._choose_language(sound, wanted, language)
        segments: list[HeardSegment] = []
        for begin, end in cut_pieces(sound):
            clips = [0.0, end - begin] if wanted is None else _clips(wanted, begin, end)
            if not clips or end - begin < SHORTEST:
                continue
            piece = sound[int(begin * HEARING_RATE) : int(end * HEARING_RATE)]
            for segment in self._transcribe(piece, clips, language):
                segments.append(_to_segment(segment, begin))
                on_progress(min(total, begin + float(segment.end)), total)
            on_progress(end, total)
        return Hearing(tuple(segments), language)

    def time_text(self, sound: np.ndarray, text: str, language: str) -> list[HeardWord]:
        """Times of a text by the model's own attention (dynamic time warping over its alignment heads)."""
        from faster_whisper.audio import pad_or_trim
        from faster_whisper.tokenizer import Tokenizer

        multilingual = self._model.model.is_multilingual
        tokenizer = Tokenizer(self._model.hf_tokenizer, multilingual, "transcribe", language if multilingual else "en")
        tokens = tokenizer.encode(text)
        if not tokens or len(tokens) > MOST_TOKENS or len(sound) > WINDOW * HEARING_RATE:
            return []
        features = self._model.feature_extractor(sound)
        frames = min(features.shape[-1] - 1, FRAMES)
        encoded = self._model.encode(pad_or_trim(features[..., :frames]))
        timed = self._model.find_alignment(tokenizer, [tokens], encoded, frames)[0]
        return [HeardWord(float(word["start"]), float(word["end"]), word["word"], float(word["probability"])) for word in timed]

    def _transcribe(self, sound: np.ndarray, clips: list[float], language: str) -> Iterator[Any]:
        segments, _ = self._model.transcribe(
            sound,
            language=language,
            beam_size=5,
            condition_on_previous_text=False,
            word_timestamps=True,
            vad_filter=False,
            hallucination_silence_threshold=DOUBTED_SILENCE,
            clip_timestamps=clips,
        )
        return iter(segments)

    def _choose_language(self, sound: np.ndarray, spans: np.ndarray | None, language: str | None) -> str:
        """The language asked for, else the one heard where most is sung."""
        if not self._model.model.is_multilingual:
            if language not in (None, "en"):
                raise RecogniserError(
                    f"This Whisper model knows English only, but the lyrics are in '{language}'; choose a model without '.en'."
                )
            return "en"
        if language is not None:
            if language not in self._model.supported_languages:
                raise RecogniserError(f"This Whisper model does not know the language '{language}'; choose another language or model.")
            return language
        begin = int(fullest_window(sound, spans) * HEARING_RATE)
        excerpt = sound[begin : begin + int(WINDOW * HEARING_RATE)]
        return str(self._model.detect_language(audio=excerpt)[0])


def _load(folder: Path, device: str) -> Any:
    """A WhisperModel that was seen to run; RecogniserError where it cannot be loaded."""
    try:
        from faster_whisper import WhisperModel
    except ImportError as error:
        raise RecogniserError("The recogniser needs the package faster-whisper; install it with: pip install faster-whisper") from error
    try:
        model = WhisperModel(str(folder), device=device, compute_type="auto" if device == "cuda" else "int8", local_files_only=True)
        bands = int(model.feature_extractor.mel_filters.shape[0])
        if bands != model.model.n_mels:
            raise RecogniserError(
                f"The Whisper model '{folder.name}' lacks its preprocessor_config.json "
                f"({model.model.n_mels} bands); copy that file beside model.bin."
            )
        if device != "cpu":
            model.encode(np.zeros((bands, FRAMES), np.float32))  # missing libraries of the card show only now
        return model
    except (RuntimeError, ValueError, OSError) as error:
        if isinstance(error, RecogniserError):
            raise
        raise RecogniserError(
            f"The Whisper model '{folder.name}' cannot be loaded ({_first_words(error)}); "
            "copy its files again, all from one faster-whisper model."
        ) from error
    except Exception as error:  # tokenizers raises a bare Exception for a tokenizer.json that is none
        raise RecogniserError(
            f"The tokenizer.json of the Whisper model '{folder.name}' cannot be read; copy that file again from the same model."
        ) from error


def _first_words(error: BaseException) -> str:
    """What a library says, without paths of this machine."""
    words = [word for word in str(error).split() if "/" not in word and "\\" not in word]
    return " ".join(words[:12]).rstrip(".,:;") or type(error).__name__


def cut_pieces(sound: np.ndarray) -> list[tuple[float, float]]:
    """Begin and end, in seconds, of the pieces of a long sound, cut where it is quiet near the end of each."""
    total = len(sound) / HEARING_RATE
    pieces, begin = [], 0.0
    while total - begin > PIECE:
        first = int((begin + PIECE - QUIET) * HEARING_RATE)
        frames = sound[first : int((begin + PIECE) * HEARING_RATE)].reshape(-1, HEARING_RATE // 10)  # 0.1 s each
        level = np.convolve(np.square(frames).mean(axis=1), np.ones(3), mode="same")
        level[[0, -1]] = np.inf
        cut = first / HEARING_RATE + (int(level.argmin()) + 0.5) / 10
        pieces.append((begin, cut))
        begin = cut
    return [*pieces, (begin, total)]


def fullest_window(sound: np.ndarray, spans: np.ndarray | None) -> float:
    """Where the 30 seconds begin in which most is sung, or the sound is strongest."""
    seconds = max(1, len(sound) // HEARING_RATE)
    if spans is None:
        weight = np.array([np.square(sound[second * HEARING_RATE : (second + 1) * HEARING_RATE]).mean() for second in range(seconds)])
    else:
        marks = np.arange(seconds)[:, None]
        weight = np.clip(np.minimum(spans[None, :, 1], marks + 1) - np.maximum(spans[None, :, 0], marks), 0, None).sum(axis=1)
    whole = np.concatenate([[0.0], np.cumsum(weight)])
    width = min(int(WINDOW), seconds)
    return float(np.argmax(whole[width:] - whole[:-width]))


def _widen(spans: np.ndarray, total: float) -> np.ndarray:
    wide = np.asarray(spans, float).reshape(-1, 2) + np.array([-AROUND, AROUND])
    return join_spans(wide, NEARBY).clip(0, total)


def _clips(spans: np.ndarray, begin: float, end: float) -> list[float]:
    """The spans within a piece as faster-whisper takes them: begins and ends in turn, from the piece's zero."""
    inside = spans.clip(begin, end) - begin
    return [float(edge) for span in inside if span[1] - span[0] > SHORTEST for edge in span]


def _to_segment(segment: Any, begin: float) -> HeardSegment:
    words = tuple(
        HeardWord(begin + float(word.start), begin + float(word.end), str(word.word), float(word.probability))
        for word in segment.words or ()
    )
    return HeardSegment(words, float(segment.no_speech_prob), float(segment.avg_logprob))
