# SPDX-License-Identifier: Apache-2.0
"""
Casts a network before anybody parses it: float64 for a reference, float16 products for a GPU.

A builder that chooses precisions by flags is gone from TensorRT 11: types are in the network, or
nowhere. So products are cast here, and what has to be exact stays float32: beliefs that are added
to, means, roots and norms of small numbers, readings of places.
"""

from dataclasses import replace

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.inference.onnx_graph import CODES, Graph, GraphNode, used, Value

PRODUCTS = ('Conv', 'Gemm', 'MatMul')
# what follows a product in its precision, where all that goes in has it
FOLLOWING = ('Relu', 'Sigmoid', 'Mul', 'Reshape', 'Transpose', 'Flatten', 'Split', 'Slice',
             'Unsqueeze', 'Squeeze')
DATA_ONLY = {'Reshape': 1, 'Split': 1, 'Slice': 1, 'Unsqueeze': 1, 'Squeeze': 1}
SINGLE, HALF, DOUBLE = (np.dtype(kind) for kind in (np.float32, np.float16, np.float64))


def double(graph: Graph) -> Graph:
    """Make every float32 and float16 of a network a float64, in and out too."""
    def wider(array):
        return array.astype(DOUBLE) if np.asarray(array).dtype in (SINGLE, HALF) else array

    def node(one: GraphNode) -> GraphNode:
        said = {key: wider(value) if isinstance(value, np.ndarray) else value
                for key, value in one.attributes.items()}
        if one.kind == 'Cast' and said['to'] in (CODES[SINGLE], CODES[HALF]):
            said['to'] = CODES[DOUBLE]
        return replace(one, attributes=said)

    def value(one: Value) -> Value:
        return replace(one, dtype=DOUBLE) if one.dtype == SINGLE else one

    return replace(graph, nodes=tuple(node(n) for n in graph.nodes),
                   weights={name: wider(w) for name, w in graph.weights.items()},
                   inputs=tuple(value(v) for v in graph.inputs),
                   outputs=tuple(value(v) for v in graph.outputs))


def half(graph: Graph) -> Graph:
    """Make the products of a network, and what only follows them, float16.

    ValueError where a weight is too large for float16. Inputs and outputs stay float32.
    """
    graph = plain(graph)
    halves: dict[str, str] = {}         # name of a float32 tensor: name of its float16 twin
    born: set[str] = set()              # tensors that a product made, float16 from the start
    nodes, weights = [], dict(graph.weights)
    wanted = {value.name for value in graph.outputs}
    # a product of quantised values is done in int8; a cast between would hide that
    quantised = {name for node in graph.nodes if node.kind == 'DequantizeLinear'
                 for name in node.outputs}

    def as_half(name: str) -> str:
        if name in born or not name:
            return name
        if name not in halves:
            halves[name] = name + '_half'
            if name in weights:
                with np.errstate(over='ignore'):
                    weights[halves[name]] = weights[name].astype(HALF)
                if not np.isfinite(weights[halves[name]]).all():
                    raise AmiError(f'{name} has numbers that float16 cannot hold')
            else:
                nodes.append(cast(name, halves[name], HALF))
        return halves[name]

    def as_single(name: str) -> str:
        if name in born:
            if name + '_single' not in halves:
                halves[name + '_single'] = ''
                nodes.append(cast(name, name + '_single', SINGLE))
            return name + '_single'
        return name

    for node in graph.nodes:
        data = node.inputs[:DATA_ONLY.get(node.kind, len(node.inputs))]
        low = (node.kind in PRODUCTS and not quantised & set(data)
               or node.kind in FOLLOWING and all(name in born for name in data))
        change = as_half if low else as_single
        made = replace(node, inputs=(*map(change, data), *node.inputs[len(data):]))
        if low:
            born |= set(node.outputs)
            # an output of the network keeps its name and its float32
            made = replace(made, outputs=tuple(n + '_born' if n in wanted else n
                                               for n in node.outputs))
        nodes.append(made)
        for name in node.outputs if low else ():
            if name in wanted:
                born.discard(name)
                nodes.append(cast(name + '_born', name, SINGLE))
    return used(replace(graph, weights=weights), nodes)


def cast(name: str, to: str, kind: np.dtype) -> GraphNode:
    """Make a Cast."""
    return GraphNode('Cast', (name,), (to,), {'to': CODES[kind]}, f'cast_{to}')


def plain(graph: Graph) -> Graph:
    """Undo what only saves bytes on the disk: float16 weights that are cast to float32 at once."""
    weights, nodes = dict(graph.weights), []
    for node in graph.nodes:
        if node.kind == 'Cast' and node.inputs[0] in graph.weights \
                and node.attributes['to'] == CODES[SINGLE]:
            weights[node.outputs[0]] = graph.weights[node.inputs[0]].astype(SINGLE)
        else:
            nodes.append(node)
    return used(replace(graph, weights=weights), nodes)
