# SPDX-License-Identifier: Apache-2.0
"""Localisation with a network that knows the truth up to noise: found, followed, lost, twins."""

from ami_ros.core.geometry import between, compose
from ami_ros.memory.keyframes import Keyframes
from ami_ros.memory.localization import LOCALISED, Localization, LOST, UNSURE
import numpy as np
from told_networks import descriptor, ToldNetworks


def memory(xs) -> Keyframes:
    frames = Keyframes()
    for x in xs:
        for y in np.arange(0.0, 2.0, 0.5):
            for yaw in np.arange(-3.0, 3.0, 0.75):
                pose = np.array([x, y, yaw])
                frames.add(pose[None], descriptor(pose), pose, pose)
    return frames


def drive(localization: Localization, poses: np.ndarray) -> list[str]:
    """Show views at poses; odometry begins at zero. Return the states."""
    states = []
    for pose in poses:
        localization.update(pose[None], descriptor(pose), between(poses[0], pose))
        states.append(localization.state)
    return states


def straight(x0: float, x1: float, count: int = 40) -> np.ndarray:
    return np.stack([np.linspace(x0, x1, count), np.full(count, 0.8), np.zeros(count)], 1)


def test_it_finds_itself_and_follows():
    way = straight(0.5, 3.5)
    localization = Localization(ToldNetworks(), memory(np.arange(0, 4, 0.5)))
    states = drive(localization, way)
    assert states[-1] == LOCALISED
    assert LOCALISED in states[:10]
    assert np.hypot(*(localization.best.pose - way[-1])[:2]) < 0.08


def test_without_a_view_it_is_lost():
    localization = Localization(ToldNetworks(), memory([0.0]))
    assert localization.state == LOST
    assert localization.best is None


def test_a_place_that_is_not_in_the_memory_is_not_believed():
    localization = Localization(ToldNetworks(), memory(np.arange(0, 2, 0.5)))
    states = drive(localization, straight(20.0, 22.0))
    assert LOCALISED not in states


def test_twins_are_kept_apart_until_the_views_decide():
    # two stretches that look the same, 6 m apart; only the second is followed by more
    frames = memory([*np.arange(0, 2, 0.5), *np.arange(6, 8, 0.5)])
    localization = Localization(ToldNetworks(twin_m=6.0), frames)
    states = drive(localization, straight(6.5, 7.0, 12))
    assert UNSURE in states
    assert LOCALISED not in states
    assert len(localization.hypotheses) >= 2


def test_a_robot_that_was_carried_is_found_again():
    frames = memory(np.arange(0, 8, 0.5))
    localization = Localization(ToldNetworks(), frames)
    way = straight(0.5, 1.5)
    drive(localization, way)
    last, elsewhere = between(way[0], way[-1]), np.array([6.0, 0.8, 1.0])
    wrong = 0
    for k in range(60):
        pose = compose(elsewhere, np.array([0.01 * k, 0.0, 0.0]))
        localization.update(pose[None], descriptor(pose), compose(last, np.array(
            [0.01 * k, 0.0, 0.0])))
        far = np.hypot(*(localization.best.pose - pose)[:2]) > 0.5
        wrong += localization.state == LOCALISED and far
    assert localization.state == LOCALISED
    assert np.hypot(*(localization.best.pose - pose)[:2]) < 0.15
    assert wrong <= 15          # 1.5 s at 10 views a second


def test_the_cost_of_a_view_is_bounded():
    frames = memory(np.arange(0, 30, 0.5))
    localization = Localization(ToldNetworks(), frames)
    drive(localization, straight(0.5, 3.5))
    rows = localization.candidates(descriptor(np.zeros(3)), False)
    s = localization.settings
    assert len(rows) <= s.alike + s.tracked + (s.hypotheses - 1) * s.others
