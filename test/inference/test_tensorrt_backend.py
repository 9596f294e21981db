# SPDX-License-Identifier: Apache-2.0
"""
The TensorRT backend from the cache to the captured graph.

On a pretended GPU everywhere (`fake_gpu` says what it pretends), and the same on a real one where
there is one: those are marked `gpu`.
"""

from functools import partial
import json
import threading
import time

from ami_ros.inference import auto_backend, backend, BackendUnavailable, cuda_driver, Options
from ami_ros.inference import tensorrt_backend as trt_backend
from ami_ros.inference.background_engine_build import Growing
from ami_ros.inference.compare_networks import off, ordinary, TOLERANCE
from ami_ros.inference.encoder_and_dynamics import Networks
from ami_ros.inference.fake_gpu import FakeCuda, FakeTensorrt
from ami_ros.inference.onnx_graph import read
from ami_ros.inference.tensorrt_engine_builder import build, BuildError
from ami_ros.inference.tensorrt_engine_cache import Cache, MAGIC
from ami_ros.inference.tensorrt_engine_session import EngineSession, KEPT
from ami_ros.modules.module import open_module
import numpy as np
import pytest

MODULE = open_module()
FILES = {name: data for name, data in MODULE.files.items() if name.endswith('.onnx')}
PATIENCE_S = 120.0


def real():
    """Return the real library and GPU, or say why there is none."""
    try:
        return trt_backend.library(), trt_backend.device()
    except BackendUnavailable as why:
        pytest.skip(f'needs a GPU and TensorRT: {why}')


@pytest.fixture(params=['fake', pytest.param('real', marks=pytest.mark.gpu)])
def gpu(request):
    if request.param == 'real':
        return real()
    device = FakeCuda()
    return FakeTensorrt(device), device


@pytest.fixture
def fake():
    device = FakeCuda()
    return FakeTensorrt(device), device


def given(name: str, rows: int = 64) -> dict[str, np.ndarray]:
    return ordinary(read(FILES[name]), rows)


def served(gpu, name: str, options: Options):
    """Open a network and wait until its engine serves."""
    network = trt_backend.open_with(*gpu, FILES[name], options)
    if isinstance(network, Growing):
        assert network.done.wait(PATIENCE_S) and not network.failed, network.failed
    return network


@pytest.mark.parametrize('precision', ['float32', 'float16'])
@pytest.mark.parametrize('name', FILES)
def test_an_engine_says_what_the_reference_says(gpu, name, precision):
    rows = 64 if name.startswith('imagine') else 1
    network = served(gpu, name, Options(precision))
    expected = backend('numpy', Options('float64'))(FILES[name])(**given(name, rows))
    for _ in range(3):      # launched one by one, captured, and by the captured graph
        got = network(**given(name, rows))
        assert off(expected, got) < (1e-4 if precision == 'float32' else TOLERANCE[precision])
    assert precision in network.about and 'CUDA graph' in network.about


def test_numbers_of_rows_within_the_profile_work_and_others_are_named(gpu):
    network = served(gpu, 'imagine.onnx', Options(rows=(2, 16, 32)))
    reference = backend('onnx')(FILES['imagine.onnx'])
    for rows in (2, 16, 32, 3, 16, 5, 7, 2):     # more of them than are kept
        assert off(reference(**given('imagine.onnx', rows)),
                   network(**given('imagine.onnx', rows))) < 1e-4
    for rows in (1, 33):
        with pytest.raises(ValueError, match=r'knots is .*; this engine was built for \(2, 8, 2'):
            network(**given('imagine.onnx', rows))
    with pytest.raises(ValueError, match='inputs z; this engine takes'):
        network(z=np.zeros((1, 64), np.float32))


def test_what_comes_back_is_not_overwritten_by_the_next_call(gpu):
    network = served(gpu, 'step.onnx', Options())
    first = network(**given('step.onnx', 1))
    kept = [a.copy() for a in first]
    network(**{k: v + 1 for k, v in given('step.onnx', 1).items()})
    assert all(np.array_equal(a, b) for a, b in zip(first, kept))


def test_one_copy_there_one_launch_one_copy_back(fake):
    network, counts = served(fake, 'imagine.onnx', Options()), fake[1].counts
    network(**given('imagine.onnx'))
    before = dict(counts)
    network(**given('imagine.onnx'))
    assert {k: counts[k] - before[k] for k in counts} == {
        'launch': 1, 'send': 1, 'execute': 1, 'fetch': 1}


