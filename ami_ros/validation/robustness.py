# SPDX-License-Identifier: Apache-2.0
"""Drives the same episodes with changed camera, light or furniture, one row per condition."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
import json
from pathlib import Path

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.modules.module import open_module
from ami_ros.parallel.pool import outcomes
from ami_ros.perception.images import draw
from ami_ros.robots.find_robot import find
from ami_ros.sim.simulator import Simulator
from ami_ros.validation.evaluate import drive, home, parts, places, report, Setting, setting, Trial
from ami_ros.validation.evaluation_protocol import goal_drive
from ami_ros.validation.report_fingerprint import measured

PIXELS = 192            # of each picture on the page
VIEWS = 3               # of the page, for each condition


@dataclass(frozen=True)
class Condition:
    """What is different while the robot drives; goal pictures are clean."""

    camera: str = 'clean'
    changes: str = ''
    engine: str = 'pybullet'


CONDITIONS = {
    'unchanged': Condition(),
    **{name: Condition(name) for name in (
        'brightness_0.6', 'brightness_0.75', 'brightness_1.3', 'warm', 'cool', 'dirt',
        'vignetting', 'motion_blur', 'jpeg_30', 'side_light', 'evening')},
    'furniture_moved': Condition(changes='moved:1'),
    'mujoco': Condition('webcam', engine='mujoco'),
}


def chosen(names: tuple[str, ...]) -> dict[str, Condition]:
    """Return conditions by name; where none is named, all whose engine is installed.

    ValueError lists the names, or says that no engine is installed.
    """
    if not any(find_spec(one.engine) for one in CONDITIONS.values()):
        raise AmiError("neither pybullet nor mujoco is installed: pip install 'ami_ros[sim]'")
    if unknown := [name for name in names if name not in CONDITIONS]:
        raise AmiError(f'no condition {unknown[0]!r}; there are: {", ".join(CONDITIONS)}')
    return {name: one for name, one in CONDITIONS.items()
            if (name in names if names else find_spec(one.engine))}


def under(trial: Trial, condition: Condition) -> Trial:
    """Return a trial under a condition."""
    return replace(trial, camera=condition.camera, world_changes=condition.changes,
                   engine=condition.engine)


def robustness(trial: Trial, names: tuple[str, ...] = (), jobs: int = 1,
               ledger: Path | None = None,
               progress: Callable[[dict, int, int], None] = lambda row, done, total: None,
               cluster: str = '') -> dict:
    """Run the conditions, in processes or on a Ray cluster at HOST:PORT; return the report.

    Rows that the file `ledger` has from a run of the same trial, with the same code, safety policy
    and module, are not driven again.
    """
    wanted, given = chosen(names), setting(trial, cluster)
    with_what = measured('robustness', given.policy.hash, given.module)
    key = repr((trial, sorted(with_what.items())))
    rows = kept(ledger, key)
    left = {name: parts(whole) if cluster else [whole] for name in wanted if name not in rows
            for whole in [under(trial, wanted[name])]}
    work = [(name, part) for name, some in left.items() for part in some]
    done: dict[str, dict] = {name: {} for name in left}
    told = 0
    for index, result in outcomes(drive, [(part,) for _, part in work], jobs, cluster, (given,)):
        name, part = work[index]
        done[name][part.seed] = result
        if len(done[name]) == len(left[name]):
            rows[name] = row_of(given, under(trial, wanted[name]), name,
                                [done[name][one.seed] for one in left[name]])
            keep(ledger, key, rows)
            told = tell(list(wanted), rows, told, progress)
    tell(list(wanted), rows, told, progress)
    first = rows[next(iter(wanted))]
    return {'protocol': {**first['protocol'], 'camera': 'by condition',
                         'world_changes': 'by condition', 'engine': 'by condition'},
            'conditions': [{k: v for k, v in rows[name].items() if k != 'protocol'}
                           for name in wanted],
            'worst_false_arrival_rate': max(rows[n]['false_arrival_rate'] for n in wanted),
            'measured': with_what}


def tell(names: list[str], rows: dict[str, dict], told: int, progress) -> int:
    """Tell the rows that are finished in the order of the conditions; return how many are told."""
    while told < len(names) and names[told] in rows:
        told += 1
        progress(rows[names[told - 1]], told, len(names))
    return told


def row_of(given: Setting, trial: Trial, name: str, done: list) -> dict:
    """Make the row of one condition from the parts of its trial."""
    whole = report(given, trial, done)
    return {'name': name, **{key: whole[key] for key in (
        'success_rate', 'reached_rate', 'false_arrival_rate', 'collision_rate', 'seconds',
        'protocol', 'episodes')}}


def kept(ledger: Path | None, key: str) -> dict[str, dict]:
    """Read the rows of an interrupted run; none where it was of something else."""
    if ledger is None or not ledger.exists():
        return {}
    try:
        said = json.loads(ledger.read_text())
        return said['rows'] if said.get('key') == key else {}
    except (ValueError, KeyError, AttributeError) as wrong:
        raise AmiError(f'{ledger} is damaged ({wrong!r}); remove it') from None


def keep(ledger: Path | None, key: str, rows: dict[str, dict]) -> None:
    """Write down what is finished, whole or not at all."""
    if ledger is not None:
        temporary = ledger.with_suffix('.partial')
        temporary.write_text(json.dumps({'key': key, 'rows': rows}))
        temporary.replace(ledger)


def page(trial: Trial, report: dict) -> np.ndarray:
    """Draw clean and changed pictures of the same poses beside the rates, (H, W, 3) uint8."""
    robot, lines = find(trial.robot), []
    seed = home(open_module(trial.module)) if trial.world_seed is None else trial.world_seed
    for row in report['conditions']:
        condition = CONDITIONS[row['name']]
        world, driven, preset = places(under(trial, condition), seed)
        with (Simulator(world, robot, 0, engine=condition.engine) as clean,
              Simulator(driven, robot, 0, engine=condition.engine,
                        camera=preset.camera) as changed):
            views = []
            for view in range(VIEWS):
                pose = goal_drive(world, robot, trial.blocks, trial.seed + view).start
                for sim in (clean, changed):
                    sim.reset(pose, view)
                    views.append(draw.enlarge(sim.camera(), PIXELS))
        line = np.concatenate([np.full((18, PIXELS * 2 * VIEWS, 3), 255, np.uint8),
                               np.concatenate(views, 1)])
        lines.append(draw.label(line, (
            f'{row["name"]}: success {100 * row["success_rate"]:.0f} %, false arrivals '
            f'{100 * row["false_arrival_rate"]:.1f} %, collisions '
            f'{100 * row["collision_rate"]:.1f} %; clean and changed image of {VIEWS} poses')))
    return np.concatenate(lines)
