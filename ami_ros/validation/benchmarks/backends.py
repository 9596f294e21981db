# SPDX-License-Identifier: Apache-2.0
"""
Measures the backends: agreement on 1000 frames, and duration of the network calls of a tick.

A tick has the network calls of `encode_plan` with the default settings: see once, step twice,
imagine 64 candidates three times. The backends run in turn, each in a process of its own, for
several rounds. Ticks come at the rate of a camera, since a loop without pauses measures too
fast. Busy means that a process that only computes runs on every core at the same time.

    python -m ami_ros.validation.benchmarks.backends --report docs/reports/backends.json
"""

import os

from ami_ros.core.robot_processes import THREADS

for _name, _value in THREADS.items():
    os.environ.setdefault(_name, _value)

import argparse  # noqa: E402
import json  # noqa: E402
from pathlib import Path  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402

import numpy as np  # noqa: E402

from ami_ros.inference import backend, Options  # noqa: E402
from ami_ros.inference.benchmark_inputs import asks, pictures, TIMES  # noqa: E402
from ami_ros.inference.compare_networks import off  # noqa: E402
from ami_ros.modules.module import open_module  # noqa: E402

REQUIRED = 1e-4
STEMS = tuple(TIMES)
LARGER, SIDE = ('vit_tiny', 'vit_small', 'vit_base'), 224       # encoders, pixels of a picture
SPINNER = 'while True: pass'


def served(module, name: str, **options) -> dict:
    """Open see, step and imagine by a backend."""
    return {stem: backend(name, Options(**options))(module.files[f'{stem}.onnx'])
            for stem in STEMS}


def quantised(module) -> dict[str, bytes]:
    """Quantise the networks, with the ranges of sixty ticks."""
    from ami_ros.training.quantize import quantise
    see = backend('onnx')(module.files['see.onnx'])
    ticks = list(asks(see, pictures(module)[:60], module.manifest['limits'], 8))
    return {stem: quantise(module.files[f'{stem}.onnx'], iter([t.of(stem) for t in ticks]))
            for stem in STEMS}


def int8(module) -> dict:
    """What `ami-ros quantize` makes."""
    return {stem: backend('onnx')(data) for stem, data in quantised(module).items()}


def int8_fused(module) -> dict:
    """The same in a session that fuses the sums into the products, as it does by itself."""
    import onnxruntime

    def one(data: bytes):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(data, options,
                                               providers=['CPUExecutionProvider'])
        return lambda **inputs: session.run(None, inputs)
    return {stem: one(data) for stem, data in quantised(module).items()}


def int8_dynamic(module) -> dict:
    """Ranges looked for in every input of every call."""
    from onnxruntime.quantization import quantize_dynamic, QuantType

    from ami_ros.inference.onnx_graph import read, write
    from ami_ros.inference.onnx_precision_cast import plain
    from ami_ros.training.quantize import products, to_quantise
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / 'in.onnx', Path(folder) / 'out.onnx'
        for stem in STEMS:
            graph = products(plain(read(module.files[f'{stem}.onnx'])))
            names = [n for n in to_quantise(graph) if n.endswith('_product')]
            source.write_bytes(write(graph))
            quantize_dynamic(source, out, weight_type=QuantType.QInt8, per_channel=True,
                             nodes_to_quantize=names)
            made[stem] = backend('onnx')(out.read_bytes())
    return made


def bound(module) -> dict:
    """ONNX Runtime with inputs and outputs bound to memory that is kept."""
    import onnxruntime

    def one(data: bytes):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(data, options,
                                               providers=['CPUExecutionProvider'])
        names = [o.name for o in session.get_outputs()]
        kept: dict = {}

        def network(**inputs):
            if not kept:
                binding = session.io_binding()
                for name, array in inputs.items():
                    kept[name] = onnxruntime.OrtValue.ortvalue_from_numpy(array)
                    binding.bind_ortvalue_input(name, kept[name])
                for name, array in zip(names, session.run(names, inputs)):
                    kept[name] = onnxruntime.OrtValue.ortvalue_from_numpy(array)
                    binding.bind_ortvalue_output(name, kept[name])
                kept['binding'] = binding
            for name, array in inputs.items():
                kept[name].update_inplace(array)
            session.run_with_iobinding(kept['binding'])
            return [kept[name].numpy() for name in names]
        return network
    return {stem: one(module.files[f'{stem}.onnx']) for stem in STEMS}


def eager(module, threads: int = 1, bf16: bool = False) -> dict:
    """The torch modules that were exported, called as one does where one develops."""
    import torch

    from ami_ros.training.onnx_export import Imagine, See, StepNet
    from ami_ros.training.restore_from_onnx import restore
    torch.set_num_threads(threads)
    model, ordinary = restore(module)
    horizon = module.manifest['horizon']
    made = {'see': (See(model), ['picture']),
            'step': (StepNet(model, ordinary), ['z', 'body', 'twist', 'dt']),
            'imagine': (Imagine(model, ordinary, horizon), ['z', 'body', 'knots', 'goal'])}

    def one(network, names):
        @torch.inference_mode()
        def call(**inputs):
            with torch.autocast('cpu', torch.bfloat16, enabled=bf16):
                said = network(*(torch.from_numpy(inputs[name]) for name in names))
            return [x.float().numpy() for x in said]
        return call
    return {stem: one(*parts) for stem, parts in made.items()}


