# SPDX-License-Identifier: Apache-2.0
"""The command line: ami-ros sim | collect | train | evaluate | bench."""

import os

for _name, _value in (('OMP_NUM_THREADS', '1'), ('OPENBLAS_NUM_THREADS', '1'),
                      ('OMP_WAIT_POLICY', 'PASSIVE')):
    os.environ.setdefault(_name, _value)    # before numpy or torch: spinning threads cost tenfold

import argparse  # noqa: E402
import json  # noqa: E402
from pathlib import Path  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402


def bar(done: int, total: int, begun: float, what: str) -> None:
    """Draw a progress bar on a terminal, a line now and then elsewhere."""
    share = done / max(total, 1)
    left = (time.monotonic() - begun) * (1 - share) / share if share > 0 else 0.0
    text = f'{what} [{"#" * int(30 * share):30s}] {done}/{total}  {left:4.0f} s left'
    if sys.stderr.isatty():
        sys.stderr.write('\r' + text + ('\n' if done == total else ''))
    elif done == total or done % max(1, total // 10) == 0:
        sys.stderr.write(text + '\n')
    sys.stderr.flush()


def make_way(path: Path | None) -> None:
    """Find out before the work, not after it, that a report has nowhere to go."""
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as why:
        raise ValueError(f'no report can be written to {path}: {why.strerror}; '
                         'name a file in a folder that can be made') from why
    if path.is_dir():
        raise ValueError(f'no report can be written to {path}, which is a folder; name a file')


def write_report(path: Path | None, report: dict) -> None:
    """Write a report whole or not at all."""
    if path is None:
        return
    make_way(path)
    temporary = path.with_suffix(path.suffix + '.partial')
    temporary.write_text(json.dumps(report, indent=1) + '\n')
    temporary.replace(path)
    print(f'report: {path}')


def collect(args: argparse.Namespace) -> int:
    """Drive about and record."""
    from ami_ros.training.collect import collect as run
    begun = time.monotonic()
    done = run(args.out, args.world_seed, args.seed, args.frames, args.drive_seconds, args.jobs,
               lambda d, n: bar(d, n, begun, 'collecting'))
    print(f'{args.out}: {done["drives"]} drives of {args.drive_seconds:g} s in '
          f'{time.monotonic() - begun:.0f} s, sha256 {done["sha256"]}')
    return 0


def train(args: argparse.Namespace) -> int:
    """Train a module on a bag."""
    from ami_ros.training import build
    build.run(build.Job(args.bag, args.out, args.robot, args.steps, args.seed, args.threads,
                        args.resume, tuple(args.topic), args.bf16),
              lambda line: print(line, flush=True))
    return 0


def evaluate(args: argparse.Namespace) -> int:
    """Drive episodes in one process, lock-step."""
    from ami_ros.trials.evaluate import evaluate as run
    from ami_ros.trials.evaluate import Trial
    make_way(args.report)
    begun, done = time.monotonic(), []

    def progress(episode) -> None:
        done.append(episode)
        bar(len(done), args.episodes, begun,
            f'{sum(e.success for e in done)} of {len(done)} succeeded')

    report = run(Trial(args.planner, args.goal_blocks, args.episodes, args.seed, args.world_seed,
                       args.furniture_moved, args.module, args.robot), progress)
    print(f'{args.planner}, K = {args.goal_blocks}: success {100 * report["success_rate"]:.1f} %, '
          f'reached {100 * report["reached_rate"]:.1f} %, '
          f'collisions {100 * report["collision_rate"]:.1f} % of {args.episodes}')
    write_report(args.report, report)
    return 0


def sim(args: argparse.Namespace) -> int:
    """Drive to goal pictures over real ROS 2 topics."""
    from ami_ros.nodes import session
    make_way(args.report)
    if args.params is not None and not args.params.is_file():
        raise ValueError(f'there is no parameter file {args.params}; config/rover.yaml is one')
    if args.episodes < 1 and not args.seconds > 0:
        raise ValueError('nothing to drive: give --episodes from 1 on, or --seconds')
    return session.main(args)


def bench(args: argparse.Namespace) -> int:
    """Measure latencies."""
    from ami_ros.nodes import bench as run
    return run.main(args)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, as everything else here does."""

    def error(self, message: str):
        """Leave with status 1."""
        self.exit(1, f'{self.prog}: {message}; see {self.prog} --help\n')


def count(text: str) -> int:
    """Read a number of things, at least one."""
    return whole(text, 1)


def whole(text: str, least: int = 0) -> int:
    """Read a whole number that is not negative: a seed."""
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f'{text!r} is not a whole number from {least} on')
    return value


def pair(text: str) -> tuple[str, str]:
    """Read NEED=NAME."""
    need, equals, name = text.partition('=')
    if not (need and equals and name):
        raise argparse.ArgumentTypeError(f'{text!r} is not NEED=NAME, e.g. camera=front/image')
    return need, name


def parser() -> argparse.ArgumentParser:
    """Declare every verb and option."""
    top = Parser('ami-ros', description='A robot mind that learns its world '
                                  'from its own camera and plans inside it.')
    verbs = top.add_subparsers(dest='verb', required=True, metavar='VERB')

    def verb(name: str, run) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=run.__doc__, description=run.__doc__,
                                formatter_class=argparse.ArgumentDefaultsHelpFormatter)
        made.set_defaults(run=run)
        return made

    one = verb('sim', sim)
    one.add_argument('--episodes', type=whole, default=4)
    one.add_argument('--seed', type=whole, default=100, help='of the first episode')
    one.add_argument('--goal-blocks', type=count, default=40, metavar='K',
                     help='actions of 0.25 s between start and goal')
    one.add_argument('--real-time', action='store_true', help='wall time instead of lock-step')
    one.add_argument('--seconds', type=float, default=0.0,
                     help='real time: keep driving for so long, whatever the episodes')
    one.add_argument('--camera-hz', type=float, default=10.0)
    one.add_argument('--separate', action='store_true', help='one process a node')
    one.add_argument('--world-seed', type=whole, default=None, help="default: the module's room")
    one.add_argument('--module', default='', help='folder; default: the shipped one')
    one.add_argument('--params', type=Path, default=None, help='YAML; default: config/rover.yaml')
    one.add_argument('--out', type=Path, default=None, help='folder; default: runs/<time>')
    one.add_argument('--report', type=Path, default=None, help='default: OUT/report.json')
    one.add_argument('--need', type=int, default=3, help='exit non-zero below so many successes')

    one = verb('collect', collect)
    one.add_argument('--world-seed', type=whole, required=True)
    one.add_argument('--out', type=Path, required=True, help='bag folder to write')
    one.add_argument('--seed', type=whole, default=0, help='of the drives')
    one.add_argument('--frames', type=count, default=100_000)
    one.add_argument('--drive-seconds', type=float, default=60.0)
    one.add_argument('--jobs', type=count, default=2, help='processes')

    one = verb('train', train)
    one.add_argument('--bag', type=Path, required=True)
    one.add_argument('--out', type=Path, required=True, help='module folder to write')
    one.add_argument('--robot', default='rover')
    one.add_argument('--steps', type=count, default=4500)
    one.add_argument('--seed', type=whole, default=0)
    one.add_argument('--threads', type=count, default=1)
    one.add_argument('--bf16', action='store_true', help='quicker on CPUs with AMX')
    one.add_argument('--resume', action='store_true', help='go on from the last checkpoint')
    one.add_argument('--topic', type=pair, action='append', default=[], metavar='NEED=NAME',
                     help='camera, odom, command, scan or imu, where the bag has several')

    one = verb('evaluate', evaluate)
    one.add_argument('--planner', default='world_model',
                     choices=['world_model', 'random', 'retrieval', 'oracle'])
    one.add_argument('--goal-blocks', type=count, default=20, metavar='K')
    one.add_argument('--episodes', type=count, default=20)
    one.add_argument('--seed', type=whole, default=1000)
    one.add_argument('--world-seed', type=whole, default=None, help="default: the module's room")
    one.add_argument('--furniture-moved', action='store_true',
                     help='a third of the furniture stands elsewhere')
    one.add_argument('--module', default='')
    one.add_argument('--robot', default='rover')
    one.add_argument('--report', type=Path, default=None)

    one = verb('bench', bench)
    one.add_argument('--report', type=Path, default=None)
    one.add_argument('--module', default='')
    one.add_argument('--seconds', type=float, default=12.0, help='of each block over ROS')
    return top


def main(argv: list[str] | None = None) -> int:
    """Run a verb; what goes wrong is one sentence and exit status 1."""
    args, unknown = parser().parse_known_args(argv)
    if unknown:
        Parser(f'ami-ros {args.verb}').error(f'unrecognized arguments: {" ".join(unknown)}')
    try:
        return args.run(args)
    except KeyboardInterrupt:
        print('interrupted; what is finished is kept', file=sys.stderr)
        return 130
    except ModuleNotFoundError as missing:
        if missing.name and missing.name.startswith('ami_ros'):
            raise
        print(f'ami-ros {args.verb} needs {missing.name}, which is not installed; '
              "'make setup' installs all, or pip install 'ami_ros[sim]' or 'ami_ros[train]'",
              file=sys.stderr)
        return 1
    except (ValueError, RuntimeError, OSError) as wrong:
        if os.environ.get('AMI_TRACEBACK'):
            raise
        print(f'ami-ros {args.verb}: {wrong}', file=sys.stderr)
        return 1


if __name__ == '__main__':
    sys.exit(main())
