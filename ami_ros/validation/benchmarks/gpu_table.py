# SPDX-License-Identifier: Apache-2.0
"""
Compares the networks on the NVIDIA GPU of this computer with the reference, and times them.

The planning network rolls out 512 candidates of 10 knots with the shipped weights; see and step
are the shipped networks; the larger encoders are untrained and measured for latency only. Every
figure includes the copies to and from the GPU. TensorRT is compared with torch eager and with the
same torch calls as a CUDA graph.
Needs torch with CUDA and tensorrt.

    python -m ami_ros.validation.benchmarks.gpu_table --report docs/reports/gpu.json
"""

import os
from typing import Any

from ami_ros.core.errors import AmiError
from ami_ros.core.robot_processes import THREADS

for _name, _value in THREADS.items():
    os.environ.setdefault(_name, _value)

import argparse  # noqa: E402
import json  # noqa: E402
from pathlib import Path  # noqa: E402
import platform  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402

import numpy as np  # noqa: E402

from ami_ros.inference import backend, BackendUnavailable, Options  # noqa: E402
from ami_ros.inference import tensorrt_backend as trt_backend  # noqa: E402
from ami_ros.inference.benchmark_inputs import asks, pictures  # noqa: E402
from ami_ros.inference.compare_networks import off, TOLERANCE  # noqa: E402
from ami_ros.modules.module import open_module  # noqa: E402

CANDIDATES, KNOTS = 512, 10
WARM, CALLS = 50, 1000
ROWS = 1, CANDIDATES, 1024
LARGER = {'vit_small': 224, 'vit_base': 224}       # encoder: side of its picture, pixels


def exported(network, given: dict, outputs: list[str], free: list[str]) -> bytes:
    """Export a torch module."""
    import torch
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'network.onnx'
        torch.onnx.export(network, tuple(torch.from_numpy(a) for a in given.values()), str(path),
                          dynamo=False, input_names=list(given), output_names=outputs,
                          dynamic_axes={name: {0: 'n'} for name in free}, opset_version=17)
        return path.read_bytes()


def jobs(module) -> dict:
    """Return name -> (torch module, inputs, ONNX bytes, int8 bytes or None)."""
    import torch

    from ami_ros.training.networks import Jepa, Shape
    from ami_ros.training.onnx_export import Imagine, IMAGINED, See, StepNet
    from ami_ros.training.quantize import quantise
    from ami_ros.training.restore_from_onnx import restore
    model, ordinary = restore(module)
    limits = module.manifest['limits']
    see = backend('onnx')(module.files['see.onnx'])
    ticks = list(asks(see, pictures(module)[:60], limits, KNOTS, CANDIDATES))
    ask, order = ticks[0], ['z', 'body', 'knots', 'goal']
    given = {name: ask.imagine[name] for name in order}
    rollout = Imagine(model, ordinary, KNOTS).eval()
    data = exported(rollout, given, IMAGINED, ['knots', *IMAGINED])
    made = {f'imagine {CANDIDATES} x {KNOTS}': (rollout, given, data, quantise(
        data, iter([t.imagine for t in ticks]))),
        'see 64 x 64': (See(model).eval(), ask.see, module.files['see.onnx'], quantise(
            module.files['see.onnx'], iter([t.see for t in ticks]))),
        'step': (StepNet(model, ordinary).eval(), ask.step, module.files['step.onnx'], None)}
    for name, side in LARGER.items():
        torch.manual_seed(0)
        large = See(Jepa(Shape(encoder=name), limits, (side, side))).eval()
        picture = {'picture': np.random.default_rng(0).uniform(
            0, 255, (1, side, side, 3)).astype(np.float32)}
        outputs = ['latent', 'place', 'clearance', 'doubt']
        made[f'{name} {side} x {side}, untrained'] = (
            large, picture, exported(large, picture, outputs, ['picture', *outputs]), None)
    return made


def eager(network, given: dict):
    """Call torch on the GPU, copies there and back included."""
    import torch
    network = network.cuda()
    pinned = {name: torch.from_numpy(a).pin_memory() for name, a in given.items()}

    @torch.inference_mode()
    def call(**inputs):
        for name, array in inputs.items():
            pinned[name].copy_(torch.from_numpy(array))
        said = network(*(t.cuda(non_blocking=True) for t in pinned.values()))
        return [t.cpu().numpy() for t in said]
    return call


