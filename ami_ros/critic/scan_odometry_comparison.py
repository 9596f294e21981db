# SPDX-License-Identifier: Apache-2.0
"""Compares how scans changed with how odometry says that the robot moved between them.

A scan is kept as the key. Once odometry has moved far enough from it, what the newest scan hit is
looked up in the key: with the motion of odometry, and with other motions, as they would look to
a lidar that repeats an old scan, or is mounted otherwise than its link says. Each beam at which
the two differ votes for the one that it fits better.
"""

import math

import numpy as np

from ami_ros.core.types import Odometry, Scan, ScanMotion, Sighting
from ami_ros.critic.beam_geometry import directions, hits
from ami_ros.critic.obstacle_tracking import between

STEP_M, STEP_RAD = 0.05, 0.06   # of odometry, from the key to the first comparison
MOST_STEPS = 4                  # of that, until another scan is the key
LONGEST_GAP_S = 0.3             # between two readings of odometry around a scan
OLDEST_S = 5.0                  # of a key: odometry at rest may drift
MOST_BEAMS = 60                 # are looked up, evenly chosen
LEAST_BEAMS = 10                # of which must tell the two motions apart
APART_M = 0.02                  # by so much, in range
FITS_M = 0.10                   # a beam that fits neither motion better than this does not vote
EDGE_M = 0.25                   # between two neighbouring beams: more is an edge, not a surface
WIDEST_RAD = 0.2                # between two neighbouring beams: more is a gap
SLACK_RAD = np.array([0.0, -0.02, 0.02, -0.04, 0.04])   # a turn may be told wrongly by this
TOLD_M, TOLD_RAD = 0.03, 0.06   # a shorter way, or turn, says nothing of a turned, mirrored lidar
MOST_VOTES = 0.7                # share of the votes that decides
TURN_RAD = 2 * math.pi
INSTEAD = ('that the robot did not move', 'of a lidar that is turned by 180 degrees',
           'of a lidar that is turned by 90 degrees', 'of a lidar that is turned by -90 degrees',
           'of a lidar that is mirrored')


class ScanMotions:
    """Keeps one key and what the comparisons said, for each sensor.

    A scan waits until odometry of its instant, or later, has come: what odometry said before is
    wrong by what the robot braked since.
    """

    def __init__(self, names: tuple[str, ...]):
        self.names = names                          # of the sensors that are compared
        self.waiting: dict[str, Scan] = {}
        self.keys: dict[str, Sighting] = {}
        self.steps: dict[str, int] = {}             # after how many the next comparison is due
        self.found: dict[str, ScanMotion] = {}
        # the two newest readings of odometry: ns, x m, y m, yaw rad
        self.before: tuple[int, float, float, float] | None = None
        self.last: tuple[int, float, float, float] | None = None

    def on_odometry(self, odometry: Odometry, goes_on: bool) -> None:
        """Know where the robot is; not `goes_on`: it cannot have come there."""
        if not (goes_on and np.isfinite(odometry.pose).all()):
            self.waiting.clear()
            self.keys.clear()
            self.before = self.last = None
            return
        x, y, yaw = map(float, odometry.pose)
        self.before, self.last = self.last, (odometry.stamp_ns, x, y, yaw)
        for scan in list(self.waiting.values()):
            self.try_scan(scan)

    def on_scan(self, scan: Scan) -> None:
        """Take a scan; one that still waits is too late."""
        if scan.name in self.names:
            self.waiting[scan.name] = scan
            self.try_scan(scan)

    def try_scan(self, scan: Scan) -> None:
        """Look where a scan was taken, and compare it; it waits where that is not known yet."""
        if self.last is None or self.last[0] < scan.stamp_ns:
            return
        del self.waiting[scan.name]
        if self.last[0] == scan.stamp_ns:
            self.take(Sighting(scan, self.last[1:]))
        elif self.before is not None:
            self.take_between(scan)

    def take_between(self, scan: Scan) -> None:
        """Take a scan between the two newest readings of odometry, where they lie around it."""
        assert self.before is not None and self.last is not None
        passed = self.last[0] - self.before[0]
        if self.before[0] <= scan.stamp_ns and 0 < passed <= LONGEST_GAP_S * 1e9:
            part = (scan.stamp_ns - self.before[0]) / passed
            (x, y, yaw), (x2, y2, yaw2) = self.before[1:], self.last[1:]
            self.take(Sighting(scan, (x + (x2 - x) * part, y + (y2 - y) * part,
                                      yaw + math.remainder(yaw2 - yaw, TURN_RAD) * part)))

    def take(self, newest: Sighting) -> None:
        """Compare it with the key of its sensor, when odometry has moved far enough."""
        name = newest.scan.name
        key = self.keys.get(name)
        if key is None or not 0 < newest.scan.stamp_ns - key.scan.stamp_ns <= OLDEST_S * 1e9:
            self.begin(newest)
            return
        place, turn = between(key.pose, newest.pose)
        steps = max(abs(place) / STEP_M, abs(math.atan2(turn.imag, turn.real)) / STEP_RAD)
        if steps < self.steps[name]:
            return
        decided = steps <= 2 * MOST_STEPS and self.decide(name, key, newest)
        if decided or self.steps[name] >= MOST_STEPS or steps > MOST_STEPS:
            self.begin(newest)
        else:
            self.steps[name] += 1

    def begin(self, newest: Sighting) -> None:
        """Make it the key; once they agreed, the next comparison is later."""
        name = newest.scan.name
        self.keys[name] = newest
        known = self.found.get(name)
        self.steps[name] = 2 if known is not None and known.agreed else 1

    def decide(self, name: str, key: Sighting, newest: Sighting) -> bool:
        """Count an agreement or a contradiction; return whether it was one of them."""
        known = self.found.get(name, ScanMotion(name))
        votes = compared(key, newest)
        for instead, (count, for_odometry) in zip(INSTEAD, votes, strict=True):
            if count >= LEAST_BEAMS and for_odometry <= (1 - MOST_VOTES) * count:
                self.found[name] = ScanMotion(name, known.agreed, known.contradictions + 1, count,
                                              count - for_odometry, instead)
                return True
        count, for_odometry = votes[0]
        if count >= LEAST_BEAMS and for_odometry >= MOST_VOTES * count:
            self.found[name] = ScanMotion(name, True)
            return True
        return False

    def forget(self) -> None:
        """Know of no agreement and no contradiction: somebody looked at the lidar."""
        self.keys.clear()
        self.found.clear()

    def look(self) -> tuple[ScanMotion, ...]:
        """Return what is known of each sensor."""
        return tuple(self.found.values())