def test_memory_of_seldom_numbers_of_rows_is_given_back(fake):
    network = served(fake, 'imagine.onnx', Options())
    for rows in range(1, 20):
        network(**given('imagine.onnx', rows))
    assert len(network.built.layouts) == KEPT and len(fake[1].memory) == 2 * KEPT


def test_without_a_captured_graph_it_goes_on_and_says_so(caplog):
    device = FakeCuda(captures=False)
    network = served((FakeTensorrt(device), device), 'step.onnx', Options())
    assert off(backend('onnx')(FILES['step.onnx'])(**given('step.onnx', 1)),
               network(**given('step.onnx', 1))) < 1e-4
    assert 'CUDA graph' not in network.about and 'no CUDA graph' in caplog.text


def test_onnx_serves_while_it_is_built_then_the_engine_and_next_time_at_once(gpu, tmp_path):
    options = Options(cache=tmp_path / 'engines')
    network = trt_backend.open_with(*gpu, FILES['step.onnx'], options)
    assert isinstance(network, Growing)
    assert network(**given('step.onnx', 1))[0].shape == (1, 64)
    assert network.done.wait(PATIENCE_S) and not network.failed
    assert 'TensorRT' in network.about and 'ONNX' not in network.about
    again = trt_backend.open_with(*gpu, FILES['step.onnx'], options)
    assert isinstance(again, EngineSession)
    assert all(np.array_equal(a, b) for a, b in zip(again(**given('step.onnx', 1)),
                                                    network(**given('step.onnx', 1))))


def test_a_build_tells_its_progress_while_onnx_serves(fake, caplog):
    caplog.set_level('INFO')
    trt, device = fake
    held, go_on = threading.Event(), threading.Event()
    plain = trt.Builder

    def slow(log):
        held.set()
        go_on.wait(PATIENCE_S)
        return plain(log)
    trt.Builder = slow
    network = trt_backend.open_with(trt, device, FILES['step.onnx'], Options())
    assert held.wait(PATIENCE_S)
    assert 'ONNX Runtime' in network.about and 'is built (0%' in network.about
    go_on.set()
    assert network.done.wait(PATIENCE_S)
    assert network.share == 1.0 and network.phase == 'building' and 'serves after' in caplog.text


@pytest.mark.parametrize('what', ['engine of another GPU', 'of another version', 'flipped',
                                  'engine that says something else'])
def test_a_kept_engine_that_is_not_ours_is_built_anew(fake, tmp_path, what):
    trt, device = fake
    options = Options(cache=tmp_path / 'engines')
    served(fake, 'step.onnx', options)
    file, = (tmp_path / 'engines').glob('*.engine')
    if what == 'flipped':
        data = bytearray(file.read_bytes())
        data[-5] ^= 1
        file.write_bytes(data)
    elif what == 'engine that says something else':     # whole by its hash, and still not right
        raw = file.read_bytes()
        at = len(MAGIC) + 4
        key = json.loads(raw[at:at + int.from_bytes(raw[at - 4:at], 'little')])['key']
        other, _ = build(trt, FILES['see.onnx'], (1, 1, 16))
        Cache(file.parent)._write(file.name, key, other)
    else:
        device = FakeCuda(name='Another GPU') if 'GPU' in what else device
        trt = FakeTensorrt(device, '11.0.0' if 'version' in what else '10.3.0')
        fake = trt, device
    builds = fake[0].builds
    network = trt_backend.open_with(*fake, FILES['step.onnx'], options)
    assert isinstance(network, Growing) and network.done.wait(PATIENCE_S) and not network.failed
    assert fake[0].builds > builds


@pytest.mark.parametrize('refused, why', [(('Gemm',), 'cannot read the network: no importer')])
def test_a_network_that_is_refused_leaves_onnx_serving_and_says_why(refused, why, caplog):
    device = FakeCuda()
    network = trt_backend.open_with(FakeTensorrt(device, refuses=refused), device,
                                    FILES['step.onnx'], Options())
    assert network.done.wait(PATIENCE_S)
    assert why in network.failed and why in network.about and why in caplog.text
    assert network(**given('step.onnx', 1))[0].shape == (1, 64)
    with pytest.raises(BuildError, match=why):
        build(FakeTensorrt(device, refuses=refused), FILES['step.onnx'], (1, 1, 1))