def captured(network, given: dict):
    """Call torch as one CUDA graph."""
    import torch
    network = network.cuda()
    pinned = {name: torch.from_numpy(a).pin_memory() for name, a in given.items()}
    fixed = {name: t.cuda() for name, t in pinned.items()}
    with torch.inference_mode():
        side = torch.cuda.Stream()
        with torch.cuda.stream(side):
            for _ in range(3):
                network(*fixed.values())
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            said = network(*fixed.values())

    @torch.inference_mode()
    def call(**inputs):
        for name, array in inputs.items():
            pinned[name].copy_(torch.from_numpy(array))
            fixed[name].copy_(pinned[name], non_blocking=True)
        graph.replay()
        return [t.cpu().numpy() for t in said]
    return call


def engine(data: bytes, precision: str, folder: Path):
    """Build, wait until it serves, return it; ValueError where it does not."""
    network: Any = trt_backend.load(data, Options(precision, cache=folder, rows=ROWS))
    if hasattr(network, 'done'):
        network.done.wait()
        if network.failed:
            raise AmiError(network.failed)
        network = network.built
    return network


def timed(call, given: dict) -> dict[str, float]:
    """Time the calls, ms."""
    for _ in range(WARM):
        call(**given)
    took = []
    for _ in range(CALLS):
        begun = time.perf_counter()
        call(**given)
        took.append(1e3 * (time.perf_counter() - begun))
    return {'min': round(min(took), 4)} | {
        f'p{p}': round(float(np.percentile(took, p)), 4) for p in (50, 99)}


def row(parts, folder: Path) -> dict:
    """Measure one network every way."""
    network, given, data, int8 = parts
    ways = {'torch eager': lambda: eager(network, given),
            'torch CUDA graph': lambda: captured(network, given),
            'tensorrt float32': lambda: engine(data, 'float32', folder),
            'tensorrt float16': lambda: engine(data, 'float16', folder),
            **({'tensorrt int8': lambda: engine(int8, 'float32', folder)} if int8 else {}),
            'onnx, CPU': lambda: backend('onnx')(data)}
    expected, said = backend('onnx')(data)(**given), dict[str, Any]()
    for name, make in ways.items():
        try:
            begun = time.monotonic()
            call = make()
            ready = time.monotonic() - begun
            wrong = off(expected, call(**given))
            said[name] = {**timed(call, given), 'off': float(f'{wrong:.2g}'),
                          'ready_s': round(ready, 2)}
            if wrong > TOLERANCE[name.split()[-1] if name.startswith('tensorrt') else 'float32']:
                said[name]['refused'] = 'it says something else'
        except Exception as why:        # one that fails is a row too
            said[name] = {'failed': f'{type(why).__name__}: {why}'[:300]}
        print(f'    {name:20s} {said[name]}', flush=True)
    for rival in ('torch eager', 'torch CUDA graph'):
        quick = [said[n]['p99'] for n in said if n.startswith('tensorrt float')
                 and 'p99' in said[n] and 'refused' not in said[n]]
        if quick and 'p99' in said[rival]:
            said[f'p99 against {rival}'] = round(said[rival]['p99'] / min(quick), 2)
    return said


def main() -> int:
    """Measure, say, write."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--module', default='',
                        help='Module folder; empty means the shipped module')
    parser.add_argument('--report', type=Path, help='Report JSON file')
    args = parser.parse_args()
    try:
        trt, cuda = trt_backend.library(), trt_backend.device()
    except BackendUnavailable as why:
        print(f'nothing was measured: {why}', file=sys.stderr)
        return 1
    import torch
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    report = {'gpu': cuda.gpu.name, 'capability': cuda.gpu.capability, 'driver': cuda.gpu.driver,
              'tensorrt': trt.__version__, 'torch': torch.__version__,
              'python': platform.python_version(), 'calls': CALLS, 'unit': 'ms'}
    print(json.dumps(report))
    with tempfile.TemporaryDirectory() as folder:
        for name, parts in jobs(open_module(args.module)).items():
            print(name)
            report[name] = row(parts, Path(folder))
    if args.report:
        args.report.write_text(json.dumps(report, indent=1) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
