"""What is in an ONNX file, as its bytes say: whether it takes weights from other files, which it must not.

ONNX is protobuf: fields of a number and a type (https://protobuf.dev/programming-guides/encoding). Only the fields on
the way to a tensor are looked into; a file may nest them as deep as it likes.
"""

from __future__ import annotations

from collections.abc import Iterator

from lookalike.errors import ModelError

_VARINT, _BYTES = 0, 2
_FIXED = {1: 8, 5: 4}  # bytes of the other types

_INTO: dict[str, dict[int, str]] = {  # by the numbers of onnx.proto
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14


def require_whole(data: bytes, path: str) -> None:
    """ModelError where the model in `data` is no protobuf, or has a tensor whose numbers are in another file."""
    left = [("model", 0, len(data))]
    while left:
        kind, start, end = left.pop()
        try:
            for number, value, first, last in _fields(data, start, end):
                if kind == "tensor" and (number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value)):
                    raise ModelError(
                        f"expected an ONNX file with its weights in it, received {path}, which takes some from other "
                        "files; save it as one file"
                    )
                if number in _INTO[kind]:
                    left.append((_INTO[kind][number], first, last))
        except (ValueError, IndexError) as error:
            raise ModelError(
                f"expected an ONNX file at {path}, received one that is damaged or none; name another"
            ) from error


def _fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Number, value and where the content is, for each field; ValueError or IndexError where it is no message."""
    while at < end:
        tag, at = _varint(data, at)
        value, first = 0, at
        if tag & 7 == _VARINT:
            value, at = _varint(data, at)
        elif tag & 7 == _BYTES:
            length, first = _varint(data, at)
            at = first + length
        else:
            at += _FIXED.get(tag & 7, end)
        if at > end:
            raise ValueError("a field that ends behind its message")
        yield tag >> 3, value, first, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number, and where the next begins."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a number of more than ten bytes")
