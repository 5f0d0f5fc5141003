"""GGUF files: heads without tensors, to be told apart; and a whole projector, as small as one can be."""

import math
import random
import struct
from collections.abc import Mapping

Value = bool | int | float | str | list[float]
MODEL_HEAD: dict[str, Value] = {"general.architecture": "llama", "llama.embedding_length": 576}
PROJECTOR_HEAD: dict[str, Value] = {
    "general.architecture": "clip",
    "clip.has_vision_encoder": True,
    "clip.vision.projection_dim": 576,
    "clip.vision.image_mean": [0.5, 0.5, 0.5],
}


def text(value: str) -> bytes:
    """A length and the bytes."""
    return struct.pack("<Q", len(value.encode())) + value.encode()


def value_of(value: Value) -> bytes:
    """A type and the value: a switch, a number of 32 bits, a text, or a list of numbers."""
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + text(value)
    return struct.pack(f"<IIQ{len(value)}f", 9, 6, len(value), *value)


def gguf(values: Mapping[str, Value], version: int = 3, tensors: int = 0) -> bytes:
    """The file's bytes, up to its tensors."""
    keys = b"".join(text(key) + value_of(value) for key, value in values.items())
    return b"GGUF" + struct.pack("<IQQ", version, tensors, len(values)) + keys


WIDTH, HIDDEN, HEADS, LAYERS, PATCH, SIDE = 32, 64, 2, 2, 14, 56
"""Of a vision transformer as small as llama.cpp takes one: a picture becomes (SIDE / PATCH)² tokens."""


def tiny_projector(out: int) -> bytes:
    """A projector that can be loaded and run, for a model of that width. Its weights are random: what it makes of a
    picture means nothing."""
    values: dict[str, Value] = {
        **PROJECTOR_HEAD,
        "general.type": "mmproj",
        "clip.projector_type": "mlp",
        "clip.use_gelu": True,
        "clip.vision.image_size": SIDE,
        "clip.vision.patch_size": PATCH,
        "clip.vision.embedding_length": WIDTH,
        "clip.vision.feed_forward_length": HIDDEN,
        "clip.vision.projection_dim": out,
        "clip.vision.attention.head_count": HEADS,
        "clip.vision.attention.layer_norm_epsilon": 1e-5,
        "clip.vision.block_count": LAYERS,
        "clip.vision.image_std": [0.5, 0.5, 0.5],
    }
    names, content = b"", b""
    noise = random.Random(1)
    for name, shape in tensors(out).items():
        places = struct.pack(f"<I{len(shape)}QIQ", len(shape), *reversed(shape), 0, len(content))
        names += text(name) + places
        count = math.prod(shape)
        content += struct.pack(f"<{count}f", *(noise.gauss(0, 0.05) for _ in range(count)))
        content += bytes(-len(content) % 32)
    head = gguf(values, tensors=len(tensors(out))) + names
    return head + bytes(-len(head) % 32) + content


def tensors(out: int) -> dict[str, tuple[int, ...]]:
    """The names and shapes that llama.cpp looks for."""
    found: dict[str, tuple[int, ...]] = {
        "v.patch_embd.weight": (WIDTH, 3, PATCH, PATCH),
        "v.position_embd.weight": ((SIDE // PATCH) ** 2 + 1, WIDTH),
        "v.class_embd": (WIDTH,),
        "v.pre_ln.weight": (WIDTH,),
        "v.pre_ln.bias": (WIDTH,),
        "mm.0.weight": (out, WIDTH),
        "mm.0.bias": (out,),
        "mm.2.weight": (out, out),
        "mm.2.bias": (out,),
    }
    for layer in (f"v.blk.{number}" for number in range(LAYERS)):
        found |= {f"{layer}.attn_{each}.weight": (WIDTH, WIDTH) for each in ("q", "k", "v", "out")}
        found |= {f"{layer}.{each}.bias": (WIDTH,) for each in ("attn_q", "attn_k", "attn_v", "attn_out", "ffn_up")}
        found |= {f"{layer}.{norm}.{each}": (WIDTH,) for norm in ("ln1", "ln2") for each in ("weight", "bias")}
        found |= {f"{layer}.ffn_down.weight": (HIDDEN, WIDTH), f"{layer}.ffn_up.weight": (WIDTH, HIDDEN)}
        found[f"{layer}.ffn_down.bias"] = (HIDDEN,)
    return found
