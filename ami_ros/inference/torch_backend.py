# SPDX-License-Identifier: Apache-2.0
"""Runs ONNX networks in torch, on its GPU where it has one: for development and comparison."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from ami_ros.core.errors import AmiError
from ami_ros.inference import onnx_precision_cast as cast
from ami_ros.inference.backend_options import Options
from ami_ros.inference.onnx_graph import check_inputs, Graph, read, used
from ami_ros.inference.torch_onnx_operators import OPERATORS, SHAPES_FROM

PLAIN = Options()
CASTS = {'float32': cast.plain, 'float16': cast.half, 'float64': cast.double}


class Interpreter:
    """Runs a graph operator by operator; what depends on weights alone is computed once."""

    def __init__(self, graph: Graph, device: torch.device):
        unknown = sorted({node.kind for node in graph.nodes} - set(OPERATORS))
        if unknown:
            raise AmiError(f'no operator {", ".join(unknown)}; there are: '
                           f'{", ".join(sorted(OPERATORS))}')
        self.device = device
        self.known = {name: torch.tensor(array) for name, array in graph.weights.items()}
        self.outputs = [value.name for value in graph.outputs]
        later = []
        for node in graph.nodes:
            if all(name in self.known or not name for name in node.inputs):
                self._run(node, self.known)
            else:
                later.append(node)
        left = used(replace(graph, weights=dict.fromkeys(self.known, np.empty(0))), later)
        self.nodes = left.nodes
        shapes = {name for node in self.nodes
                  for name in node.inputs[SHAPES_FROM.get(node.kind, len(node.inputs)):]}
        self.known = {name: self.known[name] if name in shapes else self.known[name].to(device)
                      for name in {*left.weights, *self.known.keys() & set(self.outputs)}}
        self.last = {name: at for at, node in enumerate(self.nodes) for name in node.inputs}

    def __call__(self, inputs: dict[str, torch.Tensor]) -> list[torch.Tensor]:
        """Run; an intermediate tensor is released after its last use."""
        values = self.known | inputs
        for at, node in enumerate(self.nodes):
            self._run(node, values)
            for name in node.inputs:
                if self.last[name] == at and name not in self.outputs:
                    values.pop(name, None)
        return [values[name] for name in self.outputs]

    def _run(self, node, values: dict) -> None:
        shapes = SHAPES_FROM.get(node.kind, len(node.inputs))
        given = [values.get(name) for name in node.inputs]
        where = next((x.device for x in given[:shapes] if x is not None and x.is_floating_point()
                      and x.device.type != 'cpu'), None)
        if where is not None:
            given[:shapes] = [x if x is None else x.to(where) for x in given[:shapes]]
        found = OPERATORS[node.kind]({**node.attributes, 'outputs': len(node.outputs)}, *given)
        values.update(zip(node.outputs, found if len(node.outputs) > 1 else [found]))


def device() -> torch.device:
    """Return where torch computes."""
    return torch.device('cuda' if torch.cuda.is_available() else 'cpu')


def load(data: bytes, options: Options = PLAIN) -> Callable[..., list[np.ndarray]]:
    """Make a network from ONNX bytes: keyword arrays in, a list of arrays out, float32 both."""
    graph, where = read(data), device()
    inner = CASTS[options.precision](graph)
    torch.set_num_threads(options.threads)
    with torch.inference_mode():
        run = Interpreter(inner, where)
    kinds = {value.name: value.dtype for value in inner.inputs}
    outer = [value.dtype for value in graph.outputs]

    @torch.inference_mode()
    def network(**inputs: np.ndarray) -> list[np.ndarray]:
        check_inputs(graph, inputs)
        found = run({name: torch.from_numpy(np.array(array, kinds[name])).to(where)
                     for name, array in inputs.items()})
        return [x.cpu().numpy().astype(kind, copy=False) for x, kind in zip(found, outer)]

    network.about = f'torch {torch.__version__} on {where}, {options.precision}'
    return network
