"""A Whisper model of a few hundred thousand weights in faster-whisper's own format, which says the same words to any sound.

Nothing is trained: the layers of the decoder add nothing, and each place of its text carries the token that it is to say next, so that
what comes out is known exactly, with a probability near one. Attention to the sound is random, so the times of the words mean nothing
but lie within it. Built offline with transformers and CTranslate2's own converter; needs torch.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

LANGUAGES = (
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi ml cy sk "
    "te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am yi lo uz fo "
    "ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su "
).split()
CONTROL = ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
END, START = "<|endoftext|>", "<|startoftranscript|>"
WIDTH = 32
PROMPT = 3  # start, language, task: what stands before the first word
LOUD = 20.0  # how much a place outweighs the token at it


def build(folder: Path, words: str, seconds: float = 8.0, language: str = "en", multilingual: bool = True) -> Path:
    """Writes a model into the folder that says `words` (spaces between) from 0 to `seconds` of every window, and returns it."""
    from ctranslate2.converters import TransformersConverter
    from transformers import PreTrainedTokenizerFast

    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    tokenizer = _make_tokenizer(words.split(), multilingual)
    said = ["<|0.00|>", *(f"\u0120{word}" for word in words.split()), f"<|{seconds:.2f}|>", END]
    model = _make_model(tokenizer, said, language, multilingual)

    class Converter(TransformersConverter):  # the tokenizer's class on the hub is not needed
        def load_tokenizer(self, tokenizer_class: Any, name: str, **options: Any) -> Any:
            return PreTrainedTokenizerFast.from_pretrained(name)

    with tempfile.TemporaryDirectory() as temporary:
        model.save_pretrained(temporary)
        fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=END, eos_token=END, unk_token=END)
        fast.save_pretrained(temporary)
        Converter(temporary, copy_files=["tokenizer.json"]).convert(str(folder), force=True)
    sizes = {"feature_size": 80, "sampling_rate": 16000, "hop_length": 160, "chunk_length": 30, "n_fft": 400, "nb_max_frames": 3000}
    (folder / "preprocessor_config.json").write_text(json.dumps(sizes), encoding="utf-8")
    return folder


def _make_tokenizer(words: list[str], multilingual: bool) -> Any:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    vocabulary = {letter: index for index, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    for word in words:
        vocabulary.setdefault(f"\u0120{word}", len(vocabulary))
    if multilingual:
        vocabulary[""] = len(vocabulary)  # by the empty token CTranslate2 knows a model of many languages
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = [END, START, *(f"<|{language}|>" for language in LANGUAGES), *CONTROL]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    times = [f"<|{index * 0.02:.2f}|>" for index in range(1501)]
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in times])
    return tokenizer


def _make_model(tokenizer: Any, said: list[str], language: str, multilingual: bool) -> Any:
    import torch
    from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration

    token = tokenizer.token_to_id
    torch.manual_seed(0)
    ends = {name: token(END) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    config = WhisperConfig(
        vocab_size=tokenizer.get_vocab_size(), num_mel_bins=80, encoder_layers=1, encoder_attention_heads=2, decoder_layers=2,
        decoder_attention_heads=2, d_model=WIDTH, encoder_ffn_dim=64, decoder_ffn_dim=64, decoder_start_token_id=token(START),
        suppress_tokens=[], begin_suppress_tokens=[token(END)], **ends,
    )  # fmt: skip
    model = WhisperForConditionalGeneration(config)
    model.generation_config = GenerationConfig(
        alignment_heads=[[1, 0], [1, 1]], lang_to_id={f"<|{code}|>": token(f"<|{code}|>") for code in LANGUAGES}, suppress_tokens=[],
        begin_suppress_tokens=[token(END)], no_timestamps_token_id=token("<|notimestamps|>"), is_multilingual=multilingual,
    )  # fmt: skip
    _teach(model.model.decoder, [f"<|{language}|>", START] + said, token)
    return model


def _teach(decoder: Any, said: list[str], token: Any) -> None:
    """Each place says its token: its position is that token's embedding, and no layer changes it."""
    import torch

    with torch.no_grad():
        decoder.embed_tokens.weight.copy_(torch.nn.functional.normalize(torch.randn_like(decoder.embed_tokens.weight), dim=1) * 4)
        for layer in decoder.layers:
            for part in (layer.self_attn.out_proj, layer.encoder_attn.out_proj, layer.fc2):
                part.weight.zero_()
                part.bias.zero_()
        decoder.embed_positions.weight.zero_()
        for place, text in enumerate(said):
            decoder.embed_positions.weight[place] = LOUD * decoder.embed_tokens.weight[token(text)]
        decoder.embed_positions.weight[len(said) :] = LOUD * decoder.embed_tokens.weight[token(said[-1])]
