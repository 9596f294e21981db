# SPDX-License-Identifier: Apache-2.0
"""An ONNX network as plain data: read from its bytes, changed, and written again."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
import struct

import numpy as np

from ami_ros.inference.protobuf import field, fields, numbers, signed, text

DTYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 6: np.int32, 7: np.int64, 9: np.bool_,
          10: np.float16, 11: np.float64}
CODES = {np.dtype(kind): code for code, kind in DTYPES.items()}
FLOAT, INT, STRING, TENSOR, FLOATS, INTS = 1, 2, 3, 4, 6, 7     # kinds of an attribute
IR, OPSET = 8, 17               # what is written where a graph does not say


@dataclass(frozen=True)
class Value:
    """What goes in or comes out."""

    name: str
    dtype: np.dtype
    shape: tuple[int | str, ...]    # a name where any number will do


@dataclass(frozen=True)
class Node:
    """One operation."""

    kind: str
    inputs: tuple[str, ...]         # '' where an optional one is left out
    outputs: tuple[str, ...]
    attributes: dict                # int, float, bytes, list of them, or an array
    name: str = ''


@dataclass(frozen=True, eq=False)
class Graph:
    """Operations in an order in which they can be done."""

    nodes: tuple[Node, ...]
    weights: dict[str, np.ndarray]
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    opset: int = OPSET
    ir: int = IR


def read(data: bytes) -> Graph:
    """Read a network; ValueError says why the bytes are none."""
    try:
        graph = _model(data)
    except (ValueError, KeyError, TypeError, struct.error) as why:
        raise ValueError(f'these {len(data)} bytes are no ONNX network: {why}') from why
    if not graph.outputs:
        raise ValueError(f'these {len(data)} bytes are no ONNX network: nothing comes out')
    return graph


def _model(data: bytes) -> Graph:
    body, opset, ir = None, None, IR
    for number, value in fields(data):
        if number == 1:
            ir = value
        elif number == 7:
            body = value
        elif number == 8:
            said = dict(fields(value))
            if not bytes(said.get(1, b'')):
                opset = said[2]
            elif bytes(said[1]) not in (b'com.microsoft', b'ai.onnx.ml'):
                raise ValueError(f'it wants the operators of {text(said[1])}')
    if body is None or opset is None:
        raise ValueError('it has no graph, or does not say whose operators it wants')
    nodes, weights, inputs, outputs = [], {}, [], []
    for number, value in fields(body):
        if number == 1:
            nodes.append(_node(value))
        elif number == 5:
            name, array = _tensor(value)
            weights[name] = array
        elif number == 11:
            inputs.append(_value(value))
        elif number == 12:
            outputs.append(_value(value))
        elif number == 15:
            raise ValueError('it has sparse weights')
    return Graph(tuple(nodes), weights, tuple(v for v in inputs if v.name not in weights),
                 tuple(outputs), opset, ir)


def _node(data) -> Node:
    inputs, outputs, attributes, kind, name = [], [], {}, '', ''
    for number, value in fields(data):
        if number == 1:
            inputs.append(text(value))
        elif number == 2:
            outputs.append(text(value))
        elif number == 3:
            name = text(value)
        elif number == 4:
            kind = text(value)
        elif number == 5:
            key, said = _attribute(value)
            attributes[key] = said
        elif number == 7 and bytes(value):
            raise ValueError(f'{name} is an operator of {text(value)}')
    return Node(kind, tuple(inputs), tuple(outputs), attributes, name)


def _attribute(data):
    name, found, many, kind = '', None, [], 0
    for number, value in fields(data):
        if number == 1:
            name = text(value)
        elif number == 2:
            found = struct.unpack('<f', value)[0]
        elif number == 3:
            found = signed(value)
        elif number == 4:
            found = bytes(value)
        elif number == 5:
            found = _tensor(value)[1]
        elif number == 7:
            many += np.frombuffer(value, '<f4').tolist()
        elif number == 8:
            many += numbers(value)
        elif number == 20:
            kind = value
        elif number in (6, 9, 10, 11):
            raise ValueError(f'attribute {name} is a graph, or a list of what is no number')
    return name, many if kind in (FLOATS, INTS) else found


def _tensor(data) -> tuple[str, np.ndarray]:
    shape, code, name, raw, plain = [], 0, '', None, []
    for number, value in fields(data):
        if number == 1:
            shape += numbers(value)
        elif number == 2:
            code = value
        elif number == 4:
            plain += np.frombuffer(value, '<f4').tolist()
        elif number in (5, 7):
            plain += numbers(value)
        elif number == 8:
            name = text(value)
        elif number == 9:
            raw = value
        elif number == 10:
            plain += np.frombuffer(value, '<f8').tolist()
        elif number in (6, 11, 13) or (number == 14 and value):
            raise ValueError(f'{name or "a weight"} is kept elsewhere, or is text')
    if code not in DTYPES:
        raise ValueError(f'{name or "a weight"} has element type {code}; there are: '
                         f'{", ".join(str(np.dtype(kind)) for kind in DTYPES.values())}')
    if raw is None and DTYPES[code] is np.float16:      # stored as the bits of whole numbers
        array = np.array(plain, np.uint16).view(np.float16)
    else:
        array = np.array(plain, DTYPES[code]) if raw is None else \
            np.frombuffer(raw, np.dtype(DTYPES[code]).newbyteorder('<')).astype(DTYPES[code])
    return name, array.reshape(shape)


def _value(data) -> Value:
    said = dict(fields(data))
    kind = dict(fields(dict(fields(said[2]))[1]))
    shape = []
    for number, value in fields(kind.get(2, b'')):
        if number == 1:
            dim = dict(fields(value))
            shape.append(signed(dim[1]) if 1 in dim else text(dim.get(2, b'n')))
    return Value(text(said[1]), np.dtype(DTYPES[kind[1]]), tuple(shape))


def write(graph: Graph) -> bytes:
    """Write a network as ONNX bytes."""
    body = b''.join([
        *(field(1, _node_bytes(node)) for node in graph.nodes), field(2, 'network'),
        *(field(5, _tensor_bytes(name, array)) for name, array in graph.weights.items()),
        *(field(11, _value_bytes(value)) for value in graph.inputs),
        *(field(12, _value_bytes(value)) for value in graph.outputs)])
    return field(1, graph.ir) + field(2, 'ami_ros') + field(7, body) + \
        field(8, field(1, '') + field(2, graph.opset))


def _node_bytes(node: Node) -> bytes:
    return b''.join([*(field(1, name) for name in node.inputs),
                     *(field(2, name) for name in node.outputs),
                     field(3, node.name), field(4, node.kind),
                     *(field(5, _attribute_bytes(key, value))
                       for key, value in node.attributes.items())])


def _attribute_bytes(name: str, value) -> bytes:
    if isinstance(value, np.ndarray):
        said, kind = field(5, _tensor_bytes('', value)), TENSOR
    elif isinstance(value, list):
        floats = any(isinstance(v, float) for v in value)
        said = b''.join(field(7 if floats else 8, v) for v in value)
        kind = FLOATS if floats else INTS
    else:
        number, kind = {float: (2, FLOAT), int: (3, INT), bytes: (4, STRING)}[type(value)]
        said = field(number, value)
    return field(1, name) + said + field(20, kind)


def _tensor_bytes(name: str, array: np.ndarray) -> bytes:
    array = np.asarray(array)
    return b''.join([*(field(1, n) for n in array.shape), field(2, CODES[array.dtype]),
                     field(8, name),
                     field(9, array.astype(array.dtype.newbyteorder('<')).tobytes())])


def _value_bytes(value: Value) -> bytes:
    shape = b''.join(field(1, field(2, n) if isinstance(n, str) else field(1, n))
                     for n in value.shape)
    return field(1, value.name) + field(2, field(1, field(1, CODES[value.dtype])
                                                 + field(2, shape)))


def used(graph: Graph, nodes: Iterable[Node]) -> Graph:
    """Return the graph with these nodes, without what no output depends on."""
    wanted, kept = {value.name for value in graph.outputs}, []
    for node in reversed(tuple(nodes)):
        if wanted & set(node.outputs):
            kept.append(node)
            wanted |= set(node.inputs)
    return replace(graph, nodes=tuple(reversed(kept)),
                   weights={n: w for n, w in graph.weights.items() if n in wanted})
