# SPDX-License-Identifier: Apache-2.0
"""The tools that measure backends measure networks that say the same."""

import subprocess
import sys

from ami_ros.inference import backend, Options
from ami_ros.inference.benchmark_inputs import asks, pictures, TIMES
from ami_ros.inference.compare_networks import off, TOLERANCE
from ami_ros.modules.module import open_module
import pytest

pytest.importorskip('torch', reason='needs the training extra: make setup')
pytest.importorskip('onnx', reason='needs the training extra: make setup')
MODULE = open_module()


@pytest.fixture(scope='module')
def tool():
    from ami_ros.validation.benchmarks import backends
    return backends


@pytest.fixture(scope='module')
def ticks():
    see = backend('onnx')(MODULE.files['see.onnx'])
    return list(asks(see, pictures(MODULE)[:3], MODULE.manifest['limits'], 8))


def test_a_tick_is_what_the_mind_asks_for(ticks):
    assert TIMES == {'see': 1, 'step': 2, 'imagine': 3}
    assert ticks[0].imagine['knots'].shape == (64, 8, 2)
    assert ticks[0].of('imagine_4')['knots'].shape == (64, 4, 2)
    limits = MODULE.manifest['limits']
    for tick in ticks:
        assert (abs(tick.imagine['knots']).max((0, 1)) <= [n + 1e-6 for n in limits]).all()


@pytest.mark.slow
def test_every_contender_says_what_the_reference_says(tool, ticks):
    reference = tool.served(MODULE, 'numpy', precision='float64')
    for name in tool.CONTENDERS:
        most = (TOLERANCE['int8'] if 'int8' in name or 'bfloat16' in name
                else TOLERANCE['float16'] if 'float16' in name else tool.REQUIRED)
        networks = tool.CONTENDERS[name](MODULE)
        for tick in ticks:      # more than one: bound memory has to take the next inputs too
            for stem in TIMES:
                assert off(reference[stem](**tick.of(stem)),
                           networks[stem](**tick.of(stem))) < most, (name, stem)


def test_a_contender_is_timed_tick_by_tick(tool):
    took = tool.contend('onnx', MODULE, 4, 1000.0)
    assert len(took) == 4 and all(ms > 0 for ms in took)


def test_without_a_gpu_the_table_says_what_is_missing():
    from ami_ros.inference import BackendUnavailable, tensorrt_backend
    try:
        tensorrt_backend.device()
    except BackendUnavailable:
        pass
    else:
        pytest.skip('there is a GPU')
    said = subprocess.run([sys.executable, '-m', 'ami_ros.validation.benchmarks.gpu_table'],
                          capture_output=True,
                          text=True, timeout=120)
    assert said.returncode == 1 and 'nothing was measured: ' in said.stderr


def test_options_reach_the_session():
    assert '2 threads' in backend('onnx', Options(threads=2))(MODULE.files['step.onnx']).about
