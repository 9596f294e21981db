# SPDX-License-Identifier: Apache-2.0
"""Every backend says what the reference says; auto takes the quickest that does, and why."""

from importlib.util import find_spec
import sys
import time
import types

from ami_ros import inference
from ami_ros.inference import auto_backend, backend, BackendUnavailable, Options
from ami_ros.inference.auto_backend import off, ordinary, rows_of
from ami_ros.inference.encoder_and_dynamics import Networks
from ami_ros.inference.onnx_graph import read
from ami_ros.modules.module import ModuleError, open_module
import numpy as np
import pytest

FILES = {name: data for name, data in open_module().files.items() if name.endswith('.onnx')}
RELATIVE = 1e-4         # float32 sums in another order; measured below 3e-6
TORCH = pytest.param('torch', marks=pytest.mark.skipif(
    find_spec('torch') is None, reason='needs the training extra: make setup'))


def given(name: str, rows: int = 0) -> dict[str, np.ndarray]:
    graph = read(FILES[name])
    return ordinary(graph, rows or rows_of(graph, Options())[1])


@pytest.fixture(scope='module')
def reference():
    return {name: backend('numpy', Options('float64'))(data)(**given(name))
            for name, data in FILES.items()}


@pytest.mark.parametrize('file', FILES)
@pytest.mark.parametrize('name', ['onnx', 'numpy', TORCH])
def test_it_says_what_the_reference_says(name, file, reference):
    network = backend(name)(FILES[file])
    got = network(**given(file))
    assert all(a.dtype == np.float32 for a in got)
    assert off(reference[file], got) < RELATIVE
    assert 'float32' in network.about


@pytest.mark.parametrize('rows', [1, 3])
@pytest.mark.parametrize('name', ['numpy', TORCH])
def test_any_number_of_rows_will_do(name, rows):
    asked = given('imagine.onnx', rows)
    assert off(backend('onnx')(FILES['imagine.onnx'])(**asked),
               backend(name)(FILES['imagine.onnx'])(**asked)) < RELATIVE


@pytest.mark.parametrize('name', ['onnx', 'numpy', TORCH])
def test_half_is_near_and_is_not_the_same(name, reference):
    got = backend(name, Options('float16'))(FILES['imagine.onnx'])(**given('imagine.onnx'))
    assert 1e-6 < off(reference['imagine.onnx'], got) < 2e-2


def test_a_rollout_is_one_call_that_returns_a_row_for_each_candidate():
    assert rows_of(read(FILES['imagine.onnx']), Options()) == (1, 64, 1024)
    assert rows_of(read(FILES['see.onnx']), Options()) == (1, 1, 16)
    for name, horizon in (('imagine.onnx', 8), ('imagine_4.onnx', 4)):
        said = backend('onnx')(FILES[name])(**given(name, 11))
        assert [a.shape for a in said] == [(11, horizon, 4)] + [(11, horizon)] * 3


@pytest.mark.parametrize('options, why', [
    ({'precision': 'float8'}, "no precision 'float8'; there are: float32, float16, float64"),
    ({'rows': (2, 1, 3)}, r'rows \(2, 1, 3\)'), ({'rows': (0, 1, 3)}, 'rows'),
    ({'threads': 0}, '0 threads')])
def test_options_that_cannot_be(options, why):
    with pytest.raises(ValueError, match=why):
        Options(**options)


def test_onnx_refuses_what_it_cannot_do():
    with pytest.raises(ValueError, match='no float64 here; there are: float32, float16'):
        backend('onnx', Options('float64'))(FILES['step.onnx'])


@pytest.mark.parametrize('name, provider', [('onnx_cuda', 'CUDA'), ('onnx_tensorrt', 'Tensorrt')])
def test_a_provider_that_is_not_built_in_names_those_that_are(name, provider):
    import onnxruntime
    if any(provider in p for p in onnxruntime.get_available_providers()):
        pytest.skip('this ONNX Runtime has it')
    with pytest.raises(BackendUnavailable, match=f'has no {provider}.*it has: .*CPU'):
        backend(name)(FILES['step.onnx'])


def toy(say, seconds: float):
    """Make a backend that waits and then says what a function makes of the right answer."""
    def load(data, options=None):
        right = backend('onnx')(data)

        def network(**inputs):
            time.sleep(seconds)
            return [say(a) for a in right(**inputs)]
        network.about = 'a toy'
        return network
    return load


@pytest.fixture
def others(monkeypatch):
    """Let auto try other backends: name = (what it says, how long it takes)."""
    def put(**toys):
        for name, (say, seconds) in toys.items():
            module = types.ModuleType(f'toy_{name}')
            module.load = toy(say, seconds)
            monkeypatch.setitem(sys.modules, module.__name__, module)
            monkeypatch.setitem(inference.BACKENDS, name, (module.__name__, 'load', 'nothing'))
        monkeypatch.setattr(auto_backend, 'TRIED', tuple(toys))
    return put


def test_auto_takes_the_quickest_that_is_right_and_says_why(others, monkeypatch, caplog):
    caplog.set_level('INFO', logger='ami_ros.inference.auto_backend')
    others(slow=(lambda a: a, 0.02), quick=(lambda a: a, 0.0), wrong=(lambda a: a + 1, 0.0),
           broken=(lambda a: a * np.nan, 0.0))
    # the safe one is a slow one, so that the order does not hang on the clock
    monkeypatch.setattr(auto_backend, 'SAFE', 'slow')
    network = backend('auto')(FILES['step.onnx'])
    assert 'auto chose quick, of slow' in network.about
    assert 'wrong is out: it is off by' in network.about and 'broken is out' in network.about
    assert 'auto chose quick' in caplog.text
    assert off(backend('onnx')(FILES['step.onnx'])(**given('step.onnx')),
               network(**given('step.onnx'))) == 0


def test_auto_keeps_to_onnx_where_nothing_is_quicker_or_there(others):
    others(slow=(lambda a: a, 0.02))
    assert 'auto chose onnx' in backend('auto')(FILES['step.onnx']).about
    with pytest.raises(ValueError, match='not an ONNX network'):
        backend('auto')(FILES['step.onnx'][:50])


@pytest.mark.parametrize('name', ['numpy', 'auto'])
def test_a_mind_by_another_backend_says_what_it_runs_on(name):
    networks = Networks(open_module(), name)
    assert 'step' in networks.about
    assert ('numpy' if name == 'numpy' else 'auto chose onnx') in networks.about
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    z = networks.encode(picture)
    assert z == pytest.approx(Networks(open_module()).encode(picture), abs=1e-4)


def test_a_backend_that_says_something_else_never_serves(others):
    others(wrong=(lambda a: a + 1, 0.0))
    with pytest.raises(ModuleError, match='off by'):
        Networks(open_module(), 'wrong')
