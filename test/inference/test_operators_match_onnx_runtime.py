# SPDX-License-Identifier: Apache-2.0
"""Every operator, alone, gives what ONNX Runtime gives: in the reference and in torch."""

from dataclasses import replace
from importlib.util import find_spec

from ami_ros.inference import backend
from ami_ros.inference.onnx_graph import CODES, DTYPES, Graph, GraphNode, read, Value, write
import numpy as np
import pytest

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 3, 4)).astype(np.float32)
POSITIVE = np.abs(X) + 0.1
IMAGE = RNG.normal(size=(2, 3, 9, 8)).astype(np.float32)
KERNEL, BIAS = (RNG.normal(size=s).astype(np.float32) for s in ((5, 3, 3, 2), (5,)))
FLAT, SQUARE = (RNG.normal(size=s).astype(np.float32) for s in ((6, 4), (4, 5)))


def ints(*values):
    return np.array(values, np.int64)


SCALE, ZERO = np.float32(0.05), np.uint8(120)
SCALES, ZEROS = (np.array([0.05, 0.1, 0.2], np.float32), np.zeros(3, np.int8))
CASES = {       # operator: its attributes, then its inputs; the first is the network's, as x
    'Add': [({}, X, BIAS[:4])], 'Sub': [({}, X, BIAS[:4])], 'Mul': [({}, X, BIAS[:4])],
    'Div': [({}, X, BIAS[:4]), ({}, ints(7, 9, 8), ints(2))],
    'Pow': [({}, X, np.float32(2)), ({}, POSITIVE, np.float32(1.5))],
    'Neg': [({}, X)], 'Sqrt': [({}, POSITIVE)], 'Exp': [({}, X)], 'Erf': [({}, X)],
    'Reciprocal': [({}, POSITIVE)], 'Tanh': [({}, X)], 'Relu': [({}, X)],
    'Sigmoid': [({}, 40 * X)], 'Softplus': [({}, 30 * X)],
    'Softmax': [({'axis': -1}, 30 * X), ({'axis': 1}, X)],
    'Clip': [({}, X, np.float32(-0.5), np.float32(0.5)), ({}, X, np.float32(0.1), None)],
    'Gemm': [({'alpha': 1.0, 'beta': 1.0, 'transB': 1}, FLAT, SQUARE.T.copy(), BIAS),
             ({'alpha': 0.5, 'beta': 2.0}, FLAT, SQUARE, BIAS), ({}, FLAT, SQUARE)],
    'MatMul': [({}, X, SQUARE), ({}, X, RNG.normal(size=(2, 4, 7)).astype(np.float32))],
    'Conv': [({'pads': [1, 0, 1, 0], 'strides': [2, 1]}, IMAGE, KERNEL, BIAS),
             ({'pads': [0, 1, 2, 0], 'strides': [1, 3]}, IMAGE, KERNEL)],
    'LayerNormalization': [({'axis': -1, 'epsilon': 1e-5}, X, BIAS[:4], BIAS[1:]),
                           ({'axis': -1, 'epsilon': 1e-3}, X, BIAS[:4])],
    'ReduceMean': [({'axes': [0, 2], 'keepdims': 0}, X), ({'axes': [-1]}, X)],
    'ReduceSum': [({'keepdims': 0}, X, ints(1))], 'ReduceL2': [({'axes': [-1]}, X)],
    'Identity': [({}, X)], 'Cast': [({'to': 7}, 10 * X), ({'to': 10}, X)],
    'Shape': [({}, X)],
    'Concat': [({'axis': 1}, X, np.ones((2, 1, 4), np.float32))],
    'Split': [({'axis': -1}, X, ints(1, 3)), ({'axis': 2}, X)],
    'Slice': [({}, X, ints(1), ints(2**63 - 1), ints(2), ints(2)), ({}, X, ints(0), ints(1)),
              ({}, X, ints(-2), ints(-1), ints(-1))],
    'Gather': [({'axis': 1}, X, np.array(2)), ({'axis': -1}, X, ints(3, 0, 0))],
    'Unsqueeze': [({}, X, ints(0, -1))], 'Squeeze': [({}, X[:, :1], ints(1))],
    'Reshape': [({}, X, ints(0, -1)), ({}, X, ints(4, 3, 2))],
    'Flatten': [({'axis': 2}, X)], 'Transpose': [({'perm': [2, 0, 1]}, X)],
    'Expand': [({}, X[:, :1], ints(2, 3, 4)), ({}, X[0], ints(2, 1, 1))],
    'QuantizeLinear': [({}, X, SCALE, ZERO), ({'axis': 1}, X, SCALES, ZEROS)],
    'Equal': [({}, X, X[:1])], 'DequantizeLinear': [], 'Where': [], 'Constant': [],
    'ConstantOfShape': [],      # their first input is no float: see below
}
EACH = [(kind, *case) for kind, cases in CASES.items() for case in cases]


