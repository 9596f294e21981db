# SPDX-License-Identifier: Apache-2.0
"""
The operators that our exports use, in numpy, as the ONNX standard defines them.

Each takes the node's attributes and its inputs (None where an optional one is left out).
https://onnx.ai/onnx/operators
"""

import numpy as np

from ami_ros.inference.graph import DTYPES


def axes_of(attributes: dict, axes=None) -> tuple[int, ...] | None:
    """Read the axes, an attribute in older operators and an input in newer ones."""
    found = attributes.get('axes') if axes is None else np.atleast_1d(axes).tolist()
    return None if found is None else tuple(found)


def slices(rank: int, starts, ends, axes=None, steps=None) -> tuple[slice, ...]:
    """Return what a Slice cuts out; the largest number stands for the end."""
    out = [slice(None)] * rank
    for at, axis in enumerate(range(len(starts)) if axes is None else axes):
        step = 1 if steps is None else int(steps[at])
        if step < 1:
            raise ValueError('a Slice goes backwards; our exports do not')
        out[axis] = slice(int(starts[at]), int(ends[at]), step)
    return tuple(out)


def shaped(shape: tuple[int, ...], wanted) -> list[int]:
    """Return the shape of a Reshape: 0 keeps an axis, -1 takes what is left."""
    return [shape[at] if n == 0 else int(n) for at, n in enumerate(wanted)]


def unsqueezed(shape: tuple[int, ...], axes: tuple[int, ...]) -> list[int]:
    """Return a shape with axes of one put in."""
    rank, left = len(shape) + len(axes), iter(shape)
    there = {axis % rank for axis in axes}
    return [1 if axis in there else next(left) for axis in range(rank)]


def parts_of(attributes: dict, size: int, outputs: int, parts=None) -> list[int]:
    """Return where a Split cuts an axis."""
    parts = attributes.get('split') if parts is None else parts
    if parts is None:
        part = -(-size // outputs)
        parts = [part] * (outputs - 1) + [size - part * (outputs - 1)]
    return np.cumsum(parts)[:-1].tolist()


def outputs_of(attributes: dict) -> int:
    """Return how many outputs the interpreter wrote down for a Split."""
    return attributes['outputs']


def sigmoid(_, x):
    """Neither side overflows."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e).astype(x.dtype) / (1 + e)


def softplus(_, x):
    """log(1 + e^x) without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def softmax(a, x):
    """Along one axis."""
    e = np.exp(x - x.max(a.get('axis', -1), keepdims=True))
    return e / e.sum(a.get('axis', -1), keepdims=True)


def erf(_, x):
    """Abramowitz and Stegun 7.1.26 is too coarse for a reference: the series, and math's own."""
    from math import erf as exact
    return np.vectorize(exact, otypes=[x.dtype])(x) if x.size else x


def gemm(a, x, w, b=None):
    """Return alpha x w + beta b."""
    x, w = (x.T if a.get('transA') else x), (w.T if a.get('transB') else w)
    y = x @ w
    y = y if a.get('alpha', 1.0) == 1 else y * x.dtype.type(a['alpha'])
    return y if b is None else y + b * x.dtype.type(a.get('beta', 1.0))


def conv(a, x, w, b=None):
    """Two dimensions, one group, as one product of patches (N, C, kh, kw) with the kernels."""
    if a.get('group', 1) != 1 or any(n != 1 for n in a.get('dilations', [])) or x.ndim != 4:
        raise ValueError('a Conv with groups, dilations or another rank than 4; ours have none')
    top, left, bottom, right = a.get('pads', [0, 0, 0, 0])
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    patches = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], (2, 3))
    down, across = a.get('strides', [1, 1])
    patches = patches[:, :, ::down, ::across].transpose(0, 2, 3, 1, 4, 5)
    n, height, width = patches.shape[:3]
    y = patches.reshape(n * height * width, -1) @ w.reshape(len(w), -1).T
    y = y if b is None else y + b
    return y.reshape(n, height, width, -1).transpose(0, 3, 1, 2)


def layer_normalisation(a, x, scale, bias=None):
    """Over the last axes, from `axis` on."""
    axis = a.get('axis', -1) % x.ndim
    over = tuple(range(axis, x.ndim))
    off = x - x.mean(over, keepdims=True)
    y = off / np.sqrt((off * off).mean(over, keepdims=True)
                      + x.dtype.type(a.get('epsilon', 1e-5))) * scale
    return y if bias is None else y + bias


