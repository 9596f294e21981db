# SPDX-License-Identifier: Apache-2.0
"""The beams of a scan are those of the robot file, or those of the first scan."""

from dataclasses import replace
import math

from ami_ros.core.types import ScanLayout
from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules.scan_geometry import COMPARED, Layout, make, ScanGeometry
from ami_ros.robots.urdf import rotation
import numpy as np
import pytest
from rule_contract import ANGLES, CHOSEN, command, memory, ROBOT, RuleContract, scan, situation

SAID = Layout('scan', 180, (ANGLES[0], ANGLES[-1]))
UNSAID = Layout('scan', 180)
FIRST = (ScanLayout('other', 9, 0.0, 1.0), ScanLayout('scan', 180, ANGLES[0], ANGLES[-1]))


def looking(angles, **more):
    angles = np.asarray(angles)
    return scan(np.full(angles.size, 2.0), angles=angles, **more)


class TestScanGeometry(RuleContract):

    rule = ScanGeometry(0.1, 2.0, (SAID,))

    def at(self, seen, layout=SAID, first=FIRST):
        rule = replace(self.rule, layouts=(layout,))
        return rule.limit(command(0.1), situation(scan=seen, memory=memory(first_scans=first)))

    @pytest.mark.parametrize('layout', [SAID, UNSAID])
    @pytest.mark.parametrize(('beams', 'right'), [(162, True), (198, True), (161, False),
                                                  (199, False), (1, False), (0, False),
                                                  (18000, False)])
    def test_how_many_beams(self, layout, beams, right):
        angles = np.linspace(ANGLES[0], ANGLES[-1], beams)
        if right:
            assert self.at(looking(angles), layout).reason == ''
        else:
            with pytest.raises(Stop, match=f'the scan has {beams} beams, the robot file says 180; '
                                           '10% more or fewer are allowed'):
                self.at(looking(angles), layout)

    @pytest.mark.parametrize(('layout', 'whose'), [(SAID, 'the robot file says to'),
                                                   (UNSAID, 'in its first scan it looked to')])
    @pytest.mark.parametrize('degrees', [1.99, -1.99, 2.01, -2.01, 90.0, 180.0, -120.0])
    def test_where_they_look(self, layout, whose, degrees):
        seen = looking(ANGLES + math.radians(degrees))
        if abs(degrees) < 2.0:
            assert self.at(seen, layout).reason == ''
        else:
            with pytest.raises(Stop, match=f'of 180 of the scan looks to .* degrees, {whose} .*; '
                                           '2.0 degrees more or less are allowed'):
                self.at(seen, layout)

    @pytest.mark.parametrize('layout', [SAID, UNSAID])
    def test_a_narrow_view_and_what_is_no_number(self, layout):
        for angles in (np.linspace(-0.1, 0.1, 180), np.full(180, np.nan), ANGLES[::-1] / 2):
            with pytest.raises(Stop, match='looks to'):
                self.at(looking(angles), layout)

    def test_the_first_beam_that_is_wrong_is_named(self):
        with pytest.raises(Stop, match='beam 45 of 180 of the scan looks to -96.4 degrees, the '
                                       'robot file says to -92.0'):
            self.at(looking(np.linspace(-math.pi, math.radians(160.0), 180)))
        odd = ANGLES.copy()
        odd[-1] = 0.0
        with pytest.raises(Stop, match='beam 180 of 180 .* to 0.0 degrees, .* to 178.0'):
            self.at(looking(odd))

    def test_a_full_turn_more_is_the_same(self):
        for turn in (2 * math.pi, -2 * math.pi):
            assert self.at(looking(ANGLES + turn)).reason == ''

    def test_without_a_first_scan_or_a_layout_nothing_is_known(self):
        odd = looking(ANGLES / 2)
        assert self.at(odd, UNSAID, ()).reason == ''
        assert self.at(replace(odd, name='rear')).reason == ''
        rule = replace(self.rule, layouts=(UNSAID,))
        rule.limit(command(0.1), situation(scan=odd))
        assert rule.found['scan'][1] == '' == repr(rule)[:0] and 'found' not in repr(rule)
        rule.limit(command(0.1), situation(scan=replace(odd, name='rear')))
        assert rule.found['rear'][1] == ''

    def test_exactly_at_the_limit_it_is_right(self):
        one = Layout('scan', 3, (0.0, 2.0))
        rule = ScanGeometry(0.0, math.degrees(0.25), (one,))
        seen = looking([0.25, 1.25, 2.25])
        assert rule.limit(command(0.1), situation(scan=seen)).reason == ''
        with pytest.raises(Stop):
            rule.limit(command(0.1), situation(scan=looking([0.26, 1.25, 2.25])))

    def test_it_computes_once_and_each_scan_anew(self):
        rule, odd = replace(self.rule), looking(ANGLES / 2)
        good = looking(ANGLES)
        rule.limit(command(0.1), situation(scan=good))
        angles, wrong = rule.found['scan']
        assert angles is good.angles and wrong == ''
        rule.found['scan'] = good.angles, 'told'
        with pytest.raises(Stop, match='^told$'):
            rule.limit(command(0.1), situation(scan=good))
        with pytest.raises(Stop, match='looks to'):
            rule.limit(command(0.1), situation(scan=odd))
        assert rule == replace(self.rule) and not replace(self.rule).found

    def test_the_second_of_two_lidars(self):
        with pytest.raises(Stop, match='the rear has 90 beams'):
            replace(self.rule, layouts=(SAID, replace(SAID, name='rear'))).limit(
                command(0.1), situation(scans=(looking(ANGLES),
                                               looking(ANGLES[::2], name='rear'))))


@pytest.mark.parametrize('tilt', [(0.0, 0.0), (math.pi, 0.0), (0.2, -0.1), (math.pi, 0.3)])
def test_a_tilted_lidar_is_compared_level(tilt):
    """As `nodes.convert_heard.level` turns it."""
    for first, last in ((-3.0, 3.0), (0.0, 6.28), (1.0, -1.0)):
        angles = np.linspace(first, last, 1 + 4 * (COMPARED - 1))
        ahead, left = rotation(*tilt, 0.0)[:2, :2] @ np.stack([np.cos(angles), np.sin(angles)])
        level = np.arctan2(left, ahead)
        rule = ScanGeometry(0.0, 0.1, (Layout('scan', angles.size, (first, last), tilt),))
        assert rule.limit(command(0.1), situation(scan=looking(level))).reason == ''
        with pytest.raises(Stop):
            rule.limit(command(0.1), situation(scan=looking(level[::-1])))


def test_what_it_is_made_of():
    own = CHOSEN.rules['scan_geometry']
    made = make(own, CHOSEN.shared, ROBOT)
    assert (made.max_beams_off, made.max_direction_off_deg) == (own.max_beams_off,
                                                                own.max_direction_off_deg)
    assert made.layouts == (Layout('scan', 180, (ROBOT.lidar.angle_min_rad,
                                                 ROBOT.lidar.angle_max_rad)),)
    assert (ROBOT.lidar.angle_min_rad, ROBOT.lidar.angle_max_rad) == pytest.approx(
        (ANGLES[0], ANGLES[-1]))
    silent = replace(ROBOT.lidar, angle_min_rad=None, angle_max_rad=None)
    spare = replace(ROBOT.lidar, name='rear', topic='rear', required=False)
    robot = replace(ROBOT, sensors=(*(s for s in ROBOT.sensors if s is not ROBOT.lidar), silent,
                                    spare))
    assert make(own, CHOSEN.shared, robot).layouts == (UNSAID,)
