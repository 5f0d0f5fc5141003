"""CenterNet on MobileNetV3 (COCO's 80 things, with boxes) from the npm package `@vladmandic/human`, without TensorFlow.

Its files are a graph of TensorFlow's operators as JSON and one file of 16-bit numbers, in the form of TensorFlow.js.
The graph is written as ONNX in channels-first order; its last part, which picks the peaks, is done here in NumPy.
"""

import base64
from typing import Any, NamedTuple

import numpy

from chat.recognition.onnx_format import Graph

SIDE, STRIDE = 512, 4
PREFIX = "tower_0/"
INPUT, HEAT, EDGES = f"{PREFIX}images", f"{PREFIX}keypoints", f"{PREFIX}wh"
COCO = """
person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, stop sign,
parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, backpack, umbrella, bag,
tie, suitcase, frisbee, skis, snowboard, ball, kite, baseball bat, baseball glove, skateboard, surfboard,
tennis racket, bottle, wine glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange, broccoli,
carrot, hot dog, pizza, doughnut, cake, chair, couch, potted plant, bed, table, toilet, television, laptop,
mouse, remote control, keyboard, phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase,
scissors, teddy bear, hair dryer, toothbrush,
"""
"""The 80 things in the order of the data set, some with a simpler name."""
NAMES = tuple(name.strip() for name in COCO.split(","))
MOST = 40


class Box(NamedTuple):
    """A thing, its score (`share`, 0 to 1), and its edges as fractions of the width and height from the top left."""

    name: str
    share: float
    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """Its share of the picture."""
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)


def arrays_of(manifest: dict[str, Any], raw: bytes) -> dict[str, Any]:
    """Return the arrays by name, as 32-bit floats or 64-bit integers."""
    found, at = {}, 0
    for entry in manifest["weightsManifest"][0]["weights"]:
        kind = entry.get("quantization", entry)["dtype"]
        values = numpy.dtype({"float16": "<f2", "float32": "<f4", "int32": "<i4"}[kind])
        count = int(numpy.prod(entry["shape"], dtype=numpy.int64))
        found[entry["name"]] = numpy.frombuffer(raw, values, count, at).reshape(entry["shape"])
        at += count * values.itemsize
    return {name: array.astype("f4" if array.dtype.kind == "f" else "i8") for name, array in found.items()}


def model(manifest: dict[str, Any], raw: bytes) -> bytes:
    """The network as ONNX: `images` (1, 3, SIDE, SIDE), 0 to 255 → heat (1, 80, SIDE/4, SIDE/4), edges (1, 4, …)."""
    return Translation(manifest, raw).onnx()


class Translation:
    """Translates the graph, node by node, from its outputs back to its input."""

    def __init__(self, manifest: dict[str, Any], raw: bytes) -> None:
        self._nodes = {node["name"]: node for node in manifest["modelTopology"]["node"]}
        self._arrays = arrays_of(manifest, raw)
        self._graph = Graph("images", (1, 3, SIDE, SIDE))
        self._done = {INPUT: self._graph.input}

    def onnx(self) -> bytes:
        """Return the ONNX model."""
        wanted = [HEAT, EDGES]
        while wanted:
            name = wanted[-1]
            if missing := [each for each in self._inputs(self._nodes[name]) if each not in self._done]:
                wanted += missing
                continue
            wanted.pop()
            if name not in self._done:
                self._done[name] = self._translated(self._nodes[name])
        return self._graph.model(self._done[HEAT], self._done[EDGES])

    def _inputs(self, node: dict[str, Any]) -> list[str]:
        """Return the inputs to be translated first. Some operators read all inputs after the first one as arrays."""
        given: list[str] = node.get("input", [])
        alone = any(kind in node["op"] for kind in ("Conv2d", "Conv2D", "Mean", "Resize"))
        return given[:1] if alone else given[:-1] if node["op"] == "ConcatV2" else given

    def _translated(self, node: dict[str, Any]) -> str:
        kind = node["op"]
        if kind == "Const":
            return self._constant(self._arrays[node["name"]])
        given = [self._done[each] for each in self._inputs(node)]
        if "Conv2d" in kind or "Conv2D" in kind:
            return self._convolution(node, given[0])
        if kind == "Mean":
            return self._graph.node("GlobalAveragePool", given[0])
        if kind == "ConcatV2":
            return self._graph.node("Concat", *given, axis=1)
        if kind == "ResizeBilinear":
            scales = self._graph.array(numpy.array([1, 1, 2, 2], "f4"))
            return self._graph.node(
                "Resize", given[0], "", scales, mode="linear", coordinate_transformation_mode="asymmetric"
            )
        if kind == "Relu6":
            return self._clipped(given[0])
        return self._graph.node({"AddV2": "Add", "BiasAdd": "Add"}.get(kind, kind), *given)

    def _constant(self, array: Any) -> str:
        channels = array.reshape(-1, 1, 1) if array.ndim == 1 else array
        return self._graph.array(channels)

    def _clipped(self, given: str) -> str:
        zero, six = (self._graph.array(numpy.float32(value)) for value in (0, 6))
        return self._graph.node("Clip", given, zero, six)

    def _convolution(self, node: dict[str, Any], given: str) -> str:
        attributes, weights = node["attr"], self._arrays[node["input"][1]]
        apart = "epthwise" in node["op"]
        kernel = weights.transpose(2, 3, 0, 1) if apart else weights.transpose(3, 2, 0, 1)
        bias = [self._graph.array(self._arrays[name]) for name in node["input"][2:]]
        strides = tuple(int(each) for each in attributes["strides"]["list"]["i"][1:3])
        padding = base64.b64decode(attributes["padding"]["s"]).decode()
        found = self._graph.node(
            "Conv",
            given,
            self._graph.array(numpy.ascontiguousarray(kernel)),
            *bias,
            strides=strides,
            group=len(kernel) if apart else 1,
            auto_pad={"SAME": "SAME_UPPER", "VALID": "VALID"}[padding],
        )
        after = [
            base64.b64decode(each).decode() for each in attributes.get("fused_ops", {"list": {}})["list"].get("s", ())
        ]
        if "Relu6" in after:
            return self._clipped(found)
        return self._graph.node("Relu", found) if "Relu" in after else found


def boxes(heat: Any, edges: Any, least: float) -> list[Box]:
    """Return the boxes around the peaks of `heat` with at least that score, the highest first."""
    heat, edges = heat[0], edges[0]
    padded = numpy.pad(heat, ((0, 0), (1, 1), (1, 1)))
    side = heat.shape[1]
    around = [padded[:, y : y + side, x : x + side] for y in range(3) for x in range(3)]
    peaks = numpy.argwhere((heat >= least) & (heat == numpy.maximum.reduce(around)))
    found = []
    for kind, row, column in peaks:
        left, top, right, bottom = (float(value) for value in edges[:, row, column])
        x, y = STRIDE * column, STRIDE * row
        corners = ((x - left) / SIDE, (y - top) / SIDE, (x + right) / SIDE, (y + bottom) / SIDE)
        found.append(Box(NAMES[kind], float(heat[kind, row, column]), *(min(1.0, max(0.0, each)) for each in corners)))
    return sorted(found, key=lambda box: -box.share)[:MOST]