def reduced(function):
    """Make a reduction over axes."""
    def reduce(a, x, axes=None):
        return function(x, axes_of(a, axes), bool(a.get('keepdims', 1)))
    return reduce


def clip(_, x, low=None, high=None):
    """Between two limits, either of which may be left out."""
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def along(values, x, axis: int):
    """Give a scale of a channel the shape in which it fits to x."""
    if np.ndim(values) == 0 or np.size(values) == 1:
        return np.reshape(values, ())
    return np.reshape(values, [-1 if at == axis % x.ndim else 1 for at in range(x.ndim)])


def quantise(a, x, scale, zero=None):
    """To whole numbers: the nearest, even where two are; what is too large is cut."""
    zero = np.zeros((), np.uint8) if zero is None else zero
    axis, kind = a.get('axis', 1), np.iinfo(zero.dtype)
    y = np.rint(x / along(scale, x, axis)) + along(zero, x, axis).astype(x.dtype)
    return np.clip(y, kind.min, kind.max).astype(zero.dtype)


def dequantise(a, x, scale, zero=None):
    """Back."""
    axis, scale = a.get('axis', 1), np.asarray(scale)
    y = x.astype(scale.dtype)
    y = y if zero is None else y - along(zero, x, axis).astype(scale.dtype)
    return y * along(scale, x, axis)


def norm2(x, axes, keep):
    """Root of the sum of squares."""
    return np.sqrt((x * x).sum(axes, keepdims=keep))


OPERATORS = {
    'Add': lambda a, x, y: x + y, 'Sub': lambda a, x, y: x - y, 'Mul': lambda a, x, y: x * y,
    'Div': lambda a, x, y: x // y if x.dtype.kind in 'iu' else x / y,
    'Pow': lambda a, x, y: np.power(x, y).astype(x.dtype), 'Neg': lambda a, x: -x,
    'Equal': lambda a, x, y: x == y, 'Where': lambda a, c, x, y: np.where(c, x, y),
    'Sqrt': lambda a, x: np.sqrt(x), 'Exp': lambda a, x: np.exp(x), 'Erf': erf,
    'Reciprocal': lambda a, x: 1 / x, 'Tanh': lambda a, x: np.tanh(x),
    'Relu': lambda a, x: np.maximum(x, 0), 'Sigmoid': sigmoid, 'Softplus': softplus,
    'Softmax': softmax, 'Clip': clip, 'Gemm': gemm, 'MatMul': lambda a, x, y: x @ y,
    'Conv': conv, 'LayerNormalization': layer_normalisation,
    'ReduceMean': reduced(lambda x, axes, keep: x.mean(axes, keepdims=keep)),
    'ReduceSum': reduced(lambda x, axes, keep: x.sum(axes, keepdims=keep)),
    'ReduceL2': reduced(norm2),
    'Constant': lambda a: a['value'], 'Identity': lambda a, x: x,
    'Cast': lambda a, x: x.astype(DTYPES[a['to']]),
    'Shape': lambda a, x: np.array(x.shape, np.int64),
    'ConstantOfShape': lambda a, n: np.full(n.tolist(), *a.get('value', np.zeros(1, np.float32))),
    'Concat': lambda a, *x: np.concatenate(x, a['axis']),
    'Split': lambda a, x, parts=None: np.split(
        x, parts_of(a, x.shape[a.get('axis', 0)], outputs_of(a), parts), a.get('axis', 0)),
    'Slice': lambda a, x, *given: x[slices(x.ndim, *given)],
    'Gather': lambda a, x, at: np.take(x, at, a.get('axis', 0)),
    'Unsqueeze': lambda a, x, axes=None: x.reshape(unsqueezed(x.shape, axes_of(a, axes))),
    'Squeeze': lambda a, x, axes=None: np.squeeze(x, axes_of(a, axes)),
    'Reshape': lambda a, x, shape: x.reshape(shaped(x.shape, shape)),
    'Flatten': lambda a, x: x.reshape(int(np.prod(x.shape[:a.get('axis', 1)])), -1),
    'Transpose': lambda a, x: np.transpose(x, a.get('perm')),
    'Expand': lambda a, x, shape: x * np.ones(shape.tolist(), x.dtype),
    'QuantizeLinear': quantise, 'DequantizeLinear': dequantise,
}
