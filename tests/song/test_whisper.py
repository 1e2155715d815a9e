"""The real faster-whisper, run on a model that says known words: hearing, languages, stopping, aligning, and files that are wrong."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pack.nodes.engine.song.lyrics import whisper, whisper_models
from pack.nodes.engine.song.lyrics.aligner import LyricRequest, Sound, align_lyrics
from pack.nodes.engine.song.lyrics.recogniser import HEARING_RATE
from pack.nodes.engine.song.lyrics.whisper import Whisper, cut_pieces, fullest_window
from pack.nodes.engine.song.lyrics.whisper_models import RecogniserError, check_model, fetch_model, find_model, list_models
from pack.nodes.engine.timeline import Timeline

sys.path.append(str(Path(__file__).parent))

WORDS = "carry me home over the silver water"
real = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # torch, transformers and CTranslate2 are imported


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("faster_whisper")
    pytest.importorskip("transformers")
    import tiny_whisper

    return tiny_whisper.build(tmp_path_factory.mktemp("models") / "tiny", WORDS)


@pytest.fixture(scope="module")
def model(model_folder: Path) -> Iterator[Whisper]:
    yield Whisper(model_folder)


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(int(seconds * HEARING_RATE))).astype(np.float32)


def said(hearing: whisper.Hearing) -> str:
    return "".join(word.text for segment in hearing.segments for word in segment.words).strip()


class TestListening:
    pytestmark = real

    def test_what_is_said_comes_out_with_times_and_trust(self, model: Whisper) -> None:
        reports: list[tuple[float, float]] = []
        hearing = model.hear(noise(9), None, "en", lambda done, total: reports.append((done, total)))
        words = [word for segment in hearing.segments for word in segment.words]
        assert said(hearing) == WORDS and hearing.language == "en" and model.remark == ""
        assert all(0 <= word.start <= word.end <= 9.1 and word.probability > 0.9 for word in words)
        assert [word.start for word in words] == sorted(word.start for word in words)
        assert all(type(word.start) is float for word in words), "numbers of numpy cannot be written as JSON"
        assert reports[0] == (0.0, 9.0) and reports[-1] == (9.0, 9.0) and all(total == 9.0 for _, total in reports)

    def test_the_language_is_heard_where_none_is_given(self, model: Whisper) -> None:
        assert model.hear(noise(3), None, None, lambda done, total: None).language == "en"
        assert model.hear(noise(3), np.array([[0.5, 2.0]]), "ja", lambda done, total: None).language == "ja"
        with pytest.raises(RecogniserError, match="does not know the language 'xx'"):
            model.hear(noise(3), None, "xx", lambda done, total: None)

    def test_only_the_spans_are_listened_to(self, model: Whisper) -> None:
        hearing = model.hear(noise(40), np.array([[20.0, 29.0]]), "en", lambda done, total: None)
        words = [word for segment in hearing.segments for word in segment.words]
        assert words and all(19.5 <= word.start <= word.end <= 29.6 for word in words)
        assert model.hear(noise(3), np.empty((0, 2)), "en", lambda done, total: None).segments == ()

    def test_long_songs_are_heard_in_pieces(self, model: Whisper, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(whisper, "PIECE", 12.0)
        monkeypatch.setattr(whisper, "QUIET", 3.0)
        sound = noise(20)
        sound[int(10.5 * HEARING_RATE) : int(11 * HEARING_RATE)] = 0
        assert cut_pieces(sound)[0][1] == pytest.approx(10.75, abs=0.2)
        hearing = model.hear(sound, None, "en", lambda done, total: None)
        second = [word for segment in hearing.segments for word in segment.words if word.start > 10.5]
        assert "".join(word.text for word in second).strip().endswith("water") and max(word.end for word in second) <= 20.2

    def test_it_stops_between_segments(self, model: Whisper) -> None:
        class StopError(Exception):
            pass

        calls: list[float] = []

        def stop(done: float, total: float) -> None:
            calls.append(done)
            if len(calls) == 2:
                raise StopError

        with pytest.raises(StopError):
            model.hear(noise(40), None, "en", stop)
        assert calls[-1] < 40

    def test_hardly_any_sound_is_no_error(self, model: Whisper) -> None:
        assert model.hear(noise(0.05), None, "en", lambda done, total: None).segments == ()
        assert model.hear(noise(0.21), None, None, lambda done, total: None).language == "en"
        assert model.time_text(noise(0.05), "", "en") == []

    @pytest.mark.parametrize(
        ("text", "language", "count"), [(" carry me home tonight", "en", 4), ("港の灯りが", "ja", 5), (" שלום עולם", "he", 2)]
    )
    def test_a_given_text_is_timed(self, model: Whisper, text: str, language: str, count: int) -> None:
        timed = model.time_text(noise(6), text, language)
        assert "".join(word.text for word in timed) == text and len(timed) == count
        assert all(0 <= word.start <= word.end <= 6.1 for word in timed)

    def test_a_text_too_long_for_the_model_is_not_timed(self, model: Whisper) -> None:
        assert model.time_text(noise(6), "ха" * 300, "ru") == [] and model.time_text(noise(31), " la", "en") == []

    def test_pasted_lyrics_lie_where_the_model_says(self, model: Whisper) -> None:
        song = Sound(noise(9)[None], HEARING_RATE)
        text = "Carry me home\nover the silver water"
        result = align_lyrics(Timeline(9.0), song, LyricRequest(text, "en"), None, lambda: model)
        assert [line.text for line in result.lines] == text.split("\n") and result.remarks == ()
        assert min(word.confidence for line in result.lines for word in line.words) > 0.4
        heard = align_lyrics(Timeline(9.0), song, LyricRequest("", "en"), None, lambda: model)
        assert " ".join(line.text for line in heard.lines) == WORDS
        assert Timeline.from_json(heard.to_json()) == heard

    def test_an_english_model_says_so(self, tmp_path: Path) -> None:
        import tiny_whisper

        english = Whisper(tiny_whisper.build(tmp_path / "tiny.en", WORDS, multilingual=False))
        with pytest.raises(RecogniserError, match="knows English only"):
            english.hear(noise(3), None, "ja", lambda done, total: None)
        assert english._choose_language(noise(3), None, None) == "en"

    def test_no_graphics_card_is_no_end(self, model_folder: Path) -> None:
        import ctranslate2

        if ctranslate2.get_cuda_device_count():
            pytest.skip("there is one here")
        assert "processor did" in Whisper(model_folder, "cuda").remark

    @pytest.mark.parametrize(
        ("name", "content", "says"),
        [
            ("model.bin", b"rubbish", "cannot be loaded"), ("tokenizer.json", b"{", "tokenizer.json of the Whisper model"),
            ("preprocessor_config.json", b'{"feature_size": 128}', "lacks its preprocessor_config.json"),
            ("config.json", b"{", "Whisper model"),
        ],
    )  # fmt: skip
    def test_damaged_files_are_one_sentence(self, model_folder: Path, tmp_path: Path, name: str, content: bytes, says: str) -> None:
        folder = Path(shutil.copytree(model_folder, tmp_path / "models" / "broken"))
        (folder / name).write_bytes(content)
        with pytest.raises(RecogniserError, match=says) as error:
            Whisper(folder)
        assert str(tmp_path) not in str(error.value) and "\n" not in str(error.value)


def make_folder(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(b"x")
    return folder


WHOLE = ("model.bin", "config.json", "tokenizer.json", "vocabulary.json")


def test_models_are_found_by_plain_names(tmp_path: Path) -> None:
    first, second = tmp_path / "whisper", tmp_path / "faster-whisper"
    make_folder(first / "small", *WHOLE)
    make_folder(second / "mine", *WHOLE)
    make_folder(second / "no model", "readme.txt")
    assert list_models([first, second, tmp_path / "absent"]) == ["mine", "small"]
    assert find_model("mine", [first, second]) == second / "mine" and find_model("other", [first, second]) is None
    for name in ("", ".", "..", "../whisper", "a\0b", "..\\x", "small/"):
        assert find_model(name, [first]) is None


@pytest.mark.parametrize("missing", WHOLE)
def test_a_folder_that_is_not_whole_names_what_is_missing(tmp_path: Path, missing: str) -> None:
    folder = make_folder(tmp_path / "models" / "whisper" / "small", *(name for name in WHOLE if name != missing))
    with pytest.raises(RecogniserError, match=rf"models/whisper/small is not whole: {missing} is missing") as error:
        check_model(folder)
    assert str(tmp_path) not in str(error.value)
    check_model(make_folder(tmp_path / "whole", *WHOLE))


def test_an_empty_file_is_missing_too(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "small", *WHOLE)
    (folder / "model.bin").write_bytes(b"")
    with pytest.raises(RecogniserError, match="model.bin is missing"):
        check_model(folder)


def test_fetching_asks_for_the_files_that_are_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    huggingface_hub = pytest.importorskip("huggingface_hub")
    asked: list[object] = []

    def download(repository: str, *, local_dir: str, allow_patterns: list[str], max_workers: int) -> None:
        asked.extend([repository, local_dir, *allow_patterns])
        make_folder(Path(local_dir), *WHOLE)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert fetch_model("small", tmp_path) == tmp_path / "small"
    assert asked[:2] == ["Systran/faster-whisper-small", str(tmp_path / "small")] and {"model.bin", "vocabulary.*"} <= set(asked)


def test_without_a_connection_it_says_where_to_put_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    huggingface_hub = pytest.importorskip("huggingface_hub")

    def offline(*_: object, **__: object) -> None:
        raise huggingface_hub.errors.LocalEntryNotFoundError("no connection to /secret/path")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    with pytest.raises(RecogniserError) as error:
        fetch_model("large-v3", tmp_path / "models" / "faster-whisper")
    assert "huggingface.co/Systran/faster-whisper-large-v3" in str(error.value) and "models/faster-whisper/large-v3" in str(error.value)
    assert "3.1 GB" in str(error.value) and "secret" not in str(error.value) and "\n" not in str(error.value)


def test_huggingface_takes_the_options_that_are_passed() -> None:
    """faster-whisper's own download passes one that version 2 no longer knows, which is why ours is used."""
    import inspect

    huggingface_hub = pytest.importorskip("huggingface_hub")
    known = inspect.signature(huggingface_hub.snapshot_download).parameters
    assert {"local_dir", "allow_patterns", "max_workers"} <= set(known)


