# SPDX-License-Identifier: Apache-2.0
"""The same operators in torch, on its GPU where it has one: where one develops, and to compare."""

from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional

from ami_ros.inference import cast, operators
from ami_ros.inference.graph import DTYPES, Node, read
from ami_ros.inference.interpreter import checked, Interpreter
from ami_ros.inference.operators import OPERATORS
from ami_ros.inference.options import Options

PLAIN = Options()
CASTS = {'float32': cast.plain, 'float16': cast.half, 'float64': cast.double}


def reduced(function):
    """Make a reduction over axes."""
    def reduce(a, x, axes=None):
        return function(x, operators.axes_of(a, axes), bool(a.get('keepdims', 1)))
    return reduce


def gemm(a, x, w, b=None):
    """Return alpha x w + beta b."""
    x, w = (x.T if a.get('transA') else x), (w.T if a.get('transB') else w)
    if b is None:
        return a.get('alpha', 1.0) * (x @ w)
    return torch.addmm(b, x, w, beta=a.get('beta', 1.0), alpha=a.get('alpha', 1.0))


def conv(a, x, w, b=None):
    """Two dimensions; the same padding on both sides."""
    top, left, bottom, right = a.get('pads', [0, 0, 0, 0])
    if (top, left) != (bottom, right):
        x, top, left = functional.pad(x, (left, right, top, bottom)), 0, 0
    return functional.conv2d(x, w, b, a.get('strides', [1, 1]), (top, left),
                             a.get('dilations', [1, 1]), a.get('group', 1))


def layer_norm(a, x, scale, bias=None):
    """Over the last axes, from `axis` on."""
    axis = a.get('axis', -1) % x.ndim
    return functional.layer_norm(x, x.shape[axis:], scale, bias, a.get('epsilon', 1e-5))


def quantise(a, x, scale, zero):
    """To whole numbers, the nearest, even where two are."""
    axis, kind = a.get('axis', 1), torch.iinfo(zero.dtype)
    y = torch.round(x / along(scale, x, axis)) + along(zero, x, axis)
    return y.clamp(kind.min, kind.max).to(zero.dtype)


def dequantise(a, x, scale, zero=None):
    """Back."""
    axis = a.get('axis', 1)
    y = x.to(scale.dtype)
    return (y if zero is None else y - along(zero, x, axis)) * along(scale, x, axis)


def along(values, x, axis):
    """Give a scale of a channel the shape in which it fits to x."""
    return values if values.numel() == 1 else values.view(
        [-1 if at == axis % x.ndim else 1 for at in range(x.ndim)])


