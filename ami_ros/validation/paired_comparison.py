# SPDX-License-Identifier: Apache-2.0
"""Compares two reports of the same episodes, seed by seed: success of one less that of the other.

The interval is Agresti and Min's for matched pairs (Statistics in Medicine 24, 2005): half an
episode is added to each way of differing, so that no difference is not taken for certainty.
"""

from dataclasses import dataclass
import math

from ami_ros.core.errors import AmiError

Z = 1.96                # 95 %
MOST_WORSE = 0.02       # of success: what may be lost for speed


@dataclass(frozen=True)
class Paired:
    """What came of a comparison."""

    episodes: int
    gained: int             # episodes that only the new one succeeded in
    lost: int               # that only the old one did
    difference: float       # of success, new less old
    low: float              # 95 % interval of it
    high: float

    @property
    def holds(self) -> bool:
        """Whether it is shown that no more than MOST_WORSE is lost."""
        return self.low >= -MOST_WORSE

    def __str__(self):
        return (f'{self.episodes} episodes: success {100 * self.difference:+.1f} points '
                f'(95 %: {100 * self.low:+.1f} to {100 * self.high:+.1f}); '
                f'{self.gained} gained, {self.lost} lost')


def interval(gained: int, lost: int, n: int) -> Paired:
    """Compute the difference of two matched shares."""
    b, c, m = gained + 0.5, lost + 0.5, n + 2
    middle = (b - c) / m
    half = Z * math.sqrt(max(0.0, b + c - (b - c) ** 2 / m)) / m
    return Paired(n, gained, lost, (gained - lost) / n, middle - half, middle + half)


def compare(old: dict, new: dict) -> Paired:
    """Compare two reports; ValueError where they are not of the same episodes."""
    # reports of earlier versions do not name the camera: it was clean, and nothing was changed
    alike = {'planner': None, 'goal_steps': None, 'seed': None, 'world_seed': None,
             'furniture_moved': None, 'frame_s': None, 'camera': 'clean', 'world_changes': '',
             'engine': 'pybullet'}
    for key, usual in alike.items():
        one, other = (report['protocol'].get(key, usual) for report in (old, new))
        if one != other:
            raise AmiError(f'the reports cannot be paired: {key} is {one} in one and {other} '
                           'in the other')
    success = {e['seed']: e['success'] for e in old['episodes']}
    both = [(success[e['seed']], e['success']) for e in new['episodes'] if e['seed'] in success]
    if not both:
        raise AmiError('the reports cannot be paired: they have no seed in common')
    return interval(sum(now and not before for before, now in both),
                    sum(before and not now for before, now in both), len(both))