def test_without_the_package_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(RecogniserError, match="pip install faster-whisper"):
        Whisper(make_folder(tmp_path / "small", *WHOLE))


def test_the_window_in_which_most_is_sung() -> None:
    assert fullest_window(np.zeros(100 * HEARING_RATE, np.float32), np.array([[5.0, 6.0], [50.0, 75.0]])) == pytest.approx(45, abs=5)
    loud = np.zeros(100 * HEARING_RATE, np.float32)
    loud[60 * HEARING_RATE :] = 0.5
    assert fullest_window(loud, None) == pytest.approx(60, abs=1) and fullest_window(loud[:HEARING_RATE], None) == 0


def test_pieces_of_a_long_sound_meet_and_cover_it() -> None:
    pieces = cut_pieces(noise(700))
    assert pieces[0][0] == 0 and pieces[-1][1] == 700 and all(280 <= end - begin <= 300 for begin, end in pieces[:-1])
    assert [end for _, end in pieces[:-1]] == [begin for begin, _ in pieces[1:]] and cut_pieces(noise(2)) == [(0.0, 2.0)]


def test_sizes_in_the_help_are_those_announced() -> None:
    for name, download in whisper_models.DOWNLOADS.items():
        assert download.size in whisper_models.announce(name, Path("models/faster-whisper")) and "/" in download.repository