KINDS = {code: getattr(torch, np.dtype(kind).name) for code, kind in DTYPES.items()}
TORCH = {
    'Add': lambda a, x, y: x + y, 'Sub': lambda a, x, y: x - y, 'Mul': lambda a, x, y: x * y,
    'Div': lambda a, x, y: x / y if x.is_floating_point() else torch.div(
        x, y, rounding_mode='floor'),
    'Pow': lambda a, x, y: torch.pow(x, y),
    'Neg': lambda a, x: -x, 'Equal': lambda a, x, y: x == y,
    'Where': lambda a, c, x, y: torch.where(c, x, y),
    'Sqrt': lambda a, x: torch.sqrt(x), 'Exp': lambda a, x: torch.exp(x),
    'Erf': lambda a, x: torch.erf(x), 'Reciprocal': lambda a, x: 1 / x,
    'Tanh': lambda a, x: torch.tanh(x), 'Relu': lambda a, x: torch.relu(x),
    'Sigmoid': lambda a, x: torch.sigmoid(x),
    'Softplus': lambda a, x: functional.softplus(x, threshold=1e4),
    'Softmax': lambda a, x: torch.softmax(x, a.get('axis', -1)),
    'Clip': lambda a, x, low=None, high=None: torch.clamp(x, low, high),
    'Gemm': gemm, 'MatMul': lambda a, x, y: x @ y, 'Conv': conv,
    'LayerNormalization': layer_norm,
    'ReduceMean': reduced(lambda x, axes, keep: x.mean(axes, keep)),
    'ReduceSum': reduced(lambda x, axes, keep: x.sum(axes, keep)),
    'ReduceL2': reduced(lambda x, axes, keep: torch.linalg.vector_norm(x, 2, axes, keep)),
    'Identity': lambda a, x: x, 'Cast': lambda a, x: x.to(KINDS[a['to']]),
    'Shape': lambda a, x: np.array(x.shape, np.int64),
    'Concat': lambda a, *x: torch.cat(x, a['axis']),
    'Split': lambda a, x, parts=None: torch.tensor_split(
        x, operators.parts_of(a, x.shape[a.get('axis', 0)], operators.outputs_of(a), parts),
        a.get('axis', 0)),
    'Slice': lambda a, x, *given: x[operators.slices(x.ndim, *given)],
    'Gather': lambda a, x, at: x.select(a.get('axis', 0), int(at)) if np.ndim(at) == 0 else
    x.index_select(a.get('axis', 0), torch.as_tensor(at, device=x.device)),
    'Unsqueeze': lambda a, x, axes=None: x.reshape(
        operators.unsqueezed(x.shape, operators.axes_of(a, axes))),
    'Squeeze': lambda a, x, axes=None: x.squeeze(operators.axes_of(a, axes)),
    'Reshape': lambda a, x, shape: x.reshape(operators.shaped(x.shape, shape)),
    'Flatten': lambda a, x: x.reshape(int(np.prod(x.shape[:a.get('axis', 1)])), -1),
    'Transpose': lambda a, x: x.permute(a['perm']),
    'Expand': lambda a, x, shape: x * torch.ones(shape.tolist(), dtype=x.dtype, device=x.device),
    'QuantizeLinear': quantise, 'DequantizeLinear': dequantise,
}
NUMBERS_FROM = {'Slice': 1, 'Gather': 1, 'Unsqueeze': 1, 'Squeeze': 1, 'Reshape': 1, 'Split': 1,
                'Expand': 1}      # inputs from here on say where, and stay numpy's


def device() -> torch.device:
    """Return where torch computes."""
    return torch.device('cuda' if torch.cuda.is_available() else 'cpu')


def operator(node: Node) -> Callable:
    """Find the operator: numpy's for what only counts shapes, torch's for the rest."""
    numbers = NUMBERS_FROM.get(node.kind, len(node.inputs))
    plain, own = OPERATORS[node.kind], TORCH.get(node.kind)

    def run(a, *inputs):
        if not any(isinstance(x, torch.Tensor) for x in inputs) or own is None:
            return plain(a, *inputs)
        where = next(x.device for x in inputs if isinstance(x, torch.Tensor))
        return own(a, *(torch.as_tensor(x, device=where)
                        if isinstance(x, np.ndarray) and at < numbers else x
                        for at, x in enumerate(inputs)))
    return run


def load(data: bytes, options: Options = PLAIN) -> Callable[..., list[np.ndarray]]:
    """Make a network from ONNX bytes: keyword arrays in, a list of arrays out, float32 both."""
    graph, where = read(data), device()
    run = Interpreter(CASTS[options.precision](graph), operator)
    torch.set_num_threads(options.threads)
    sizes = {n for node in run.graph.nodes
             for n in node.inputs[NUMBERS_FROM.get(node.kind, len(node.inputs)):]}
    weights = {name: array if name in sizes or array.dtype == np.int64
               else torch.tensor(array, device=where)
               for name, array in run.graph.weights.items()}
    inner = [value.dtype for value in run.graph.inputs]
    outer = [value.dtype for value in graph.outputs]

    @torch.inference_mode()
    def network(**inputs: np.ndarray) -> list[np.ndarray]:
        checked(graph, inputs)
        given = {value.name: torch.from_numpy(
            np.array(inputs[value.name], kind)).to(where)
            for value, kind in zip(graph.inputs, inner, strict=True)}
        return [torch.as_tensor(x).cpu().numpy().astype(kind, copy=False)
                for x, kind in zip(run(weights | given), outer)]

    network.about = f'torch {torch.__version__} on {where}, {options.precision}'
    return network
