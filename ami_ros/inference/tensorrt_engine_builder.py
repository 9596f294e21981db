# SPDX-License-Identifier: Apache-2.0
"""
Builds a TensorRT engine, the same way from TensorRT 10.3 (JetPack 6) to 11.

The network says every type itself (STRONGLY_TYPED): float16 and int8 are in the ONNX that comes
in, and no precision flag, no calibrator and no implicit batch is ever asked for; 11 has none of
them. `trt` is given, so that the same lines build with TensorRT, TensorRT-RTX and a fake.
"""

from collections.abc import Callable

from ami_ros.core.errors import AmiError
from ami_ros.inference.onnx_graph import Graph, read

Progress = Callable[[float, str], bool]     # share that is done, and of what; whether to go on


class BuildError(AmiError):
    """A network that TensorRT does not take."""


def logger(trt, say: Callable[[str], None]):
    """Make the object that TensorRT complains to; only warnings and worse are passed on."""
    class Logger(trt.ILogger):
        def log(self, severity, message):
            if severity <= trt.ILogger.Severity.WARNING:
                say(f'{severity.name.lower()}: {message}')

    made = Logger.__new__(Logger)
    trt.ILogger.__init__(made)
    return made


def monitor(trt, progress: Progress):
    """Make the object that a build reports to; None where there is none (before 8.6)."""
    if not hasattr(trt, 'IProgressMonitor'):
        return None

    class Monitor(trt.IProgressMonitor):
        def __init__(self):
            trt.IProgressMonitor.__init__(self)
            self.whole: dict[str, tuple[str | None, int]] = {}
            self.share = 0.0

        def phase_start(self, phase_name, parent_phase, num_steps):
            self.whole[phase_name] = parent_phase, max(1, num_steps)

        def step_complete(self, phase_name, step):
            parent, steps = self.whole[phase_name]
            share = min(1.0, (step + 1) / steps) if parent is None else self.share
            self.share = share
            return progress(share, phase_name)

        def phase_finish(self, phase_name):
            self.whole.pop(phase_name, None)

    return Monitor()


def profile_of(graph: Graph, rows: tuple[int, int, int]) -> dict[str, tuple[tuple[int, ...], ...]]:
    """Return least, most frequent and largest shape of every input that has a free axis."""
    return {value.name: tuple(tuple(row if isinstance(n, str) else n for n in value.shape)
                              for row in rows)
            for value in graph.inputs if any(isinstance(n, str) for n in value.shape)}


def build(trt, data: bytes, rows: tuple[int, int, int], timing: bytes = b'',
          progress: Progress = lambda share, what: True, before=lambda config: None
          ) -> tuple[bytes, bytes]:
    """Build from ONNX bytes; return the engine and what was learned of timings.

    `before` may change the configuration, for a target that is not the device here. BuildError
    says what the parser or the builder complained about.
    """
    said: list[str] = []
    log = logger(trt, said.append)
    builder = trt.Builder(log)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, log)
    if not parser.parse(data):
        said += [str(parser.get_error(i).desc()) for i in range(parser.num_errors)]
        raise BuildError(f'TensorRT {trt.__version__} cannot read the network: '
                         + '; '.join(said[:3]))
    config = builder.create_builder_config()
    tf32 = getattr(trt.BuilderFlag, 'TF32', None)
    if tf32 is not None:        # on by itself, and off by 1e-3
        config.clear_flag(tf32)
    shapes = profile_of(read(data), rows)
    if shapes:
        profile = builder.create_optimization_profile()
        for name, (least, often, most) in shapes.items():
            profile.set_shape(name, least, often, most)
        config.add_optimization_profile(profile)
    if hasattr(config, 'create_timing_cache'):
        config.set_timing_cache(config.create_timing_cache(timing), ignore_mismatch=False)
    watch = monitor(trt, progress)
    if watch is not None and hasattr(config, 'progress_monitor'):
        config.progress_monitor = watch
    before(config)
    made = builder.build_serialized_network(network, config)
    if made is None:
        raise BuildError(f'TensorRT {trt.__version__} cannot build the network: '
                         + '; '.join(said[:3]))
    learned = config.get_timing_cache() if hasattr(config, 'get_timing_cache') else None
    return bytes(made), b'' if learned is None else bytes(learned.serialize())
