"""A chat model of 160,000 weights that thinks and then says PONG, written in a moment.

It is a real transformer for the servers that run it: they tokenise, run its layer, sample, part
thinking from answer, count. Its attention and its feed-forward part add nothing, so that each
token alone decides the next one: the output matrix holds one chain of scripted tokens. It is
written with nothing but the standard library, as a GGUF file (ggml-org/ggml ``docs/gguf.md``) and
as a Hugging Face folder (huggingface/safetensors, «Format»).
"""

from __future__ import annotations

import array
import itertools
import json
import random
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

WIDTH: Final = 128
HEAD: Final = 64
HEADS: Final = WIDTH // HEAD
INNER: Final = 64
TRAINED: Final = 65_536
"""Tokens of context that the model claims to have been trained on."""
EPSILON: Final = 1e-6
START: Final = "<|im_start|>"
END: Final = "<|im_end|>"
THINK: Final = ("<think>", "\nOne", " word", " is", " asked", " for", ".", "</think>")
ANSWER: Final = ("PONG", "!")
THINKING: Final = "One word is asked for."
SAID: Final = "PONG!"
SPECIAL: Final = (START, END, "<think>", "</think>")

TEMPLATE: Final = (
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message.role + '\\n' }}"
    "{%- if message.role == 'assistant' and message.reasoning_content %}"
    "{{- '<think>\\n' + message.reasoning_content + '\\n</think>\\n\\n' }}{%- endif %}"
    "{{- message.content + '<|im_end|>\\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}"
    "{{- '<|im_start|>assistant\\n' }}"
    "{%- if enable_thinking is defined and enable_thinking is false %}"
    "{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}"
    "{%- endif %}"
)


def write_model(folder: Path) -> tuple[Path, Path]:
    """The model below ``folder``: its GGUF file, and its Hugging Face folder."""
    built = _Model()
    gguf, hugging = folder / "tiny.gguf", folder / "tiny"
    hugging.mkdir(parents=True, exist_ok=True)
    _write_gguf(gguf, built)
    _write_hugging(hugging, built)
    return gguf, hugging


def _letters() -> dict[int, str]:
    """How a byte is spelled in a byte-level vocabulary (openai/gpt-2 ``encoder.py``)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spelled, next_free = {byte: chr(byte) for byte in plain}, 256
    for byte in range(256):
        if byte not in spelled:
            spelled[byte] = chr(next_free)
            next_free += 1
    return spelled


class _Model:
    """Vocabulary and weights."""

    def __init__(self) -> None:
        letters = _letters()

        def spelled(text: str) -> str:
            return "".join(letters[byte] for byte in text.encode())

        newline, blank = spelled("\n"), spelled("\n\n")
        chain = ["\n", *THINK, "\n\n", *ANSWER, END]
        names = {part: part if part in SPECIAL else spelled(part) for part in chain}
        plain = [letters[byte] for byte in range(256)]
        plain += [name for part, name in names.items() if name not in plain and part not in SPECIAL]
        self.merges = [(newline, newline)]
        self.tokens = [*plain, *SPECIAL]
        self.plain = len(plain)
        self.ids = {token: index for index, token in enumerate(self.tokens)}
        assert blank in self.ids
        draw = random.Random(11)
        # a row of random signs is nearly at right angles to every other one
        rows = [[draw.choice((-1.0, 1.0)) for _ in range(WIDTH)] for _ in self.tokens]
        out = [[0.0] * WIDTH for _ in self.tokens]
        for before, after in itertools.pairwise(chain):
            row, seen = out[self.ids[names[after]]], rows[self.ids[names[before]]]
            for place, value in enumerate(seen):
                row[place] += 0.5 * value
        self.embedding = _floats([value for row in rows for value in row])
        self.output = _floats([value for row in out for value in row])

    def layer(self) -> dict[str, tuple[tuple[int, ...], bytes]]:
        """Shape (outer first) and data of the one layer's matrices, by a name of our own."""
        square = (WIDTH, WIDTH)
        ones = _floats([1.0] * WIDTH)
        return {
            "before": ((WIDTH,), ones),
            "q": (square, _floats([0.0] * WIDTH * WIDTH)),
            "k": (square, _floats([0.0] * WIDTH * WIDTH)),
            "v": (square, _floats([0.0] * WIDTH * WIDTH)),
            "o": (square, _floats([0.0] * WIDTH * WIDTH)),
            "after": ((WIDTH,), ones),
            "gate": ((INNER, WIDTH), _floats([0.0] * INNER * WIDTH)),
            "up": ((INNER, WIDTH), _floats([0.0] * INNER * WIDTH)),
            "down": ((WIDTH, INNER), _floats([0.0] * INNER * WIDTH)),
        }


def _floats(values: Sequence[float]) -> bytes:
    return array.array("f", values).tobytes()


# ---------------------------------------------------------------------------- GGUF

_U32, _F32, _BOOL, _STRING, _ARRAY, _I32 = 4, 6, 7, 8, 9, 5
_ALIGNMENT: Final = 32


def _text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def _pair(name: str, value: str | float | bool | Sequence[str] | Sequence[int]) -> bytes:
    if isinstance(value, bool):
        body = struct.pack("<I?", _BOOL, value)
    elif isinstance(value, int):
        body = struct.pack("<II", _U32, value)
    elif isinstance(value, float):
        body = struct.pack("<If", _F32, value)
    elif isinstance(value, str):
        body = struct.pack("<I", _STRING) + _text(value)
    else:
        texts = [one for one in value if isinstance(one, str)]
        numbers = [one for one in value if isinstance(one, int)]
        kind = _STRING if texts else _I32
        body = struct.pack("<IIQ", _ARRAY, kind, len(value))
        body += b"".join(_text(one) for one in texts)
        body += b"".join(struct.pack("<i", one) for one in numbers)
    return _text(name) + body


