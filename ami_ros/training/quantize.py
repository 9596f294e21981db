# SPDX-License-Identifier: Apache-2.0
"""
Makes an int8 module of a trained one: products in eight bits, everything else as it was.

Quantise-dequantise pairs stand in the network itself, symmetric, a scale for each column of a
weight: what both ONNX Runtime and a strongly typed TensorRT take as it is. Readings of a place
stay float32: one percent of a room is a decimetre. Whether the robot still drives is for the task
to say; see `ami-ros quantize`.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
import logging
from pathlib import Path
import tempfile

import numpy as np
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    quantize_static,
    QuantType,
)

from ami_ros.core.errors import AmiError
from ami_ros.inference import backend
from ami_ros.inference.benchmark_inputs import asks
from ami_ros.inference.onnx_graph import Graph, GraphNode, read, used, write
from ami_ros.inference.onnx_precision_cast import plain
from ami_ros.modules import golden_inputs
from ami_ros.modules import module as modules

TICKS = 200             # that the ranges are taken from
EXACT = '/readings/'    # in the names of what stays float32
PRODUCT = '_product'
# a value that lies between two falls to the other on another device, and that adds up
TOLERANCE = {'float32': 0.1, 'float16': 0.1}
REASON = ('int8: a value between two steps of 1/127 of its range falls to another one on another '
          'device, and that adds up over the rollout; a wrong network is off by more than 0.5')


def products(graph: Graph) -> Graph:
    """Split every Gemm into a product and a sum: int8 takes only those."""
    nodes, weights = [], dict(graph.weights)
    for node in graph.nodes:
        if node.kind != 'Gemm' or not node.attributes.get('transB') or len(node.inputs) < 3:
            nodes.append(node)
            continue
        x, weight, bias = node.inputs
        weights[weight + '_t'] = np.ascontiguousarray(weights[weight].T)
        nodes += [GraphNode('MatMul', (x, weight + '_t'), (node.outputs[0] + PRODUCT,), {},
                       node.name + PRODUCT),
                  GraphNode('Add', (node.outputs[0] + PRODUCT, bias), node.outputs, {}, node.name)]
    return used(replace(graph, weights=weights), nodes)


def to_quantise(graph: Graph) -> list[str]:
    """Name the products with a weight of their own that need not stay exact."""
    return [node.name for node in graph.nodes if EXACT not in node.name and (
        node.kind == 'Conv' or node.name.endswith(PRODUCT))]


class Ticks(CalibrationDataReader):
    """Gives ONNX Runtime's quantiser one input after another."""

    def __init__(self, inputs: Iterator[dict]):
        self.inputs = inputs

    def get_next(self):
        """Return the next, or None after the last."""
        return next(self.inputs, None)


def quantise(data: bytes, inputs: Iterator[dict]) -> bytes:
    """Quantise one network, with ranges from these inputs; ValueError where nothing can be."""
    graph = products(plain(read(data)))
    names = to_quantise(graph)
    if not names:
        raise AmiError('the network has no product that could be done in int8')
    root = logging.getLogger()
    before = root.level
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / 'in.onnx', Path(folder) / 'out.onnx'
        source.write_bytes(write(graph))
        try:
            root.setLevel(logging.ERROR)        # it recommends a preprocessing that was done
            quantize_static(source, out, Ticks(inputs), quant_format=QuantFormat.QDQ,
                            nodes_to_quantize=names, per_channel=True,
                            activation_type=QuantType.QInt8, weight_type=QuantType.QInt8,
                            calibrate_method=CalibrationMethod.MinMax,
                            # TensorRT refuses an int32 bias, and zero points that are not 0
                            extra_options={'QuantizeBias': False, 'ActivationSymmetric': True,
                                           'OpTypesToExcludeOutputQuantization': [
                                               'MatMul', 'Conv']})
        finally:
            root.setLevel(before)
        return write(read(out.read_bytes()))


def make(module: modules.Module, pictures: np.ndarray, out: Path,
         say: Callable[[str], None] = print) -> Path:
    """Write the int8 module; `pictures` (N, H, W, 3) uint8 are what the robot sees.

    Its latents are its own: what remembers others is kept, and the manifest says so.
    """
    if out.exists():
        raise AmiError(f'{out} exists; give another --out, or remove it')
    robot, horizon = module.manifest, module.manifest['horizon']
    chosen = np.linspace(0, len(pictures) - 1, min(TICKS, len(pictures))).round().astype(int)
    see = backend('onnx')(module.files['see.onnx'])
    ticks = list(asks(see, pictures[chosen], robot['limits'], horizon))
    files, opened = dict(module.files), {}
    for name in sorted(n for n in files if n.endswith('.onnx')):
        stem = name.removesuffix('.onnx')
        files[name] = quantise(module.files[name], iter([tick.of(stem) for tick in ticks]))
        opened[stem] = backend('onnx')(files[name])
        float32 = backend('onnx')(module.files[name])
        off = golden_inputs.distance(opened[stem](**ticks[-1].of(stem)),
                                     float32(**ticks[-1].of(stem)))
        say(f'{name}: {len(module.files[name]) / 1e3:.0f} kB float32, '
            f'{len(files[name]) / 1e3:.0f} kB int8, off by {off:.1%} of the largest value')
    files[golden_inputs.FILE], said = golden_inputs.make(opened, pictures[chosen], robot['limits'],
                                                         horizon)
    manifest = {**module.manifest, 'name': out.name,
                'latent_space': modules.digest(files['see.onnx'])[:16],
                'golden': {**said, 'tolerance': TOLERANCE, 'reason': REASON},
                'lineage': {**module.manifest['lineage'], 'quantised_from': {
                    'name': robot['name'], 'latent_space': robot['latent_space'],
                    'pictures': len(chosen),
                    'memory': 'its remembered latents are those of the float32 encoder'}}}
    modules.write(out, manifest, files)
    return out