def alone(kind: str, attributes: dict, *inputs) -> bytes:
    """Write a network of one operator; all but its first input are weights."""
    names = [f'i{at}' if x is not None else '' for at, x in enumerate(inputs)]
    out = tuple(f'o{at}' for at in range(2 if kind == 'Split' else 1))
    code = {'Cast': attributes.get('to'), 'Shape': 7, 'Equal': 9,
            'QuantizeLinear': 3 if len(inputs) > 2 and np.size(inputs[2]) > 1 else 2}.get(
                kind, CODES[inputs[0].dtype])
    first = Value('i0', inputs[0].dtype, inputs[0].shape)
    return write(Graph((GraphNode(kind, tuple(names), out, attributes),),
                       {n: np.asarray(x) for n, x in zip(names[1:], inputs[1:]) if n}, (first,),
                       tuple(Value(n, np.dtype(DTYPES[code]), ()) for n in out)))


def shapeless(data: bytes, said: list[np.ndarray]) -> bytes:
    """Write down the shapes that come out; ONNX Runtime holds a network to them."""
    graph = read(data)
    return write(replace(graph, outputs=tuple(
        replace(v, shape=a.shape) for v, a in zip(graph.outputs, said))))


def test_every_operator_has_a_case():
    pytest.importorskip('torch', reason='needs the training extra: make setup')
    from ami_ros.inference.torch_onnx_operators import OPERATORS
    assert set(CASES) == set(OPERATORS)


@pytest.mark.parametrize('kind, attributes, inputs', [(k, a, i) for k, a, *i in EACH],
                         ids=[f'{k}-{n}' for n, (k, *_) in enumerate(EACH)])
@pytest.mark.parametrize('name', ['numpy', 'torch'])
def test_it_says_what_onnx_runtime_says(name, kind, attributes, inputs):
    if name == 'torch' and find_spec('torch') is None:
        pytest.skip('needs the training extra: make setup')
    data = alone(kind, attributes, *inputs)
    ours = backend(name)(data)(i0=inputs[0])
    theirs = backend('onnx')(shapeless(data, ours))(i0=inputs[0])
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        # float16 rounds to 11 bits, and a quantised value to the next whole one
        assert a == pytest.approx(b, rel=1e-5, abs=2e-6)


@pytest.mark.parametrize('name', ['numpy', 'torch'])
def test_operators_on_what_is_no_float(name):
    if name == 'torch' and find_spec('torch') is None:
        pytest.skip('needs the training extra: make setup')
    nodes = (GraphNode('Constant', (), ('shape',), {'value': ints(2, 3, 4)}),
             GraphNode('ConstantOfShape', ('shape',), ('two',),
                       {'value': np.array([2.0], np.float32)}),
             GraphNode('Equal', ('x', 'two'), ('is_two',), {}),
             GraphNode('Where', ('is_two', 'x', 'two'), ('chosen',), {}),
             GraphNode('QuantizeLinear', ('chosen', 'scales', 'zeros'), ('q',), {'axis': 1}),
             GraphNode('DequantizeLinear', ('q', 'scales', 'zeros'), ('y',), {'axis': 1}))
    f32 = np.dtype(np.float32)
    data = write(Graph(nodes, {'scales': SCALES, 'zeros': ZEROS},
                       (Value('x', f32, (2, 3, 4)),), (Value('y', f32, (2, 3, 4)),)))
    assert backend(name)(data)(x=X)[0] == pytest.approx(backend('onnx')(data)(x=X)[0])


@pytest.mark.parametrize('name, why', [('numpy', 'cannot evaluate the network: .*Cely'),
                                       ('torch', 'no operator Cely; there are: Add, ')])
def test_an_unknown_operator_is_refused_by_name(name, why):
    if name == 'torch' and find_spec('torch') is None:
        pytest.skip('needs the training extra: make setup')
    data = alone('Relu', {}, X).replace(b'Relu', b'Cely')
    with pytest.raises(ValueError, match=why):
        backend(name)(data)


@pytest.mark.parametrize('given, why', [
    ({}, 'inputs ; this network takes i0'),
    ({'i0': X[0]}, r'i0 is float32 \(3, 4\); this network takes float32 \(2, 3, 4\)'),
    ({'i0': X.astype(float)}, 'i0 is float64'),
])
def test_wrong_inputs_are_named(given, why):
    with pytest.raises(ValueError, match=why):
        backend('numpy')(alone('Relu', {}, X))(**given)
