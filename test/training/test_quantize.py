# SPDX-License-Identifier: Apache-2.0
"""An int8 module says nearly the same, in pairs that TensorRT takes, and only drives if it may."""

from ami_ros.cli.main import main
from ami_ros.inference import backend, Options
from ami_ros.inference.benchmark_inputs import asks, pictures
from ami_ros.inference.encoder_and_dynamics import Networks
from ami_ros.inference.onnx_graph import read, write
from ami_ros.inference.onnx_precision_cast import half
from ami_ros.modules.module import open_module
from ami_ros.training import quantize
from ami_ros.validation import evaluate, paired_comparison
import numpy as np
import pytest

MODULE = open_module()
STEMS = ('see', 'step', 'imagine', 'imagine_4')


@pytest.fixture(scope='module')
def seen():
    return pictures(MODULE)[::25]


@pytest.fixture(scope='module')
def small(seen, tmp_path_factory):
    """Quantise the shipped module with few pictures; its path and what was said."""
    out, said = tmp_path_factory.mktemp('modules') / 'rover-int8', []
    return quantize.make(MODULE, seen, out, said.append), said


def ticks(seen):
    see = backend('onnx')(MODULE.files['see.onnx'])
    return list(asks(see, seen[:6], MODULE.manifest['limits'], 8, seed=1))


@pytest.mark.parametrize('stem', STEMS)
def test_it_says_nearly_the_same(small, seen, stem):
    int8 = open_module(small[0])
    one, other = (backend('onnx')(m.files[f'{stem}.onnx']) for m in (MODULE, int8))
    off = [float(np.abs(a - b).mean() / np.abs(a).max()) for tick in ticks(seen)
           for a, b in zip(one(**tick.of(stem)), other(**tick.of(stem)))]
    assert 0 < np.mean(off) < 0.03      # of the largest value; where it matters it is driven


@pytest.mark.parametrize('stem', STEMS)
def test_its_products_are_int8_symmetric_and_its_readings_exact(small, stem):
    graph = read(open_module(small[0]).files[f'{stem}.onnx'])
    made = {name: node for node in graph.nodes for name in node.outputs}
    done = 0
    for node in graph.nodes:
        if node.kind in ('QuantizeLinear', 'DequantizeLinear'):
            zero = graph.weights[node.inputs[2]]
            assert zero.dtype == np.int8 and not zero.any()      # TensorRT takes no other
        if node.kind in ('Conv', 'MatMul') and '/readings/' not in node.name:
            pairs = [made[i].kind for i in node.inputs[:2] if i in made]
            done += pairs == ['DequantizeLinear'] * 2
        assert '/readings/' not in node.name or 'Quantize' not in node.kind
    assert done >= {'see': 5, 'step': 3, 'imagine': 24, 'imagine_4': 12}[stem]
    assert not any(node.kind == 'Gemm' and node.inputs[1] in made for node in graph.nodes)


@pytest.mark.parametrize('name', ['numpy', 'torch'])
def test_other_backends_say_the_same_of_it(small, seen, name):
    data = open_module(small[0]).files['see.onnx']
    given = ticks(seen)[0].of('see')
    one, other = (backend(which)(data)(**given) for which in ('onnx', name))
    for a, b in zip(one, other):
        assert a == pytest.approx(b, abs=quantize.TOLERANCE['float32'] * float(np.abs(a).max()))


def test_half_leaves_the_pairs_alone(small):
    graph = half(read(open_module(small[0]).files['imagine.onnx']))
    made = {name: node for node in graph.nodes for name in node.outputs}
    for node in graph.nodes:
        if node.kind == 'MatMul' and node.inputs[1] in made:
            assert made[node.inputs[1]].kind == 'DequantizeLinear' or made[
                node.inputs[0]].kind == 'Cast'
    assert backend('onnx')(write(graph))


def test_a_module_says_where_it_is_from_and_is_held_to_its_own_golden_inputs(small, seen):
    int8 = open_module(small[0])
    assert int8.manifest['latent_space'] != MODULE.manifest['latent_space']
    said = int8.manifest['lineage']['quantised_from']
    assert said['latent_space'] == MODULE.manifest['latent_space'] and said['pictures'] == 40
    networks = Networks(int8)
    assert networks.encode(seen[0]).shape == (64,)
    assert any('kB int8' in line for line in small[1])


def test_what_has_no_products_is_refused(seen):
    from ami_ros.inference.onnx_graph import Graph, GraphNode, Value
    value = Value('x', np.dtype(np.float32), ('n', 2))
    data = write(Graph((GraphNode('Relu', ('x',), ('y',), {}),), {}, (value,),
                       (Value('y', value.dtype, value.shape),)))
    with pytest.raises(ValueError, match='no product'):
        quantize.quantise(data, iter([]))


def test_a_folder_that_is_there_is_not_overwritten(small, seen):
    with pytest.raises(ValueError, match='exists'):
        quantize.make(MODULE, seen, small[0])


@pytest.mark.parametrize('lost, kept', [(0, True), (12, False)])
def test_the_command_keeps_only_what_is_shown_to_drive_as_well(tmp_path, monkeypatch, capsys,
                                                               lost, kept):
    made = []

    def drive(trial, progress):     # pretends to drive: the int8 module fails so often
        made.append(trial.module)
        return {'protocol': {'seed': trial.seed}, 'episodes': [
            {'seed': i, 'success': len(made) == 1 or i >= lost} for i in range(trial.episodes)]}
    monkeypatch.setattr(evaluate, 'evaluate', drive)
    monkeypatch.setattr(quantize, 'make', lambda module, seen, out: out.mkdir() or out)
    out = tmp_path / 'int8'
    status = main(['quantize', '--out', str(out), '--episodes', '300'])
    assert status == (0 if kept else 1) and out.exists() is kept
    assert (tmp_path / 'int8.trying').exists() is not kept
    said = capsys.readouterr().out
    assert ('accepted:' in said) and (('not accepted' in said) is not kept)
    assert made == ['', str(tmp_path / 'int8.trying')]


def test_a_hundred_episodes_are_few(seen):
    assert not paired_comparison.interval(2, 2, 100).holds
    with pytest.raises(ValueError, match='no float64'):
        backend('onnx', Options('float64'))(MODULE.files['see.onnx'])