CONTENDERS = {      # the first is the default, and the one that counts
    'onnx': lambda m: served(m, 'onnx'),
    'onnx, I/O binding': bound,
    'onnx, 2 threads': lambda m: served(m, 'onnx', threads=2),
    'onnx, 2 spinning threads': lambda m: served(m, 'onnx', threads=2, spin=True),
    'onnx, float16': lambda m: served(m, 'onnx', precision='float16'),
    'onnx, int8': int8,
    'onnx, int8, dynamic ranges': int8_dynamic,
    'onnx, int8, sums fused': int8_fused,
    'numpy': lambda m: served(m, 'numpy'),
    'torch backend': lambda m: served(m, 'torch'),
    'torch eager': eager,
    'torch eager, bfloat16': lambda m: eager(m, bf16=True),
    'torch eager, 2 threads': lambda m: eager(m, threads=2),
}


def contend(name: str, module, ticks: int, hz: float) -> list[float]:
    """Time the ticks of one contender, ms."""
    networks = CONTENDERS[name](module)
    see = backend('onnx')(module.files['see.onnx'])
    made = list(asks(see, pictures(module)[:16], module.manifest['limits'], 8))
    took, due = [], time.perf_counter()
    for number in range(ticks + 5):
        due = max(due + 1 / hz, time.perf_counter() - 1 / hz)
        time.sleep(max(0.0, due - time.perf_counter()))
        ask, begun = made[number % len(made)], time.perf_counter()
        for stem, times in TIMES.items():
            for _ in range(times):
                networks[stem](**ask.of(stem))
        took.append(1e3 * (time.perf_counter() - begun))
    return took[5:]     # the first ones make room


def speeds(args: argparse.Namespace) -> dict:
    """Let every contender run, idle and busy, round by round."""
    took: dict[str, dict[str, list[float]]] = {n: {'idle': [], 'busy': []} for n in args.only}
    for number in range(args.rounds):
        for way in ('idle', 'busy'):
            spinners = [subprocess.Popen([sys.executable, '-c', SPINNER])
                        for _ in range(os.cpu_count() or 1)] if way == 'busy' else []
            try:
                for name in args.only:
                    out = subprocess.run(
                        [sys.executable, '-m', 'ami_ros.validation.benchmarks.backends', '--one',
                         name, '--ticks', str(args.ticks),
                         '--module', args.module], check=True, capture_output=True, text=True)
                    took[name][way] += json.loads(out.stdout.splitlines()[-1])
                    print(f'round {number + 1}, {way}, {name}: median '
                          f'{np.median(took[name][way]):.2f} ms', file=sys.stderr, flush=True)
            finally:
                for spinner in spinners:
                    spinner.kill()
                    spinner.wait()
    return {name: {way: {'min': round(min(ms), 3)} | {
        f'p{p}': round(float(np.percentile(ms, p)), 3) for p in (50, 95, 99)}
        for way, ms in ways.items()} for name, ways in took.items()}


def paired(module, ticks: int) -> dict:
    """Time all of one thread in one process, call by call in turn; the shortest and the middle.

    Beside other work only the shortest of many calls says something, and it says it of all alike.
    """
    rivals = {name: make(module) for name, make in CONTENDERS.items() if ' 2 ' not in name}
    see = rivals['onnx']['see']
    took: dict = {who: {stem: [] for stem in STEMS} for who in rivals}
    for ask in asks(see, pictures(module)[:ticks + 2], module.manifest['limits'], 8):
        for stem in STEMS:
            for who, networks in rivals.items():
                begun = time.perf_counter()
                networks[stem](**ask.of(stem))
                took[who][stem].append(1e3 * (time.perf_counter() - begun))
    said: dict = {}
    for who, stems in took.items():
        said[who] = {}
        for what, reduce in (('min', np.min), ('p50', np.median)):
            each = {stem: float(reduce(ms[2:])) for stem, ms in stems.items()}
            tick = sum(TIMES[stem] * ms for stem, ms in each.items())
            said[who][what] = {'tick': round(tick, 3)} | {
                stem: round(ms, 4) for stem, ms in each.items()}
    said['onnx against torch eager, times faster'] = {
        what: round(said['torch eager'][what]['tick'] / said['onnx'][what]['tick'], 2)
        for what in ('min', 'p50')}
    return said


