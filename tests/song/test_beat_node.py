"""AudioBeatAnalyzer in a real ComfyUI's process."""

from __future__ import annotations

import pytest


@pytest.fixture
def node(comfy):
    from pack.nodes.audio_beat_analyzer import AudioBeatAnalyzer

    return AudioBeatAnalyzer


def test_schema(node):
    schema = node.define_schema()
    assert schema.node_id == "AudioBeatAnalyzer"
    assert [item.id for item in schema.inputs] == ["audio", "metre", "tempo", "listener", "mood"]
    assert [item.advanced for item in schema.inputs[1:]] == [True, True, True, True]
    assert [item.io_type for item in schema.outputs] == ["MUSIC_VIDEO_TIMELINE", "IMAGE", "FLOAT"]


def test_execute(node, drum_loops):
    import torch

    loop = drum_loops.drum_loop(120, duration=8)
    output = node.execute({"waveform": torch.from_numpy(loop.samples)[None], "sample_rate": drum_loops.RATE})
    timeline, plot, tempo = output.args
    assert tempo == timeline.tempo == pytest.approx(120, abs=0.5)
    assert tuple(plot.shape) == (1, 360, 900, 3) and 0 <= float(plot.min()) < float(plot.max()) <= 1
    assert output.ui is not None


def test_a_listener_that_is_missing_is_explained(node, drum_loops):
    import torch

    audio = {"waveform": torch.from_numpy(drum_loops.click_track(120, duration=4).samples)[None], "sample_rate": drum_loops.RATE}
    with pytest.raises(ValueError, match="choose another listener"):
        node.execute(audio, listener="beat_this")
    assert node.execute(audio, listener="attacks").args[2] == pytest.approx(120, abs=0.5)
    with pytest.raises(ValueError, match="into models/clap, or choose the built-in mood"):
        node.execute(audio, mood="clap")


def test_no_sound(node):
    import torch

    for audio in (None, {"waveform": torch.zeros(0, 2, 100), "sample_rate": 44100}):
        with pytest.raises(ValueError, match="Connect a song"):
            node.execute(audio)