def test_an_engine_that_is_not_accepted_never_serves(fake):
    def refuse(network):
        raise ValueError('golden inputs differ')
    network = trt_backend.open_with(*fake, FILES['step.onnx'], Options(accept=refuse))
    assert network.done.wait(PATIENCE_S)
    assert network.failed == 'golden inputs differ' and 'ONNX Runtime' in network.about


def test_a_build_ends_when_the_process_ends(fake):
    trt, device = fake
    begun, seen = threading.Event(), []

    def steps(log):
        builder = FakeTensorrt.Builder(trt, log)

        def build_slowly(network, config):
            config.progress_monitor.phase_start('x', None, 10**9)
            begun.set()
            while config.progress_monitor.step_complete('x', len(seen)):
                seen.append(1)
                time.sleep(0.001)
            return None
        builder.build_serialized_network = build_slowly
        return builder
    trt.Builder = steps
    network = trt_backend.open_with(trt, device, FILES['step.onnx'], Options())
    assert begun.wait(PATIENCE_S)
    network.end()
    assert network.done.is_set() and 'cannot build' in network.failed


@pytest.fixture
def here(fake, monkeypatch):
    """Let the table's `tensorrt` be the pretended one."""
    monkeypatch.setattr(trt_backend, 'device', lambda: fake[1])
    monkeypatch.setattr(trt_backend, 'library', lambda: fake[0])
    return fake


def test_a_whole_mind_is_held_to_its_golden_inputs_on_the_engine_that_serves(here):
    networks = Networks(MODULE, 'tensorrt')
    for name, network in networks.opened.items():
        assert network.done.wait(PATIENCE_S) and not network.failed, (name, network.failed)
    assert networks.about.count('TensorRT 10.3.0 on Pretended GPU') >= 1
    assert 'ONNX' not in networks.about


def test_auto_measures_an_engine_when_it_is_there_and_takes_it_only_if_it_is_quicker(here):
    network = backend('auto')(FILES['step.onnx'])
    engine = next(t for t in network.tried if t.name == 'tensorrt')
    assert engine.network is not None
    deadline = time.monotonic() + PATIENCE_S
    while network.tried[1].p90_ms == float('inf') and time.monotonic() < deadline:
        time.sleep(0.01)
    # numpy behind a pretended GPU is no quicker than ONNX Runtime: measured, and left
    assert network.tried[1].p90_ms > network.tried[0].p90_ms
    assert 'auto chose onnx' in network.about and 'tensorrt' in network.about


def test_auto_goes_over_to_a_built_engine_that_is_quicker(here, monkeypatch):
    speeds = iter([5.0, 1.0])
    monkeypatch.setattr(auto_backend, 'p90', lambda network, given: next(speeds))
    network = backend('auto')(FILES['step.onnx'])
    deadline = time.monotonic() + PATIENCE_S
    while network.best.name != 'tensorrt' and time.monotonic() < deadline:
        time.sleep(0.01)
    assert 'auto chose tensorrt, of onnx 5.00 ms; tensorrt 1.00 ms' in network.about


def test_without_a_driver_tensorrt_is_never_touched(monkeypatch):
    monkeypatch.setattr(cuda_driver, 'LIBRARY', 'libno_such_driver.so.1')
    monkeypatch.setattr(trt_backend, 'library', partial(pytest.fail, 'TensorRT was imported'))
    trt_backend.device.cache_clear()
    with pytest.raises(BackendUnavailable, match='no CUDA driver: libno_such_driver'):
        backend('tensorrt')(FILES['step.onnx'])
    trt_backend.device.cache_clear()


class Driver:
    """A driver that answers as one does on a computer without a GPU."""

    def __init__(self, **answers):
        self.answers = answers

    def __getattr__(self, name):
        def call(*arguments):
            if name == 'cuGetErrorString':
                return 1
            return self.answers.get(name, 0)
        return call


@pytest.mark.parametrize('answers, why', [({'cuInit': 100}, 'finds no GPU: cuInit: error 100'),
                                          ({}, 'knows 0 GPUs, none of number 0')])
def test_a_driver_without_a_gpu_is_told_apart(monkeypatch, answers, why):
    monkeypatch.setattr(cuda_driver.ctypes, 'CDLL', lambda name: Driver(**answers))
    with pytest.raises(BackendUnavailable, match=why):
        cuda_driver.Cuda()
