"""Writes ONNX models for onnxruntime from arrays, without the `onnx` package.

    graph = Graph("photo", (1, 3, 260, 260))
    found = graph.node("Conv", graph.input, graph.array(weights), strides=(2, 2))
    session = onnxruntime.InferenceSession(graph.model(found))

The messages are those of onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3), whose field numbers
stand below; protocol buffers' wire format is https://protobuf.dev/programming-guides/encoding/.
"""

import struct
from typing import Any

VERSION, OPERATORS = 8, 13
FLOAT, INT64 = 1, 7
NUMBER, BYTES, FLOAT_FIELD = 0, 2, 5
AS_FLOAT, AS_INT, AS_STRING, AS_INTS = 1, 2, 3, 7


def varint(value: int) -> bytes:
    """Encode a non-negative integer."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    """Encode a field with an integer."""
    return varint(field << 3 | NUMBER) + varint(value & (2**64 - 1))


def block(field: int, content: bytes | str) -> bytes:
    """Encode a field with bytes, a string or a message."""
    raw = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | BYTES) + varint(len(raw)) + raw


def attribute(name: str, value: Any) -> bytes:
    """Return the AttributeProto of a float, an integer, a string or several integers."""
    head = block(1, name)
    if isinstance(value, float):
        return head + varint(2 << 3 | FLOAT_FIELD) + struct.pack("<f", value) + number(20, AS_FLOAT)
    if isinstance(value, int):
        return head + number(3, value) + number(20, AS_INT)
    if isinstance(value, str):
        return head + block(4, value) + number(20, AS_STRING)
    return head + b"".join(number(8, each) for each in value) + number(20, AS_INTS)


def tensor_type(name: str, shape: tuple[int, ...]) -> bytes:
    """Return the ValueInfoProto of a float tensor."""
    dimensions = b"".join(block(1, number(1, each)) for each in shape)
    return block(1, name) + block(2, block(1, number(1, FLOAT) + block(2, dimensions)))


class Graph:
    """A graph with one float input; nodes are named by numbers."""

    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        self.input = name
        self._shape = shape
        self._nodes: list[bytes] = []
        self._arrays: list[bytes] = []

    def array(self, values: Any) -> str:
        """Add a NumPy array, as float32 or int64, and return its name."""
        name = f"a{len(self._arrays)}"
        kind = INT64 if values.dtype.kind == "i" else FLOAT
        raw = values.astype("<i8" if kind == INT64 else "<f4").tobytes()
        shape = b"".join(number(1, each) for each in values.shape)
        self._arrays.append(shape + number(2, kind) + block(8, name) + block(9, raw))
        return name

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add an operator, and return its output's name. An empty input name omits that input."""
        name = f"n{len(self._nodes)}"
        body = b"".join(block(1, each) for each in inputs) + block(2, name) + block(4, operator)
        self._nodes.append(body + b"".join(block(5, attribute(*each)) for each in attributes.items()))
        return name

    def model(self, *outputs: str) -> bytes:
        """Return the ModelProto."""
        nodes = b"".join(block(1, each) for each in self._nodes)
        arrays = b"".join(block(5, each) for each in self._arrays)
        ends = b"".join(block(12, block(1, each) + block(2, block(1, number(1, FLOAT)))) for each in outputs)
        graph = nodes + block(2, "wondercam") + arrays + block(11, tensor_type(self.input, self._shape)) + ends
        return number(1, VERSION) + block(7, graph) + block(8, block(1, "") + number(2, OPERATORS))
