# SPDX-License-Identifier: Apache-2.0
"""Cuts a rollout network after fewer knots: the same numbers for those, in less time."""

import onnx
from onnx import helper


def shorten(data: bytes, horizon: int) -> bytes:
    """Cut `imagine.onnx` after some knots; ValueError when it is not such a network.

    What it made of each knot is stacked at the end; the stacks are cut, and whatever nobody asks
    for any more is left out.
    """
    model = onnx.load_from_string(data)
    graph = model.graph
    knots = next((value for value in graph.input if value.name == 'knots'), None)
    if knots is None:
        raise ValueError('the network takes no knots; it cannot be cut after some')
    full = knots.type.tensor_type.shape.dim[1].dim_value
    if not 1 <= horizon <= full:
        raise ValueError(f'a rollout of {full} knots cannot be cut after {horizon}')
    stacks = [node for node in graph.node if node.op_type == 'Concat'
              and len(node.input) == full and attribute(node, 'axis') == 1]
    if not stacks:
        raise ValueError(f'the network stacks nothing {full} times; it cannot be cut')
    for stack in stacks:
        del stack.input[horizon:]
    knots.type.tensor_type.shape.dim[1].dim_value = horizon
    for value in graph.output:
        value.type.tensor_type.shape.dim[1].dim_value = horizon
    del graph.value_info[:]
    keep_what_is_used(graph)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def keep_what_is_used(graph: onnx.GraphProto) -> None:
    """Leave out nodes and weights that no output depends on."""
    used, nodes = {value.name for value in graph.output}, []
    for node in reversed(graph.node):
        if used & set(node.output):
            nodes.append(node)
            used |= set(node.input)
    weights = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(reversed(nodes))
    graph.initializer.extend(weights)


def attribute(node: onnx.NodeProto, name: str):
    """Return an attribute of a node, or None."""
    return next((helper.get_attribute_value(a) for a in node.attribute if a.name == name), None)


def horizon_of(data: bytes) -> int:
    """Return how many knots a rollout network takes."""
    graph = onnx.load_from_string(data).graph
    return next(value for value in graph.input if value.name == 'knots'
                ).type.tensor_type.shape.dim[1].dim_value
