# SPDX-License-Identifier: Apache-2.0
"""Runs a graph operator by operator, whatever the arrays are."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from ami_ros.inference.graph import Graph, Node, used
from ami_ros.inference.operators import OPERATORS


class Interpreter:
    """A graph whose constants are computed once, at the start.

    `given` makes of an input what the operators take; `operator` finds the one for a node.
    """

    def __init__(self, graph: Graph, operator: Callable[[Node], Callable]):
        unknown = sorted({node.kind for node in graph.nodes} - set(OPERATORS))
        if unknown:
            raise ValueError(f'no operator {", ".join(unknown)}; there are: '
                             f'{", ".join(sorted(OPERATORS))}')
        nodes = [replace(n, attributes={**n.attributes, 'outputs': len(n.outputs)})
                 for n in graph.nodes]
        known: dict[str, np.ndarray] = dict(graph.weights)
        left = []
        for node in nodes:
            if all(name in known or not name for name in node.inputs):
                results = OPERATORS[node.kind](
                    node.attributes, *(known.get(name) for name in node.inputs))
                known.update(zip(node.outputs, results if len(node.outputs) > 1 else [results]))
            else:
                left.append(node)
        self.graph = used(replace(graph, weights=known), left)
        self.steps = [(operator(node), node.attributes, node.inputs, node.outputs)
                      for node in self.graph.nodes]
        self.last = {name: at for at, node in enumerate(self.graph.nodes) for name in node.inputs}
        self.outputs = [value.name for value in graph.outputs]

    def __call__(self, known: dict) -> list:
        """Run, from arrays by name; what nobody asks for any more is let go of."""
        known = dict(known)
        for at, (function, attributes, inputs, outputs) in enumerate(self.steps):
            results = function(attributes, *(known.get(name) for name in inputs))
            known.update(zip(outputs, results if len(outputs) > 1 else [results]))
            for name in inputs:
                if self.last[name] == at and name not in self.outputs:
                    known.pop(name, None)
        return [known[name] for name in self.outputs]


def checked(graph: Graph, given: Mapping[str, np.ndarray]) -> None:
    """Refuse inputs that are not those of the graph; ValueError names what is wrong and right."""
    wanted = {value.name: value for value in graph.inputs}
    if set(given) != set(wanted):
        raise ValueError(f'inputs {", ".join(sorted(given))}; this network takes '
                         f'{", ".join(wanted)}')
    for name, array in given.items():
        value = wanted[name]
        fits = len(value.shape) == np.ndim(array) and all(
            isinstance(n, str) or n == m for n, m in zip(value.shape, np.shape(array)))
        if not fits or array.dtype != value.dtype:
            raise ValueError(f'{name} is {array.dtype} {np.shape(array)}; this network takes '
                             f'{value.dtype} {value.shape}')