def agreement(module, frames: int, candidates: int = 16) -> dict:
    """Hold float32 backends against the float64 reference; the worst relative difference."""
    reference = served(module, 'numpy', precision='float64')
    rivals = {name: served(module, name) for name in ('onnx', 'numpy', 'torch')}
    worst = {name: dict.fromkeys(STEMS, 0.0) for name in rivals}
    for ask in asks(rivals['onnx']['see'], pictures(module)[:frames],
                    module.manifest['limits'], 8, candidates):
        for stem in STEMS:
            expected = reference[stem](**ask.of(stem))
            for name, networks in rivals.items():
                worst[name][stem] = max(worst[name][stem],
                                        off(expected, networks[stem](**ask.of(stem))))
    return {name: {stem: float(f'{value:.2g}') for stem, value in by.items()}
            for name, by in worst.items()}


def larger(module, calls: int = 15) -> dict:
    """Export larger encoders, untrained, and time them: latency only, they know nothing."""
    import torch

    from ami_ros.training.networks import Jepa, Shape
    from ami_ros.training.onnx_export import See
    torch.set_num_threads(1)
    said = {}
    for name in LARGER:
        torch.manual_seed(0)
        network = See(Jepa(Shape(encoder=name), module.manifest['limits'], (SIDE, SIDE))).eval()
        picture = np.random.default_rng(0).uniform(0, 255, (1, SIDE, SIDE, 3)).astype(np.float32)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / 'see.onnx'
            torch.onnx.export(network, (torch.from_numpy(picture),), str(path), dynamo=False,
                              input_names=['picture'], opset_version=17,
                              output_names=['latent', 'place', 'clearance', 'doubt'])
            onnx = backend('onnx')(path.read_bytes())
        took: dict = {'onnx': [], 'torch eager': []}
        for _ in range(calls):
            begun = time.perf_counter()
            one = onnx(picture=picture)
            took['onnx'].append(1e3 * (time.perf_counter() - begun))
            begun = time.perf_counter()
            with torch.inference_mode():
                other = [x.numpy() for x in network(torch.from_numpy(picture))]
            took['torch eager'].append(1e3 * (time.perf_counter() - begun))
        said[name] = {'million parameters': round(sum(
            p.numel() for p in network.model.encoder.parameters()) / 1e6, 1),
            'off': float(f'{off(other, one):.2g}'), 'trained': False} | {
            f'{who} {p}': round(float(f(ms)), 1) for who, ms in took.items()
            for p, f in (('min', np.min), ('p50', np.median))}
    return said


def main() -> int:
    """Measure, say, write."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--module', default='',
                        help='Module folder; empty means the shipped module')
    parser.add_argument('--frames', type=int, default=1000,
                        help='Number of frames that are compared')
    parser.add_argument('--calls', type=int, default=300,
                        help='Number of calls of each in one process')
    parser.add_argument('--rounds', type=int, default=3,
                        help='Number of rounds; 0 measures in one process only')
    parser.add_argument('--ticks', type=int, default=100,
                        help='Number of ticks of each backend in each round')
    parser.add_argument('--hz', type=float, default=20.0, help='Rate of the ticks, in Hz')
    parser.add_argument('--larger', action='store_true',
                        help='Measure untrained transformers as well')
    parser.add_argument('--only', nargs='+', default=list(CONTENDERS), choices=CONTENDERS,
                        help='Backends that are measured')
    parser.add_argument('--one', help=argparse.SUPPRESS)
    parser.add_argument('--report', type=Path, help='Report JSON file')
    args = parser.parse_args()
    module = open_module(args.module)
    if args.one:
        print(json.dumps(contend(args.one, module, args.ticks, args.hz)))
        return 0
    import onnxruntime
    import torch
    report = {
        'machine': {'cores': os.cpu_count(), 'load_before': os.getloadavg(),
                    'nice': os.nice(0), 'onnxruntime': onnxruntime.__version__,
                    'torch': torch.__version__, 'numpy': np.__version__},
        'tick': dict(TIMES), 'paired': paired(module, args.calls)}
    if args.larger:
        report['larger_see_ms'] = larger(module)
    report['speed_ms'] = speeds(args) if args.rounds else {}
    report['p99 busy over idle'] = {
        name: round(ways['busy']['p99'] / ways['idle']['p99'], 2)
        for name, ways in report['speed_ms'].items()}
    report['frames'], report['agreement'] = args.frames, agreement(module, args.frames)
    report['machine']['load_after'] = os.getloadavg()
    print(json.dumps(report['paired'], indent=1))
    print(json.dumps(report['agreement']))
    print(f'{"ms a tick":28s}' + ''.join(f'{w + " " + p:>10s}' for w in ('idle', 'busy')
                                         for p in ('min', 'p50', 'p99')))
    for name, ways in report['speed_ms'].items():
        print(f'{name:28s}' + ''.join(f'{ways[w][p]:10.2f}' for w in ('idle', 'busy')
                                      for p in ('min', 'p50', 'p99')))
    if args.report:
        with tempfile.NamedTemporaryFile('w', dir=args.report.parent, delete=False) as file:
            file.write(json.dumps(report, indent=1) + '\n')
        Path(file.name).replace(args.report)
        args.report.chmod(0o644)
    worst = max(value for by in report['agreement'].values() for value in by.values())
    return 0 if worst < REQUIRED else 1


if __name__ == '__main__':
    sys.exit(main())
