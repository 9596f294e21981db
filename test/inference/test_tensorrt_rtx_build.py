# SPDX-License-Identifier: Apache-2.0
"""
Every exported network is read and built for real by a TensorRT parser and builder, without a GPU.

TensorRT-RTX builds ahead of time for a GPU that is not there. It is a proprietary library: a test
needs it (extra `tensorrt-rtx`), the package never does. What it cannot say: that TensorRT's own
builder takes the same (the parser is the same), and anything about running.
"""

from pathlib import Path

from ami_ros.inference import onnx_precision_cast as cast
from ami_ros.inference.backend_options import Options
from ami_ros.inference.benchmark_inputs import asks, pictures
from ami_ros.inference.compare_networks import rows_of
from ami_ros.inference.onnx_graph import Graph, GraphNode, read, Value, write
from ami_ros.inference.tensorrt_engine_builder import build, BuildError
from ami_ros.modules.module import open_module
import numpy as np
import pytest

trt = pytest.importorskip('tensorrt_rtx_bindings', reason="needs pip install 'ami_ros["
                          "tensorrt-rtx]'")
MODULE = open_module()
STEMS = ('see', 'step', 'imagine', 'imagine_4')
TICKS = 8


@pytest.fixture(scope='module')
def int8():
    """Quantise with a few ticks; the ranges are rough, the network is the one that is made."""
    pytest.importorskip('onnx', reason='needs the training extra: make setup')
    from ami_ros.inference import backend
    from ami_ros.training.quantize import quantise
    see = backend('onnx')(MODULE.files['see.onnx'])
    ticks = list(asks(see, pictures(MODULE)[:TICKS], MODULE.manifest['limits'], 8))
    return {stem: quantise(MODULE.files[f'{stem}.onnx'], iter([t.of(stem) for t in ticks]))
            for stem in STEMS}


def ahead(config) -> None:
    """Build for an Ampere GPU that is not here."""
    config.num_compute_capabilities = 1
    config.set_compute_capability(trt.ComputeCapability.SM86, 0)


def built(data: bytes) -> tuple[bytes, list[float]]:
    shares: list[float] = []
    engine, _ = build(trt, data, rows_of(read(data), Options()), before=ahead,
                      progress=lambda share, what: shares.append(share) is None)
    return engine, shares


@pytest.mark.parametrize('stem', STEMS)
@pytest.mark.parametrize('precision', ['as it is', 'float32', 'float16'])
def test_a_shipped_network_is_built(stem, precision):
    data = MODULE.files[f'{stem}.onnx']
    if precision != 'as it is':
        data = write({'float32': cast.plain, 'float16': cast.half}[precision](read(data)))
    engine, shares = built(data)
    assert len(engine) > 100_000
    assert all(0 <= share <= 1 for share in shares)


@pytest.mark.parametrize('stem', STEMS)
def test_an_int8_network_is_built(int8, stem):
    engine, _ = built(write(cast.plain(read(int8[stem]))))
    assert len(engine) > 100_000


def test_half_the_bytes_for_half_the_precision(int8):
    sizes = [len(built(data)[0]) for data in (
        write(cast.plain(read(MODULE.files['see.onnx']))),
        write(cast.half(read(MODULE.files['see.onnx']))), int8['see'])]
    assert sizes[1] < 0.65 * sizes[0] and sizes[2] < 0.5 * sizes[0]


def test_a_transformer_is_built(tmp_path: Path):
    torch = pytest.importorskip('torch', reason='needs the training extra: make setup')
    from ami_ros.training import vit
    from ami_ros.training.networks import Jepa, Shape
    from ami_ros.training.onnx_export import export
    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(vit.VITS, 'vit_tiny', vit.VitSize(64, 2, 2))
        model = Jepa(Shape(encoder='vit_tiny'), (0.6, 1.5), (128, 128))
        export(model, 0.05, 8, tmp_path, np.zeros((4, 128, 128, 3), np.uint8))
    data = (tmp_path / 'see.onnx').read_bytes()
    for made in (data, write(cast.half(read(data)))):
        assert len(built(made)[0]) > 100_000


def test_what_the_parser_does_not_take_is_said():
    kind = np.dtype(np.float32)
    data = write(Graph((GraphNode('NoSuchOperator', ('x',), ('y',), {}),), {},
                       (Value('x', kind, (2,)),), (Value('y', kind, (2,)),)))
    with pytest.raises(BuildError, match='cannot read the network: .*NoSuchOperator'):
        built(data)


def test_a_build_that_is_told_to_end_does():
    def stop(share, what):
        return False
    with pytest.raises(BuildError, match='cannot build the network'):
        build(trt, MODULE.files['imagine.onnx'], (1, 64, 1024), before=ahead, progress=stop)
