# SPDX-License-Identifier: Apache-2.0
"""The ground of a tour: free where beams passed, closed at walls and where nothing is known."""

from ami_ros.memory.free_ground import carve, CLOSED_COST
import numpy as np

ANGLES = np.linspace(-np.pi, np.pi, 180, endpoint=False)


def scan_in_a_room(pose: np.ndarray, half_m: float = 2.0) -> np.ndarray:
    """Distance to the walls of a square room around the origin."""
    direction = pose[2] + ANGLES
    c, s = np.cos(direction), np.sin(direction)
    with np.errstate(divide='ignore'):
        x = np.where(c > 0, (half_m - pose[0]) / c, (-half_m - pose[0]) / c)
        y = np.where(s > 0, (half_m - pose[1]) / s, (-half_m - pose[1]) / s)
    return np.minimum(np.abs(x), np.abs(y))


def ground_of(ranges=scan_in_a_room):
    rng = np.random.default_rng(0)
    poses = np.concatenate([rng.uniform(-1.2, 1.2, (40, 2)), rng.uniform(-3, 3, (40, 1))], 1)
    return carve(poses, np.array([ranges(pose) for pose in poses]), ANGLES, (0.0, 0.0, 0.0))


def at(ground, x: float, y: float) -> tuple[int, int]:
    i, j = np.rint((np.array([x, y]) - ground.origin) / ground.cell_m).astype(int)
    return int(i), int(j)


def test_the_middle_is_free_and_walls_are_closed():
    ground = ground_of()
    assert ground.cost[at(ground, 0.0, 0.0)] == 1.0
    assert ground.obstacle[at(ground, 2.0, 0.0)]
    assert ground.cost[at(ground, 1.95, 0.0)] == CLOSED_COST
    assert 1.0 < ground.cost[at(ground, 1.7, 0.0)] < CLOSED_COST


def test_what_no_beam_reached_is_unknown_and_closed():
    ground = ground_of()
    assert not ground.known[at(ground, 2.15, 0.0)]
    assert ground.cost[at(ground, 2.15, 0.0)] == CLOSED_COST


def test_beams_without_a_return_say_nothing():
    ground = ground_of(lambda pose: np.where(np.abs(ANGLES) < 0.5, np.inf, scan_in_a_room(pose)))
    assert ground.cost[at(ground, 0.0, 0.0)] == 1.0
    assert np.isfinite(ground.cost).all()


def test_a_turned_lidar_gives_the_same_ground():
    def turned(pose):
        return scan_in_a_room(pose + [0, 0, np.pi / 2])
    rng = np.random.default_rng(0)
    poses = np.concatenate([rng.uniform(-1.2, 1.2, (40, 2)), rng.uniform(-3, 3, (40, 1))], 1)
    ground = carve(poses, np.array([turned(pose) for pose in poses]), ANGLES,
                   (0.0, 0.0, np.pi / 2))
    same = (ground.obstacle == ground_of().obstacle).mean()
    assert same > 0.98
