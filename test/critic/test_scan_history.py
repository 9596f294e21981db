# SPDX-License-Identifier: Apache-2.0
"""Scans are remembered with their places for a second, and no longer than places make sense."""

import math

from ami_ros.critic.critic import Critic
from ami_ros.critic.scan_history import ScanHistory
import numpy as np
import pytest
from rule_contract import BROKEN, CHOSEN, NOW, ns, odometry, ROBOT, scan


def driven(every_s=0.05, seconds=2.0, v=0.5, w=0.0):
    """Drive, odometry 10 ms before each scan."""
    made = ScanHistory()
    for at in np.arange(0.0, seconds + 1e-9, every_s):
        made.on_odometry(odometry(v, w, pose=np.array([v * at, 0.0, w * at]),
                                  stamp_ns=NOW + ns(at - 0.01)), True)
        made.on_scan(scan(stamp_ns=NOW + ns(at)))
    return made


def test_a_second_of_scans_the_newest_first():
    [seen] = driven().look()
    stamps = [one.scan.stamp_ns for one in seen]
    assert stamps == sorted(stamps, reverse=True) and stamps[0] == NOW + ns(2.0)
    assert len(stamps) == 21 and stamps[0] - stamps[-1] == ns(1.0)


def test_a_quick_lidar_is_remembered_now_and_then():
    [seen] = driven(every_s=0.01).look()
    gaps = np.diff([one.scan.stamp_ns for one in seen])
    assert seen[0].scan.stamp_ns == NOW + ns(2.0) and (gaps[1:] <= -ns(0.04)).all()
    assert 20 <= len(seen) <= 27


@pytest.mark.parametrize(('came', 'kept'), [
    ((0.0, 0.01), (0.01, 0.0)), ((0.0, 0.01, 0.02), (0.02, 0.0)),
    ((0.0, 0.04, 0.08), (0.08, 0.04, 0.0)), ((0.0, 0.039, 0.08), (0.08, 0.0)),
    ((0.0, 0.039, 0.041, 0.08), (0.08, 0.041, 0.0))])
def test_which_scans_of_a_quick_lidar(came, kept):
    made = ScanHistory()
    made.on_odometry(odometry(), True)
    for at in came:
        made.on_scan(scan(stamp_ns=NOW + ns(at)))
    assert [one.scan.stamp_ns for one in made.look()[0]] == [NOW + ns(at) for at in kept]


def test_the_place_is_that_of_the_scan():
    [seen] = driven(v=0.5, w=0.4).look()
    x, y, yaw = seen[0].pose
    assert (x, y, yaw) == pytest.approx((1.0 + 0.005 * math.cos(0.802), 0.005 * math.sin(0.802),
                                         0.804), abs=1e-9)


@pytest.mark.parametrize('late_s', [-5.0, 5.0])
def test_odometry_is_not_told_on_for_long(late_s):
    made = ScanHistory()
    made.on_odometry(odometry(0.5, stamp_ns=NOW), True)
    made.on_scan(scan(stamp_ns=NOW + ns(late_s)))
    assert abs(made.look()[0][0].pose[0]) == pytest.approx(0.1)


def test_without_odometry_nothing_is_remembered():
    made = ScanHistory()
    made.on_scan(scan())
    assert made.look() == ()


def test_a_leap_and_what_is_no_place_forget_all():
    made = driven()
    made.on_odometry(odometry(), False)
    assert made.look() == ()
    made.on_scan(scan(stamp_ns=NOW + ns(9)))
    assert len(made.look()[0]) == 1
    for number in BROKEN:
        for bad in (odometry(number), odometry(pose=np.array([0.0, number, 0.0]))):
            made = driven()
            made.on_odometry(bad, True)
            assert made.look() == ()
            made.on_scan(scan(stamp_ns=NOW + ns(9)))
            assert made.look() == ()


def test_a_clock_that_jumps_back_forgets_all():
    made = driven()
    made.on_scan(scan(stamp_ns=NOW + ns(1)))
    assert made.look() == ()
    made.on_scan(scan(stamp_ns=NOW + ns(1.05)))
    assert len(made.look()[0]) == 1


@pytest.mark.parametrize('times', [2, 3])
def test_scans_that_are_each_sent_twice_are_remembered_once(times):
    """Else nothing would be left to compare the next scan with."""
    made = ScanHistory()
    made.on_odometry(odometry(), True)
    for at in np.arange(0.0, 1.0, 0.05):
        for _ in range(times):
            made.on_scan(scan(stamp_ns=NOW + ns(at)))
    assert len(made.look()[0]) == 20


def test_the_critic_remembers_them():
    critic = Critic(CHOSEN, ROBOT)
    critic.on_odometry(odometry())
    critic.on_scan(scan())
    assert len(critic.situation(NOW, NOW).memory.sightings[0]) == 1
    critic.on_odometry(odometry(pose=np.array([3.0, 0.0, 0.0]), stamp_ns=NOW + ns(0.02)))
    assert critic.situation(NOW, NOW).memory.sightings == ()
    critic.on_scan(scan(stamp_ns=NOW + ns(0.03)))
    critic.on_odometry(odometry(pose=np.array([math.nan, 0.0, 0.0]), stamp_ns=NOW + ns(0.04)))
    assert len(critic.situation(NOW, NOW).memory.sightings[0]) == 1     # as if it had not come