def _write_gguf(path: Path, model: _Model) -> None:
    kinds = [1 if index < model.plain else 3 for index in range(len(model.tokens))]
    for name in ("<think>", "</think>"):  # said by users, too: defined, not control
        kinds[model.ids[name]] = 4
    pairs = [
        _pair("general.architecture", "llama"),
        _pair("general.name", "tiny scripted model"),
        _pair("general.file_type", 0),
        _pair("llama.context_length", TRAINED),
        _pair("llama.embedding_length", WIDTH),
        _pair("llama.block_count", 1),
        _pair("llama.feed_forward_length", INNER),
        _pair("llama.attention.head_count", HEADS),
        _pair("llama.attention.head_count_kv", HEADS),
        _pair("llama.attention.layer_norm_rms_epsilon", EPSILON),
        _pair("llama.rope.dimension_count", HEAD),
        _pair("llama.vocab_size", len(model.tokens)),
        _pair("tokenizer.ggml.model", "gpt2"),
        _pair("tokenizer.ggml.pre", "qwen2"),
        _pair("tokenizer.ggml.tokens", model.tokens),
        _pair("tokenizer.ggml.token_type", kinds),
        _pair("tokenizer.ggml.merges", [" ".join(pair) for pair in model.merges]),
        _pair("tokenizer.ggml.bos_token_id", model.ids[START]),
        _pair("tokenizer.ggml.eos_token_id", model.ids[END]),
        _pair("tokenizer.ggml.add_bos_token", False),
        _pair("tokenizer.chat_template", TEMPLATE),
    ]
    names = {
        "before": "attn_norm",
        "q": "attn_q",
        "k": "attn_k",
        "v": "attn_v",
        "o": "attn_output",
        "after": "ffn_norm",
        "gate": "ffn_gate",
        "up": "ffn_up",
        "down": "ffn_down",
    }
    table = (len(model.tokens), WIDTH)
    tensors = {
        "token_embd.weight": (table, model.embedding),
        "output_norm.weight": ((WIDTH,), _floats([1.0] * WIDTH)),
        "output.weight": (table, model.output),
        **{f"blk.0.{names[name]}.weight": value for name, value in model.layer().items()},
    }
    infos, data = b"", b""
    for name, (shape, raw) in tensors.items():
        data += b"\0" * (-len(data) % _ALIGNMENT)
        # GGUF counts dimensions from the inside; type 0 is 32-bit floats
        sizes = b"".join(struct.pack("<Q", size) for size in reversed(shape))
        infos += _text(name) + struct.pack("<I", len(shape)) + sizes
        infos += struct.pack("<IQ", 0, len(data))
        data += raw
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(pairs)) + b"".join(pairs) + infos
    path.write_bytes(head + b"\0" * (-len(head) % _ALIGNMENT) + data)


# ---------------------------------------------------------------------------- Hugging Face


def _write_hugging(folder: Path, model: _Model) -> None:
    names = {
        "before": "input_layernorm",
        "q": "self_attn.q_proj",
        "k": "self_attn.k_proj",
        "v": "self_attn.v_proj",
        "o": "self_attn.o_proj",
        "after": "post_attention_layernorm",
        "gate": "mlp.gate_proj",
        "up": "mlp.up_proj",
        "down": "mlp.down_proj",
    }
    table = (len(model.tokens), WIDTH)
    tensors = {
        "model.embed_tokens.weight": (table, model.embedding),
        "model.norm.weight": ((WIDTH,), _floats([1.0] * WIDTH)),
        "lm_head.weight": (table, model.output),
        **{f"model.layers.0.{names[name]}.weight": value for name, value in model.layer().items()},
    }
    about: dict[str, object] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, (shape, raw) in tensors.items():
        about[name] = {
            "dtype": "F32",
            "shape": shape,
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    head = json.dumps(about).encode()
    head += b" " * (-len(head) % 8)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + data)
    end, start = model.ids[END], model.ids[START]
    _put(
        folder / "config.json",
        {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "vocab_size": len(model.tokens),
            "hidden_size": WIDTH,
            "intermediate_size": INNER,
            "num_hidden_layers": 1,
            "num_attention_heads": HEADS,
            "num_key_value_heads": HEADS,
            "head_dim": HEAD,
            "max_position_embeddings": TRAINED,
            "rms_norm_eps": EPSILON,
            "hidden_act": "silu",
            "tie_word_embeddings": False,
            "torch_dtype": "float32",
            "bos_token_id": start,
            "eos_token_id": end,
        },
    )
    _put(folder / "generation_config.json", {"bos_token_id": start, "eos_token_id": end})
    _put(folder / "tokenizer.json", _tokenizer(model))
    _put(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": TRAINED,
            "eos_token": END,
            "pad_token": END,
            "clean_up_tokenization_spaces": False,
            "chat_template": TEMPLATE,
        },
    )


def _tokenizer(model: _Model) -> dict[str, object]:
    added = [
        {
            "id": model.ids[name],
            "content": name,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": name in {START, END},
        }
        for name in SPECIAL
    ]
    split = {"type": "Split", "pattern": {"Regex": r"[\r\n]+|[^\r\n]+"}, "behavior": "Isolated"}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{**split, "invert": False}, {**level, "use_regex": False}],
        },
        "post_processor": None,
        "decoder": {**level, "use_regex": False},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": {token: index for index, token in enumerate(model.tokens[: model.plain])},
            "merges": [list(pair) for pair in model.merges],
        },
    }


def _put(path: Path, value: Mapping[str, object]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False) + "\n", encoding="utf-8")
