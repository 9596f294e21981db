# SPDX-License-Identifier: Apache-2.0
"""Drives at a wall with each sensor fault, and reports the outcome; repeatable by seed."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
import platform

import numpy as np

from ami_ros import __version__
from ami_ros.core.errors import AmiError
from ami_ros.critic.safety_policy.policy_loader import read
from ami_ros.parallel.pool import outcomes
from ami_ros.robots.find_robot import find
from ami_ros.validation.adversarial.campaign import (
    machine,
    safety_policy_file,
)
from ami_ros.validation.report_fingerprint import measured
from ami_ros.validation.sensor_lies.lie_definitions import HONEST, LIES
from ami_ros.validation.sensor_lies.wall_drive import driven, OF_OBSTACLES

ALL = {HONEST.name: HONEST, **LIES}
DEFINITIONS = {
    'contacts': 'drives in which the footprint touched a wall at more than 0.02 m/s; the drive '
                'ends there',
    'noticed': 'drives in which a rule stopped the robot after the lie had begun, other than '
               f'{", ".join(OF_OBSTACLES)}, which stop at any wall',
    'stopped_s': 's, from the beginning of the lie until that stop; the robot may have stood '
                 'still at first, and most lies need a motion to show',
    'way_m': 'm driven after the lie began, the most of all drives',
    'nearest_m': 'least clearance in all drives',
}


@dataclass(frozen=True)
class Ask:
    """What to find out."""

    drives: int             # under each lie
    seed: int
    policy: str = 'rover'   # a name in config/safety_policy, or a path
    robot: str = 'rover'
    only: tuple[str, ...] = ()      # names of lies; () is all, and the honest control

    def names(self) -> tuple[str, ...]:
        """Return the lies to tell; ValueError lists those there are."""
        for name in self.only:
            if name not in ALL:
                raise AmiError(f'there is no lie {name!r}; there are: {", ".join(ALL)}')
        return self.only or tuple(ALL)


def one(name: str, index: int, ask: Ask) -> dict:
    """Drive once."""
    return driven(ALL[name], ask.seed, index, read(safety_policy_file(ask.policy)),
                  find(ask.robot))


def campaign(ask: Ask, progress: Callable[[int, int], None], jobs: int = 1) -> dict:
    """Drive it all; return the report."""
    work = [(name, index, ask) for name in ask.names() for index in range(ask.drives)]
    done: dict[int, dict] = {}
    for index, outcome in outcomes(one, work, jobs):
        done[index] = outcome
        progress(len(done), len(work))
    found = [done[index] for index in range(len(work))]
    lies = {name: summary([o for o in found if o['lie'] == name]) for name in ask.names()}
    told = [row for name, row in lies.items() if name != HONEST.name]
    return {'asked': {**asdict(ask),
                      'measured': measured('lies', read(safety_policy_file(ask.policy)).hash)},
            'about': {'version': __version__, 'python': platform.python_version(),
                      'numpy': np.__version__, 'machine': machine()},
            'drives': sum(row['drives'] for row in told),
            'contacts': sum(row['contacts'] for row in told),
            'contacts_of_lies_that_can_be_shown': sum(
                row['contacts'] for row in told if not row['cannot_show']),
            'false_stops_without_a_lie': lies.get(HONEST.name, {}).get('noticed'),
            'lies': lies, 'definitions': DEFINITIONS}


def summary(found: list[dict]) -> dict:
    """Return the figures of one lie."""
    lie = ALL[found[0]['lie']]
    times = sorted(o['stopped_s'] for o in found if o['stopped_s'] is not None)
    first = next((o['reason'] for o in found if o['rule']), '')
    return {'says': lie.says, 'cannot_show': lie.cannot_show, 'drives': len(found),
            'contacts': sum(o['contact'] for o in found),
            'fastest_contact_mps': max(o['contact_mps'] for o in found),
            'nearest_m': min(o['nearest_m'] for o in found),
            'noticed': len(times),
            'rules': dict(Counter(o['rule'] for o in found if o['rule']).most_common()),
            'stopped_s': {'p50': round(float(np.median(times)), 3), 'max': times[-1]}
            if times else None,
            'way_m': max(o['way_m'] for o in found), 'first_reason': first}
