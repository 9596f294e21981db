# SPDX-License-Identifier: Apache-2.0
"""
Puts small faults into the critic, one at a time, and reports those that its tests miss.

python3 tools/mutate.py --all                   every file; goes on where it was broken off
python3 tools/mutate.py --changed main          files that differ from a git revision
python3 tools/mutate.py --only critic,fence     these files

Each mutant runs in a process that is forked with numpy, pytest and hypothesis loaded: only tests
that reach its line, the quickest first, up to the first that fails. What lives must be listed in
docs/mutation_testing.md with a reason: the exit status is 1 where one is not. Results are kept in
runs/mutants.jsonl, by the content of the file and, for those that live, of its tests.
"""

import argparse
from collections import Counter
from dataclasses import dataclass
import fnmatch
import functools
import hashlib
import importlib.abc
import importlib.util
import json
import os
from pathlib import Path
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

for one in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS'):
    os.environ[one] = '1'
os.environ['PYTEST_DISABLE_PLUGIN_AUTOLOAD'] = '1'

import coverage  # noqa: E402
import hypothesis  # noqa: E402
import mutate_sites  # noqa: E402
import numpy  # noqa: E402, F401
import pytest  # noqa: E402
import yaml  # noqa: E402, F401

ROOT = Path(__file__).resolve().parents[1]
CRITIC = 'ami_ros/critic'
LIST = ROOT / 'docs' / 'mutation_testing.md'
KEPT = ROOT / 'runs' / 'mutants.jsonl'
COUNTS = ('stop_rate_lockout', 'oscillation', 'near_misses')
# file below ami_ros/critic: its tests below test/critic; what is not named: rules/x,
# rules/test_rule_x
TESTS = {
    **{f'rules/{name}': ('rules/test_rule_oscillation_near_misses_lockout',) for name in COUNTS},
    'rules/__init__': ('safety_policy/test_safety_policy',),
    'rule_interface': ('rules/test_rule_speed', 'test_critic'),
    'sensor_age_limits': ('test_sensor_age_limits', 'rules/test_rule_input_timeout'),
    'shared_rule_params': ('safety_policy/test_safety_policy',),
    'obstacle_points': ('test_obstacle_points', 'rules/test_rule_stop_zone',
                        'rules/test_rule_time_to_collision'),
    'obstacle_tracking': ('test_obstacle_tracking', 'rules/test_rule_moving_obstacle'),
    'rules/input_validity': ('rules/test_rule_input_validity', 'test_obstacle_points'),
    'rules/input_timeout': ('rules/test_rule_input_timeout', 'test_critic'),
    'rules/fence': ('rules/test_rule_fence', 'rules/test_rule_fence_brute_force'),
    'rules/speed': ('rules/test_rule_speed', 'rules/test_rule_surprise'),
    'uncertainty_rule_base': ('rules/test_rule_surprise', 'rules/test_rule_out_of_distribution'),
    'zone_hysteresis': ('test_zone_hysteresis', 'rules/test_rule_stop_zone'),
    'safety_policy/*': ('safety_policy/test_safety_policy', 'safety_policy/test_*'),
    # not the drives and the sequences at random: minutes for each that lives
    'critic': ('test_critic', 'test_critic_boundaries', 'test_critic_authorization',
               'test_critic_fuzz_regressions', 'test_stop_hold'),
    'history': ('test_history', 'test_history_*'),
    'footprint_sweep': ('test_footprint_sweep', 'rules/test_rule_stop_zone',
                        'rules/test_rule_time_to_collision'),
    'stamp_order': ('test_critic',),
    'beam_geometry': ('test_beam_geometry', 'rules/test_rule_lidar_displaced',
                      'test_obstacle_tracking'),
    'command_source_selector': ('test_command_source_selector', 'test_critic_authorization',
                                'test_critic'),
}
OF_RULES = ('obstacle_points', 'obstacle_tracking', 'rule_interface', 'sensor_age_limits',
            'shared_rule_params', 'uncertainty_rule_base', 'zone_hysteresis')
ALL = ('rules/*', *OF_RULES, 'safety_policy/*', 'critic', 'stop_hold', 'stop_latch', 'history',
       'command_source_selector', 'footprint_sweep', 'scan_history', 'dead_reckoning',
       'scan_odometry_comparison', 'beam_geometry', 'multi_publisher_switch', 'stamp_order')
# of each rule, and of what rules are made of
EVERY = ('rules/test_build_rules', 'rules/test_policy_number_ranges', 'rules/test_rule_boundaries')
NOT_RUN = ('is_quick',)     # tests that measure time
CPU_S, MEMORY = 20, 4 << 30     # more than the slowest test, and its usual time ten times


@dataclass
class Baseline:
    """How the tests of a file do without a fault."""

    lines: dict[str, list[str]]     # line: tests that reach it
    seconds: dict[str, float]       # of each test


def files(patterns=ALL) -> list[str]:
    """Return the files of the critic, below ami_ros/critic and without .py."""
    every = [str(f.relative_to(ROOT / CRITIC))[:-3] for f in sorted((ROOT / CRITIC).rglob('*.py'))]
    return [name for name in every if any(fnmatch.fnmatch(name, p) for p in patterns)]


