# SPDX-License-Identifier: Apache-2.0
"""An ONNX network as plain data: read from its bytes, changed, and written again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import onnx
from onnx import helper, numpy_helper

from ami_ros.core.errors import AmiError

DTYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 6: np.int32, 7: np.int64, 9: np.bool_,
          10: np.float16, 11: np.float64}
CODES: dict[np.dtype, int] = {np.dtype(kind): code for code, kind in DTYPES.items()}
IR, OPSET = 8, 17               # written where a graph does not specify them
DOMAINS = ('', 'com.microsoft', 'ai.onnx.ml')       # operator sets that may be declared


@dataclass(frozen=True)
class Value:
    """A network input or output."""

    name: str
    dtype: np.dtype
    shape: tuple[int | str, ...]    # a name marks an axis of any size


@dataclass(frozen=True)
class GraphNode:
    """One operation."""

    kind: str
    inputs: tuple[str, ...]         # '' where an optional one is left out
    outputs: tuple[str, ...]
    attributes: dict                # int, float, bytes, list of them, or an array
    name: str = ''


@dataclass(frozen=True, eq=False)
class Graph:
    """Operations in topological order, their weights, inputs and outputs."""

    nodes: tuple[GraphNode, ...]
    weights: dict[str, np.ndarray]
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    opset: int = OPSET
    ir: int = IR


def read(data: bytes) -> Graph:
    """Read a network; ValueError says why the bytes are not an ONNX network that we can run."""
    try:
        return _graph(onnx.load_from_string(bytes(data)))
    except Exception as why:    # protobuf's DecodeError and numpy's errors share no base class
        raise AmiError(f'these {len(data)} bytes are not an ONNX network: {why}') from why


def _graph(model: onnx.ModelProto) -> Graph:
    opsets = {opset.domain: opset.version for opset in model.opset_import}
    if not model.HasField('graph') or '' not in opsets:
        raise AmiError('it has no graph, or does not name its operator set')
    if foreign := sorted(set(opsets) - set(DOMAINS)):
        raise AmiError(f'it needs the operator sets {", ".join(foreign)}')
    body = model.graph
    if body.sparse_initializer:
        raise AmiError('it has sparse weights; only dense ones are read')
    if not body.output:
        raise AmiError('it has no outputs')
    weights = {tensor.name: _array(tensor) for tensor in body.initializer}
    return Graph(tuple(map(_node, body.node)), weights,
                 tuple(_value(v) for v in body.input if v.name not in weights),
                 tuple(map(_value, body.output)), opsets[''], model.ir_version or IR)


def _node(node: onnx.NodeProto) -> GraphNode:
    if node.domain:
        raise AmiError(f'{node.name} is an operator of {node.domain}')
    return GraphNode(node.op_type, tuple(node.input), tuple(node.output),
                {a.name: _attribute(a) for a in node.attribute}, node.name)


def _attribute(attribute: onnx.AttributeProto):
    if attribute.type == onnx.AttributeProto.TENSOR:
        return _array(attribute.t)
    value = helper.get_attribute_value(attribute)
    if isinstance(value, (int, float, bytes)):
        return value
    if attribute.type in (onnx.AttributeProto.FLOATS, onnx.AttributeProto.INTS):
        return list(value)
    raise AmiError(f'attribute {attribute.name} is neither a number, numbers nor a tensor')


def _array(tensor: onnx.TensorProto) -> np.ndarray:
    name = tensor.name or 'a weight'
    if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
        raise AmiError(f'{name} is stored in another file')
    kind = _dtype(name, tensor.data_type)
    return numpy_helper.to_array(tensor).astype(kind, copy=False)


def _dtype(name: str, code: int) -> np.dtype:
    if code not in DTYPES:
        raise AmiError(f'{name} has element type {code}; there are: '
                       f'{", ".join(str(np.dtype(kind)) for kind in DTYPES.values())}')
    return np.dtype(DTYPES[code])


def _value(value: onnx.ValueInfoProto) -> Value:
    tensor = value.type.tensor_type
    shape = tuple(dim.dim_value if dim.HasField('dim_value') else dim.dim_param or 'n'
                  for dim in tensor.shape.dim)
    return Value(value.name, _dtype(value.name, tensor.elem_type), shape)


def write(graph: Graph) -> bytes:
    """Write a network as ONNX bytes."""
    body = helper.make_graph(
        [helper.make_node(node.kind, node.inputs, node.outputs, name=node.name,
                          **{key: _written(value) for key, value in node.attributes.items()})
         for node in graph.nodes], 'network',
        [_info(value) for value in graph.inputs], [_info(value) for value in graph.outputs],
        [numpy_helper.from_array(np.asarray(array), name)
         for name, array in graph.weights.items()])
    model = helper.make_model(body, producer_name='ami_ros', ir_version=graph.ir,
                              opset_imports=[helper.make_opsetid('', graph.opset)])
    return model.SerializeToString()


def _written(value):
    return numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value


def _info(value: Value) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(value.name, CODES[value.dtype], value.shape)


def used(graph: Graph, nodes: Iterable[GraphNode]) -> Graph:
    """Return the graph with these nodes, without what no output depends on."""
    wanted, kept = {value.name for value in graph.outputs}, []
    for node in reversed(tuple(nodes)):
        if wanted & set(node.outputs):
            kept.append(node)
            wanted |= set(node.inputs)
    return replace(graph, nodes=tuple(reversed(kept)),
                   weights={n: w for n, w in graph.weights.items() if n in wanted})


def check_inputs(graph: Graph, given: Mapping[str, np.ndarray]) -> None:
    """Refuse inputs that do not match the graph's; ValueError names the wrong and the right."""
    wanted = {value.name: value for value in graph.inputs}
    if set(given) != set(wanted):
        raise AmiError(f'inputs {", ".join(sorted(given))}; this network takes '
                       f'{", ".join(wanted)}')
    for name, array in given.items():
        value = wanted[name]
        fits = len(value.shape) == np.ndim(array) and all(
            isinstance(n, str) or n == m for n, m in zip(value.shape, np.shape(array)))
        if not fits or array.dtype != value.dtype:
            raise AmiError(f'{name} is {array.dtype} {np.shape(array)}; this network takes '
                           f'{value.dtype} {value.shape}')
