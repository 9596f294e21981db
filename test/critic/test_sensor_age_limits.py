# SPDX-License-Identifier: Apache-2.0
"""Robot file and policy say together what the critic hears, and how old it may be."""

from dataclasses import replace
import math

from ami_ros.critic.sensor_age_limits import heard, Need, needs, OLDEST
from ami_ros.robots.sensor import NEEDS, PICTURES
import pytest
from rule_contract import NUMBERS, ROBOT, sensor

ROVER = [Need('camera', True, NUMBERS.max_view_age_s), Need('scan', True, NUMBERS.max_scan_age_s),
         Need('odom', True, NUMBERS.max_odometry_age_s)]


def more(*sensors):
    return replace(ROBOT, sensors=(*ROBOT.sensors, *sensors))


def test_the_rover():
    assert list(needs(NUMBERS, ROBOT)) == ROVER
    assert [s.name for s in heard(ROBOT)] == ['camera', 'scan', 'odom']


def test_a_camera_that_is_not_required_is_the_minds_alone():
    blind = replace(ROBOT, sensors=tuple(replace(s, required=s.kind not in PICTURES and s.required)
                                         for s in ROBOT.sensors))
    assert list(needs(NUMBERS, blind)) == ROVER[1:]


def test_every_kind_is_heard_but_those_for_the_mind_and_for_people():
    assert set(NEEDS) - set(OLDEST) == {'CameraInfo', 'JointState'}


@pytest.mark.parametrize('required', [True, False])
@pytest.mark.parametrize(('kind', 'oldest'), [
    ('LaserScan', 'max_scan_age_s'), ('PointCloud2', 'max_scan_age_s'),
    ('Range', 'max_scan_age_s'), ('Imu', 'max_odometry_age_s'), ('bumper', 'max_switch_age_s'),
    ('cliff', 'max_switch_age_s'), ('e_stop', 'max_switch_age_s')])
def test_each_kind(kind, oldest, required):
    robot = more(sensor(kind, 'new', required=required))
    new = [Need('new', required, getattr(NUMBERS, oldest))]
    if kind == 'Imu' and not required:
        new = []        # no rule would look at it
    assert list(needs(NUMBERS, robot)) == ROVER + new


@pytest.mark.parametrize(('hz', 'fine'), [(4.0, True), (3.999, False), (0.01, False), (20, True)])
def test_one_that_would_always_be_too_old_is_refused(hz, fine):
    robot = more(sensor('Range', 'new', hz=float(hz)))
    if fine:
        assert needs(NUMBERS, robot)
    else:
        with pytest.raises(ValueError, match=f'new of rover speaks {hz} times a second and '
                                             'max_scan_age_s is 0.25 s'):
            needs(NUMBERS, robot)


def test_a_switch_that_speaks_when_it_changes_may_be_of_any_age():
    assert needs(NUMBERS, more(sensor('e_stop', 'new', hz=0.0)))[-1] == Need('new', True, math.inf)
