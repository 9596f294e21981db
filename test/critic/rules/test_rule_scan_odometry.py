# SPDX-License-Identifier: Apache-2.0
"""A scan that contradicts odometry stops the robot for good; before they agree it is slow."""

from dataclasses import replace

from ami_ros.core.types import ScanMotion
from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules.scan_odometry import make, ScanOdometry
import pytest
from rule_contract import CHOSEN, command, memory, ROBOT, RuleContract, sensor, situation

INSTEAD = 'that the robot did not move'


def found(agreed, contradictions, name='scan'):
    return ScanMotion(name, agreed, contradictions, 40, 33, INSTEAD)


class TestScanOdometry(RuleContract):

    rule = ScanOdometry(2, 0.5, 0.6, 1.5, ('scan',))

    def at(self, *motions, v=0.6, w=0.0, rule=None):
        return (rule or self.rule).limit(command(v, w), situation(
            memory=memory(scan_motions=motions)))

    @pytest.mark.parametrize(('agreed', 'contradictions', 'stops'), [
        (True, 0, False), (True, 2, False), (True, 3, True), (False, 0, False), (False, 1, True)])
    def test_how_often(self, agreed, contradictions, stops):
        if stops:
            limit = 2 if agreed else 0
            with pytest.raises(Stop, match='33 of 40 beams of the scan that can tell fit the '
                                           f'motion that the robot did not move, .* '
                                           f'{contradictions} times in a row, limit {limit}'
                               ) as why:
                self.at(found(agreed, contradictions))
            assert why.value.latch
        else:
            self.at(found(agreed, contradictions))

    def test_until_they_agreed_once_it_is_slow(self):
        for motions in ((), (ScanMotion('scan'),), (ScanMotion('other', True),)):
            left, reason = self.at(*motions)
            assert left.values.tolist() == [0.3, 0.0]
            assert reason == 'the scan and odometry have not agreed on a motion yet'
            assert self.at(*motions, v=0.3).reason == ''
        assert self.at(ScanMotion('scan', True)).reason == ''

    def test_at_rest_it_is_not_asked(self):
        assert self.at(found(True, 9), v=0.0).reason == ''
        with pytest.raises(Stop):
            self.at(found(True, 9), v=0.0, w=0.1)

    def test_each_of_two_lidars(self):
        two = replace(self.rule, names=('scan', 'rear'))
        assert self.at(ScanMotion('scan', True), rule=two).reason.startswith('the rear and')
        assert self.at(ScanMotion('rear', True), rule=two).reason.startswith('the scan and')
        with pytest.raises(Stop, match='of the rear'):
            self.at(ScanMotion('scan', True), found(True, 3, 'rear'), rule=two)
        assert self.at(ScanMotion('scan', True), found(True, 9, 'other')).reason == ''


def test_what_it_is_made_of():
    own, more = CHOSEN.rules['scan_odometry'], CHOSEN.shared
    robot = replace(ROBOT, sensors=(*ROBOT.sensors, sensor('PointCloud2', 'cloud'),
                                    sensor('LaserScan', 'rear', required=False)))
    assert make(own, more, robot) == ScanOdometry(
        own.max_contradictions, own.unproven_speed, more.max_speed_mps, more.max_turn_radps,
        ('scan', 'cloud'))
