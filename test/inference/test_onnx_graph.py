# SPDX-License-Identifier: Apache-2.0
"""An ONNX network read by us is what others read, and what we write they read too."""

from ami_ros.inference import backend
from ami_ros.inference.onnx_graph import Graph, GraphNode, read, used, Value, write
from ami_ros.inference.onnx_precision_cast import double, half, plain
from ami_ros.modules.module import open_module
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import onnx
import pytest

FILES = {name: data for name, data in open_module().files.items() if name.endswith('.onnx')}
F32 = np.dtype(np.float32)


def inputs(graph: Graph, rows: int = 5) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {v.name: rng.uniform(0, 255 if v.name == 'picture' else 1, [
        n if isinstance(n, int) else rows for n in v.shape]).astype(v.dtype)
        for v in graph.inputs}


@pytest.mark.parametrize('name', FILES)
def test_what_we_read_is_what_the_onnx_package_reads(name):
    theirs, ours = onnx.load_from_string(FILES[name]).graph, read(FILES[name])
    assert [n.op_type for n in theirs.node] == [n.kind for n in ours.nodes]
    assert [(list(n.input), list(n.output)) for n in theirs.node] == [
        (list(n.inputs), list(n.outputs)) for n in ours.nodes]
    for one, node in zip(theirs.node, ours.nodes):
        for a in one.attribute:
            value = onnx.helper.get_attribute_value(a)
            if isinstance(value, onnx.TensorProto):
                value = onnx.numpy_helper.to_array(value)
            assert np.array_equal(value, node.attributes[a.name]), (node.name, a.name)
    assert set(ours.weights) == {t.name for t in theirs.initializer}
    for tensor in theirs.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        assert array.dtype == ours.weights[tensor.name].dtype
        assert np.array_equal(array, ours.weights[tensor.name])
    onnx.checker.check_model(onnx.load_from_string(write(ours)))


@pytest.mark.parametrize('name', FILES)
def test_what_we_write_runs_to_the_same_bit(name):
    graph = read(FILES[name])
    given = inputs(graph)
    one, two, three = (backend('onnx')(data)(**given)
                       for data in (FILES[name], write(graph), write(plain(graph))))
    for a, b, c in zip(one, two, three, strict=True):
        assert a.tobytes() == b.tobytes() == c.tobytes()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_networks_are_refused_or_read_and_nothing_else(data):
    whole = FILES['step.onnx']
    at = data.draw(st.integers(0, len(whole) - 1))
    how = data.draw(st.sampled_from(['cut', 'flip']))
    torn = whole[:at] if how == 'cut' else whole[:at] + bytes([whole[at] ^ 0x5A]) + whole[at + 1:]
    try:
        read(torn)
    except ValueError as why:
        assert 'not an ONNX network' in str(why)


def model(**more) -> bytes:
    """Return a network of one Relu, with more fields of the graph."""
    made = onnx.load_from_string(write(small(GraphNode('Relu', ('x',), ('y',), {}))))
    made.graph.MergeFrom(onnx.GraphProto(**more))
    return made.SerializeToString()


@pytest.mark.parametrize('data, why', [
    (b'', 'no graph'), (b'\x08\x08', 'no graph'),
    (onnx.ModelProto(graph=onnx.GraphProto(), opset_import=[onnx.helper.make_opsetid('', 17)]
                     ).SerializeToString(), 'no outputs')])
def test_bytes_without_a_network_say_why(data, why):
    with pytest.raises(ValueError, match=why):
        read(data)


@pytest.mark.parametrize('more, why', [
    ({'initializer': [onnx.TensorProto(name='w', dims=[1], data_type=1, data_location=1)]},
     'w is stored in another file'),
    ({'initializer': [onnx.TensorProto(name='w', dims=[1], data_type=8)]}, 'element type 8'),
    ({'sparse_initializer': [onnx.SparseTensorProto()]}, 'sparse weights'),
    ({'node': [onnx.NodeProto(name='n', op_type='Relu', domain='mine')]}, 'operator of mine'),
    ({'node': [onnx.NodeProto(op_type='If', attribute=[onnx.AttributeProto(
        name='then', type=onnx.AttributeProto.GRAPH, g=onnx.GraphProto())])]}, 'attribute then'),
])
def test_what_cannot_be_run_is_refused_with_its_reason(more, why):
    read(model())
    with pytest.raises(ValueError, match=why):
        read(model(**more))


def small(*nodes: GraphNode, weights=None) -> Graph:
    return Graph(nodes, weights or {}, (Value('x', F32, ('n', 2)),), (Value('y', F32, ('n', 2)),))


def test_only_what_an_output_depends_on_is_kept():
    graph = small(GraphNode('Relu', ('x',), ('y',), {}), GraphNode('Sqrt', ('w',), ('z',), {}),
                  weights={'w': np.ones(2, np.float32)})
    lean = used(graph, graph.nodes)
    assert [n.kind for n in lean.nodes] == ['Relu'] and lean.weights == {}


@pytest.mark.parametrize('name', FILES)
def test_a_half_network_keeps_its_borders_and_says_nearly_the_same(name):
    graph = read(FILES[name])
    low = half(graph)
    assert low.inputs == graph.inputs and low.outputs == graph.outputs
    kinds = {node.kind for node in low.nodes}
    assert 'Cast' in kinds and sum(w.dtype == np.float16 for w in low.weights.values()) >= 5
    given = inputs(graph)
    for a, b in zip(backend('onnx')(FILES[name])(**given), backend('onnx')(write(low))(**given)):
        off = float(np.abs(a - b).max()) / float(np.abs(a).max())
        assert b.dtype == np.float32 and 0 < off < 1e-2


def test_a_weight_that_half_cannot_hold_is_named():
    graph = small(GraphNode('MatMul', ('x', 'w'), ('y',), {}),
                  weights={'w': np.full((2, 2), 1e6, np.float32)})
    with pytest.raises(ValueError, match='w has numbers that float16 cannot hold'):
        half(graph)


def test_a_double_network_has_no_single_left():
    wide = double(read(FILES['see.onnx']))
    assert {w.dtype.itemsize for w in wide.weights.values() if w.dtype.kind == 'f'} == {8}
    assert {v.dtype for v in (*wide.inputs, *wide.outputs)} == {np.dtype(np.float64)}