def tests(name: str) -> list[Path]:
    """Return the test files of a file; ValueError where it has none."""
    said = next((said for pattern, said in TESTS.items() if fnmatch.fnmatch(name, pattern)),
                (f'rules/test_rule_{Path(name).name}' if name.startswith('rules/')
                 else f'test_{name}',))
    every = EVERY if name.startswith('rules/') or name in OF_RULES else ()
    found = dict.fromkeys(path for pattern in (*said, *every)
                          for path in sorted((ROOT / 'test/critic').glob(f'{pattern}.py')))
    if not found:
        raise ValueError(f'{name} has no tests: none of {", ".join(said)} is in test/critic')
    return list(found)


def changed(revision: str) -> list[str]:
    """Return the files of the critic that differ from a revision, or whose tests do."""
    said = subprocess.run(['git', 'diff', '--name-only', revision, '--', CRITIC, 'test/critic'],
                          cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    touched = {ROOT / path for path in said}
    return [name for name in files() if ROOT / CRITIC / f'{name}.py' in touched
            or touched & set(tests(name))]


class Swapped(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a code object."""

    def __init__(self, module: str, code):
        self.module, self.code = module, code

    def find_spec(self, name, path=None, target=None):
        if name != self.module:
            return None
        where = str(ROOT / name.replace('.', '/'))
        package = os.path.isdir(where)
        spec = importlib.util.spec_from_file_location(
            name, f'{where}/__init__.py' if package else f'{where}.py', loader=self,
            submodule_search_locations=[where] if package else None)
        return spec

    def exec_module(self, module):
        exec(self.code, module.__dict__)


class Watch:
    """A plugin: notes which test reaches which line, and how long each takes.

    What is cached is forgotten before each: else the first alone would seem to reach it.
    """

    def __init__(self, cover):
        self.cover, self.seconds = cover, {}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item):
        for name, module in list(sys.modules.items()):
            for thing in vars(module).values() if name.startswith('ami_ros.') else ():
                if isinstance(thing, functools._lru_cache_wrapper):
                    thing.cache_clear()
        self.cover.switch_context(item.nodeid)
        begun = time.perf_counter()
        yield
        self.seconds[item.nodeid] = time.perf_counter() - begun


def run_tests(what: list[str], *plugins) -> int:
    """Run tests in this process, up to the first that fails."""
    hypothesis.settings.register_profile('mutants', derandomize=True, database=None,
                                         deadline=None)
    hypothesis.settings.load_profile('mutants')
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    return int(pytest.main([
        '-x', '-q', '--assert=plain', '--tb=no', '-p', 'no:cacheprovider', '-p', 'no:randomly',
        '-k', ' and '.join(f'not {word}' for word in NOT_RUN), f'--rootdir={ROOT}', *what],
        plugins=list(plugins)))


def forked(work, cpu_s: float = 0.0) -> int:
    """Run `work() -> int` in a child; return its process id."""
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        os.chdir(ROOT)
        sys.path.insert(0, str(ROOT))
        os.setpgid(0, 0)
        if cpu_s:
            resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_s), int(cpu_s) + 5))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        status = work()
    finally:
        os._exit(status)


def baseline(name: str) -> Baseline:
    """Run the tests of a file as it is; ValueError where they fail."""
    source = ROOT / CRITIC / f'{name}.py'
    told = tempfile.mktemp(suffix='.json')

    def work() -> int:
        cover = coverage.Coverage(data_file=None, include=[str(source)], config_file=False)
        cover.start()
        watch = Watch(cover)
        status = run_tests([str(path) for path in tests(name)], watch)
        cover.stop()
        data = cover.get_data()
        lines = {}
        for file in data.measured_files():
            for line, contexts in data.contexts_by_lineno(file).items():
                lines[str(line)] = [context for context in contexts if context]
        Path(told).write_text(json.dumps({'lines': lines, 'seconds': watch.seconds}))
        return status

    _, status = os.waitpid(forked(work), 0)
    if status:
        raise ValueError(f'the tests of {name} fail without a mutant: pytest '
                         + ' '.join(str(path.relative_to(ROOT)) for path in tests(name)))
    said = json.loads(Path(told).read_text())
    os.unlink(told)
    return Baseline(said['lines'], said['seconds'])


def try_one(name: str, index: int, line: int, base: Baseline) -> tuple[int, float]:
    """Start the tests of one mutant; return the process, and when it is out of time."""
    file = f'{CRITIC}/{name}.py'
    dotted = file[:-3].replace('/', '.').removesuffix('.__init__')
    # what runs when the file is imported is reached by all tests, and by none in particular
    chosen = base.lines.get(str(line)) or list(base.seconds)
    chosen = sorted(chosen, key=lambda test: base.seconds.get(test, 0.0))
    cpu_s = CPU_S + 10 * sum(base.seconds.get(test, 0.0) for test in chosen)

    def work() -> int:
        sys.meta_path.insert(0, Swapped(dotted, mutate_sites.mutated(ROOT, file, index)))
        status = run_tests(chosen)
        if status == pytest.ExitCode.USAGE_ERROR:       # a fault renamed the tests
            status = run_tests([str(path) for path in tests(name)])
        return status

    return forked(work, cpu_s), time.monotonic() + 30 * cpu_s


def digest(paths: list[Path]) -> str:
    """Return what stands for the content of files."""
    every = hashlib.sha256()
    for path in paths:
        every.update(path.read_bytes())
    return every.hexdigest()[:16]


def known() -> dict[str, dict]:
    """Return what was found before, by name."""
    if not KEPT.exists():
        return {}
    rows = (json.loads(line) for line in KEPT.read_text().splitlines() if line.endswith('}'))
    return {row['name']: row for row in rows}


def listed() -> dict[str, str]:
    """Return name -> reason of those that may live."""
    rows = re.findall(r'^\| `(.*?)` \| (.*) \|$', LIST.read_text() if LIST.exists() else '', re.M)
    return dict(rows)


def examine(name: str, jobs: int, kept: dict[str, dict], again: bool) -> list[dict]:
    """Try the mutants of a file; return a row for each."""
    source = ROOT / CRITIC / f'{name}.py'
    found = mutate_sites.mutants(ROOT, f'{CRITIC}/{name}.py')
    of, by = digest([source]), digest([*tests(name), ROOT / 'test/helpers/rule_contract.py'])
    rows, open_ = [], []
    for index, mutant in enumerate(found):
        row = kept.get(mutant.name)
        fits = row and row['of'] == of and (row['fate'] != 'lives' or row['by'] == by)
        if fits and not again:
            rows.append(row)
        else:
            open_.append((index, mutant))
    if not open_:
        return rows
    base, running = baseline(name), {}
    KEPT.parent.mkdir(exist_ok=True)
    with open(KEPT, 'a') as file:
        while open_ or running:
            while open_ and len(running) < jobs:
                index, mutant = open_.pop(0)
                child, until = try_one(name, index, mutant.line, base)
                running[child] = mutant, until, time.monotonic()
            child, status = os.waitpid(-1, os.WNOHANG)
            if not child:
                time.sleep(0.02)
                for late, (_, until, _) in running.items():
                    if time.monotonic() > until:
                        os.killpg(late, signal.SIGKILL)
                continue
            mutant, _, begun = running.pop(child)
            fate = ('lives' if status == 0 else 'hangs' if os.WIFSIGNALED(status) else 'dies')
            row = {'name': mutant.name, 'file': name, 'line': mutant.line, 'fate': fate, 'of': of,
                   'by': by, 'seconds': round(time.monotonic() - begun, 2)}
            rows.append(row)
            file.write(json.dumps(row) + '\n')
            file.flush()
    return rows


def report(rows: list[dict], reasons: dict[str, str], path: Path | None) -> int:
    """Say what lives; return how many of those have no reason."""
    per_file = {}
    for row in rows:
        counts = per_file.setdefault(row['file'], Counter(mutants=0, die=0, hang=0, listed=0,
                                                          unexplained=0))
        counts['mutants'] += 1
        kind = {'dies': 'die', 'hangs': 'hang'}.get(row['fate'])
        counts[kind or ('listed' if row['name'] in reasons else 'unexplained')] += 1
    survivors = [row for row in rows if row['fate'] == 'lives' and row['name'] not in reasons]
    for row in survivors:
        print(f'lives: line {row["line"]}: {row["name"]}')
    total = sum(per_file.values(), Counter())
    print(json.dumps(dict(total)))
    if path:
        path.write_text(json.dumps({
            'total': dict(total), 'files': {name: dict(c) for name, c in per_file.items()},
            'unexplained': [row['name'] for row in survivors]}, indent=1) + '\n')
    return len(survivors)


def main() -> int:
    """Run; the exit status is 1 where a mutant lives without a reason."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument('--all', action='store_true', help='Mutate every file of the critic')
    which.add_argument('--changed', metavar='REVISION',
                       help='Mutate files that differ from this revision')
    which.add_argument('--only', help='Files below ami_ros/critic, separated by commas')
    parser.add_argument('--again', action='store_true',
                        help='Repeat mutations that were tried before')
    parser.add_argument('--jobs', type=int, default=os.cpu_count(), help='Number of parallel jobs')
    parser.add_argument('--report', type=Path, help='Report JSON file for the counts')
    parser.add_argument('--nice', type=int, default=19, help='Nice value of the test processes')
    args = parser.parse_args()
    os.setpriority(os.PRIO_PROCESS, 0, args.nice)
    chosen = files() if args.all else changed(args.changed) if args.changed else files(
        [name for one in args.only.split(',') for name in (one, f'rules/{one}')])
    rows, kept = [], known()
    for name in chosen:
        found = examine(name, args.jobs, kept, args.again)
        counts = Counter(row['fate'] for row in found)
        print(f'{name}: {len(found)} mutants, {dict(counts)}', flush=True)
        rows += found
    return 1 if report(rows, listed(), args.report) else 0


if __name__ == '__main__':
    sys.exit(main())
