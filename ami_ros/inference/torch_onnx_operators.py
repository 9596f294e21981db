# SPDX-License-Identifier: Apache-2.0
"""
The ONNX operators that our exports use, in torch, as the standard defines them.

Each takes the node's attributes and its inputs (None where an optional one is left out).
https://onnx.ai/onnx/operators
"""

import numpy as np
import torch
from torch.nn import functional

from ami_ros.core.errors import AmiError
from ami_ros.inference.onnx_graph import DTYPES

KINDS = {code: getattr(torch, np.dtype(kind).name) for code, kind in DTYPES.items()}
# inputs from this index on give shapes, axes or indices: they stay on the CPU
SHAPES_FROM = {'Slice': 1, 'Gather': 1, 'Unsqueeze': 1, 'Squeeze': 1, 'Reshape': 1, 'Split': 1,
               'Expand': 1, 'ConstantOfShape': 0}


def axes_of(attributes: dict, axes=None) -> tuple[int, ...] | None:
    """Read the axes: an attribute in older operator sets, an input in newer ones."""
    found = attributes.get('axes') if axes is None else axes.reshape(-1).tolist()
    return None if found is None else tuple(found)


def reduced(function):
    """Make a reduction over axes."""
    def reduce(a, x, axes=None):
        return function(x, axes_of(a, axes), bool(a.get('keepdims', 1)))
    return reduce


def gemm(a, x, w, b=None):
    """Return alpha x w + beta b."""
    x, w = (x.T if a.get('transA') else x), (w.T if a.get('transB') else w)
    if b is None:
        return a.get('alpha', 1.0) * (x @ w)
    return torch.addmm(b, x, w, beta=a.get('beta', 1.0), alpha=a.get('alpha', 1.0))


def conv(a, x, w, b=None):
    """Convolve in two dimensions."""
    top, left, bottom, right = a.get('pads', [0, 0, 0, 0])
    if (top, left) != (bottom, right):
        x, top, left = functional.pad(x, (left, right, top, bottom)), 0, 0
    return functional.conv2d(x, w, b, a.get('strides', [1, 1]), (top, left),
                             a.get('dilations', [1, 1]), a.get('group', 1))


def layer_norm(a, x, scale, bias=None):
    """Normalise over the last axes, from `axis` on."""
    axis = a.get('axis', -1) % x.ndim
    return functional.layer_norm(x, x.shape[axis:], scale, bias, a.get('epsilon', 1e-5))


def quantise(a, x, scale, zero):
    """Round to the nearest integer, to the even one at a tie, and clamp to the range."""
    axis, kind = a.get('axis', 1), torch.iinfo(zero.dtype)
    y = torch.round(x / along(scale, x, axis)) + along(zero, x, axis)
    return y.clamp(kind.min, kind.max).to(zero.dtype)


def dequantise(a, x, scale, zero=None):
    """Return (x - zero) scale."""
    axis = a.get('axis', 1)
    y = x.to(scale.dtype)
    return (y if zero is None else y - along(zero, x, axis)) * along(scale, x, axis)


def along(values, x, axis):
    """Reshape a per-channel scale so that it broadcasts along an axis of x."""
    return values if values.numel() == 1 else values.view(
        [-1 if at == axis % x.ndim else 1 for at in range(x.ndim)])


def split(a, x, parts=None):
    """Cut an axis into the given sizes, or into `outputs` equal ones."""
    axis, outputs = a.get('axis', 0), a['outputs']
    parts = a.get('split') if parts is None else parts.tolist()
    return torch.split(x, -(-x.shape[axis] // outputs) if parts is None else parts, axis)


def slice_(a, x, starts, ends, axes=None, steps=None):
    """Cut out a range of each of the axes."""
    out = [slice(None)] * x.ndim
    for at, axis in enumerate(range(len(starts)) if axes is None else axes.tolist()):
        step = 1 if steps is None else int(steps[at])
        if step < 1:
            raise AmiError('a Slice with a negative step is not supported')
        out[axis] = slice(int(starts[at]), int(ends[at]), step)
    return x[tuple(out)]


def gather(a, x, at):
    """Take entries along an axis."""
    axis = a.get('axis', 0)
    return x.select(axis, int(at)) if at.ndim == 0 else x.index_select(axis, at.to(x.device))


def unsqueeze(a, x, axes=None):
    """Insert axes of size one."""
    axes = axes_of(a, axes)
    rank, sizes = x.ndim + len(axes), iter(x.shape)
    new = {axis % rank for axis in axes}
    return x.reshape([1 if axis in new else next(sizes) for axis in range(rank)])


def reshape(a, x, shape):
    """Reshape; 0 keeps an axis, -1 takes what is left."""
    return x.reshape([x.shape[at] if n == 0 else n for at, n in enumerate(shape.tolist())])


def constant_of_shape(a, shape):
    """Fill a new tensor with one value, 0 unless it is given."""
    value = torch.tensor(a.get('value', np.zeros(1, np.float32)))
    return value.reshape(()).expand(shape.tolist()).clone()


OPERATORS = {
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
    'Constant': lambda a: torch.tensor(a['value']), 'Identity': lambda a, x: x,
    'Cast': lambda a, x: x.to(KINDS[a['to']]),
    'Shape': lambda a, x: torch.tensor(x.shape, dtype=torch.int64),
    'ConstantOfShape': constant_of_shape,
    'Concat': lambda a, *x: torch.cat(x, a['axis']),
    'Split': split, 'Slice': slice_, 'Gather': gather, 'Unsqueeze': unsqueeze,
    'Squeeze': lambda a, x, axes=None: x.squeeze(axes_of(a, axes)),
    'Reshape': reshape,
    'Flatten': lambda a, x: x.reshape(int(np.prod(x.shape[:a.get('axis', 1)])), -1),
    'Transpose': lambda a, x: x.permute(a['perm']),
    'Expand': lambda a, x, shape: x * torch.ones(shape.tolist(), dtype=x.dtype, device=x.device),
    'QuantizeLinear': quantise, 'DequantizeLinear': dequantise,
}