def compared(key: Sighting, newest: Sighting) -> list[tuple[int, int]]:
    """Return for each of INSTEAD how many beams vote, and how many of them for odometry."""
    place, turn = between(key.pose, newest.pose)
    places = np.array([place, 0j, -place, 1j * place, -1j * place, place.conjugate()])
    turns = np.array([turn, 1.0 + 0j, turn, turn, turn, turn.conjugate()])
    points = hits(newest.scan).points
    points = points[::max(1, math.ceil(points.size / MOST_BEAMS))]
    off = misfits(key, places[:, None] + slack(key, places, turns, points)[:, None] * points)
    size = np.abs(off)
    votes = (np.abs(off[1:] - off[0]) > APART_M) & (np.minimum(size[1:], size[0]) < FITS_M)
    if abs(place) < TOLD_M:             # another direction of so short a way is much the same
        votes[1:4] = False
    if abs(math.atan2(turn.imag, turn.real)) < TOLD_RAD:
        votes[4] = False
    ours = votes & (size[0] < size[1:])
    return list(zip(votes.sum(1).tolist(), ours.sum(1).tolist(), strict=True))


def slack(key: Sighting, places: np.ndarray, turns: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the turns, each changed by what of SLACK_RAD fits best: odometry turns too far, too.

    A few hundredths of a radian more or less move a far wall as much as the whole motion does.
    """
    tried = turns[:, None] * np.exp(1j * SLACK_RAD)
    size = np.abs(misfits(key, places[:, None, None] + tried[..., None] * points[::2]))
    worst = np.where(np.isnan(size), FITS_M, np.minimum(size, FITS_M)).sum(axis=-1)
    return tried[np.arange(turns.size), worst.argmin(axis=1)]


def misfits(key: Sighting, points: np.ndarray) -> np.ndarray:
    """Return by how much points (complex, in base_link of the key) lie behind what it saw, m.

    NaN where it saw no surface in that direction.
    """
    scan = key.scan
    x, y, yaw = scan.mount
    there = (points - complex(x, y)) * complex(math.cos(yaw), -math.sin(yaw))
    order, angles = directions(scan.angles).around
    far = np.where(scan.ranges > 0, scan.ranges, np.nan)[order]
    bearing = np.mod(np.angle(there), TURN_RAD)
    after = np.searchsorted(angles, bearing) % angles.size
    step = np.mod(angles[after] - angles[after - 1], TURN_RAD)
    with np.errstate(invalid='ignore', divide='ignore'):
        change = far[after] - far[after - 1]
        part = np.mod(bearing - angles[after - 1], TURN_RAD) / step
        seen = far[after - 1] + part * change
        known = (np.abs(change) < EDGE_M) & (step < WIDEST_RAD)
        return np.where(known, np.abs(there) - seen, np.nan)
