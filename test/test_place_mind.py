# SPDX-License-Identifier: Apache-2.0
"""The mind of a toured place, with images that carry their pose: arrives, looks around."""

from ami_ros.core.geometry import between, compose
from ami_ros.core.settings import ActorSettings, EnergySettings
from ami_ros.core.types import Frame
from ami_ros.memory.readings import Readings
from ami_ros.place_mind import PlaceMind, UNKNOWN, UNLIKE
import numpy as np
import pytest
from told_networks import image_at, scan_at, ToldNetworks

STEP_S = 0.1


def frame(pose, odometry, number: int, run: str = 'tour') -> Frame:
    return Frame(image_at(pose), np.zeros(3, np.float32), np.asarray(odometry, float),
                 round(number * STEP_S * 1e9), number, run)


@pytest.fixture(scope='module')
def toured():
    def make(networks) -> PlaceMind:
        mind = PlaceMind(networks, 0.1, (0.6, 1.5), ActorSettings(), EnergySettings(), lambda: 0)
        number = 0
        for y in np.arange(-2.0, 2.1, 0.5):
            for x in np.arange(-2.0, 2.1, 0.5):
                for yaw in np.arange(-3.0, 3.2, 0.75):
                    pose = np.array([x, y, yaw])
                    mind.tour(frame(pose, pose, number), scan_at(pose))
                    number += 1
        mind.finish_tour()
        return mind
    return make


def drive(mind: PlaceMind, start, seconds: float = 40.0):
    """Do what the plans say, without lag; return the last pose and whether it arrived."""
    pose, begin = np.array(start, float), np.array(start, float)
    for number in range(round(seconds / STEP_S)):
        plan = mind.decide(frame(pose, between(begin, pose), number, f'run {start}'), ())
        if plan.arrived or mind.failure:
            return pose, plan.arrived
        v, w = plan.knots[0]
        pose = compose(pose, np.array([v * STEP_S, 0.0, w * STEP_S]))
    return pose, False


def test_it_finds_itself_and_drives_to_where_the_image_was_taken(toured):
    mind, goal = toured(ToldNetworks()), np.array([1.5, 1.0, 0.5])
    mind.begin(image_at(goal))
    pose, arrived = drive(mind, (-1.0, -1.5, 2.0))
    assert arrived
    assert np.hypot(*(pose - goal)[:2]) < 0.3
    assert abs(between(goal, pose)[2]) < 0.4


def test_an_image_of_elsewhere_is_an_unknown_place(toured):
    mind = toured(ToldNetworks())
    mind.begin(image_at([40.0, 0.0, 0.0]))
    assert mind.failure == UNKNOWN
    pose, arrived = drive(mind, (0.0, 0.0, 0.0))
    assert not arrived
    assert np.allclose(pose, 0.0)


def test_a_robot_that_is_nowhere_in_the_memory_looks_around_and_gives_up(toured):
    mind = toured(ToldNetworks())
    mind.begin(image_at([1.0, 1.0, 0.0]))
    pose, arrived = drive(mind, (40.0, 40.0, 0.0), 60.0)
    assert not arrived
    assert mind.failure == UNKNOWN
    assert np.allclose(pose[:2], 40.0)      # it has turned and not driven


class Wrong(ToldNetworks):
    """The goal image is read 1.5 m off everywhere but against the goal itself."""

    def compare(self, a: np.ndarray, b: np.ndarray) -> Readings:
        got = super().compare(a, b)
        goal = np.broadcast_to(b[:, 0], a[:, 0].shape)[:, 2] == 0.123
        if len(a) == 1 and goal[0]:         # the view beside the goal image: not alike
            return Readings(got.pose, got.error_m, got.error_rad, np.array([0.01]))
        return got


def test_an_arrival_that_the_view_does_not_confirm_is_not_declared(toured):
    mind = toured(Wrong())
    mind.begin(image_at([1.0, 1.0, 0.123]))
    _, arrived = drive(mind, (0.0, 0.0, 0.0), 60.0)
    assert not arrived
    assert mind.failure == UNLIKE
