# SPDX-License-Identifier: Apache-2.0
"""Odometry that contradicts itself, a gyro, the commands or the limits stops the robot."""

from dataclasses import replace
import math

from ami_ros.core.types import Reckoned
from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules import odometry_consistency
from ami_ros.critic.rules.odometry_consistency import OdometryConsistency
import numpy as np
import pytest
from rule_contract import (
    BROKEN,
    CHOSEN,
    command,
    memory,
    NOW,
    ns,
    NUMBERS,
    odometry,
    ROBOT,
    RuleContract,
    situation,
    STEADY,
)

FIELDS = tuple(Reckoned.__dataclass_fields__)
BEGIN = dict(zip(FIELDS, (STEADY - ns(0.8), NOW - ns(0.8), 3.0, -2.0, 5.0, 1.0, 7.0, 9.0, 8.0,
                          2.0, -1.0, 4.0, 6.0, (('imu', 0.5), ('other', 2.0))), strict=True))


def reckoned(ago=0.0, gyros=None, **more) -> Reckoned:
    """Say sums that are so much more than those at the beginning."""
    said = {key: value + more.get(key, 0.0) for key, value in BEGIN.items() if key != 'gyros'}
    said |= {'steady_ns': STEADY - ns(ago), 'stamp_ns': NOW - ns(ago)}
    turned = more.get('pose_rad', 0.0) if gyros is None else gyros
    return Reckoned(**said, gyros=tuple((name, total + turned) for name, total in BEGIN['gyros']))


def same(way=0.0, turn=0.0, **but) -> dict:
    """Let everything tell the same way and turn, but for what is named."""
    return {'twist_m': way, 'pose_m': way, 'command_m': way, 'path_m': abs(way),
            'command_path_m': abs(way), 'twist_rad': turn, 'pose_rad': turn, 'command_rad': turn,
            'path_rad': abs(turn), 'command_path_rad': abs(turn)} | but


class TestOdometryConsistency(RuleContract):

    rule = OdometryConsistency(1.0, 0.06, 10.0, 0.15, 0.12, 20.0, 0.3, 1.5, (0.6, 1.5))

    def at(self, asked=None, seen=None, **said):
        seen = (Reckoned(**BEGIN), reckoned(**same(**said))) if seen is None else seen
        return self.rule.limit(command(0.1) if asked is None else asked,
                               situation(memory=memory(reckoned=seen)))

    def stops(self, match, **said):
        with pytest.raises(Stop, match=match) as why:
            self.at(**said)
        assert not why.value.latch
        assert self.at(asked=command(0.0), **said).reason == ''     # at rest nobody asks


    @pytest.mark.parametrize('way', [0.0, 0.5, -0.5])
    def test_twist_against_pose(self, way):
        """Only the twist is off; what it says makes the tolerance no wider."""
        for sign in (1, -1):
            for over in (-1e-6, 1e-6):
                said = way + sign * (0.06 + over + 0.15 * abs(way))
                if over > 0:
                    self.stops(f'adds up to {said:.3f} m, its pose moved {way:.3f} m',
                               way=way, twist_m=said)
                else:
                    assert self.at(way=way, twist_m=said).reason == ''

    @pytest.mark.parametrize('side', [0.06, -0.06])
    def test_sideways(self, side):
        assert self.at(side_m=side - math.copysign(1e-9, side)).reason == ''
        self.stops(f'moved {side:.3f} m sideways, limit 0.060 m',
                   side_m=side + math.copysign(1e-6, side))
        assert self.at(way=0.4, side_m=1.9 * side).reason == ''     # 0.06 + 0.15 * 0.4
        self.stops('sideways, limit 0.120 m', way=0.4, side_m=2.1 * side)

    @pytest.mark.parametrize('turn', [0.0, 1.0, -1.0])
    @pytest.mark.parametrize('who', ['twist', 'gyro'])
    def test_twist_and_gyro_against_the_turn_of_the_pose(self, turn, who):
        least = math.radians(10.0)
        for sign in (1, -1):
            for over in (-1e-6, 1e-6):
                said = turn + sign * (least + over + 0.15 * abs(turn))
                moved = {'twist_rad': said} if who == 'twist' else {}
                seen = Reckoned(**BEGIN), reckoned(**same(turn=turn, **moved),
                                                   gyros=said if who == 'gyro' else turn)
                if over > 0:
                    self.stops('adds up to .* rad, its pose turned' if who == 'twist' else
                               'the imu turned .* rad, the pose of the odometry', seen=seen)
                else:
                    assert self.at(seen=seen).reason == ''

    def test_each_gyro_counts_and_one_that_was_not_heard_does_not(self):
        last = reckoned(**same())
        for name in ('imu', 'other'):
            off = replace(last, gyros=tuple((one, total + (one == name))
                                            for one, total in BEGIN['gyros']))
            self.stops(f'the {name} turned 1.000 rad', seen=(Reckoned(**BEGIN), off))
        new = replace(last, gyros=(*BEGIN['gyros'], ('new', 99.0)))
        assert self.at(seen=(Reckoned(**BEGIN), new)).reason == ''

    @pytest.mark.parametrize(('way', 'meant', 'stops'), [
        (0.0, 0.6, False), (0.3, 0.6, False), (0.6 + 0.299, 0.6, False), (0.6 + 0.301, 0.6, True),
        (-0.299, 0.6, False), (-0.301, 0.6, True), (-0.6, 0.6, True), (0.6, -0.6, True),
        (0.119, 0.0, False), (0.121, 0.0, True), (-0.121, 0.0, True), (0.0, -0.6, False)])
    @pytest.mark.parametrize('axis', ['m', 'rad'])
    def test_no_further_than_commanded_and_not_against_it(self, way, meant, stops, axis):
        """In rad the fixed part is 20 degrees and not 0.12, so it is scaled to the same case."""
        scale = 1.0 if axis == 'm' else math.radians(20.0) / 0.12
        kind = 'way' if axis == 'm' else 'turn'
        said = {kind: scale * way, f'command_{axis}': scale * meant,
                f'command_path_{axis}': scale * abs(meant)}
        if stops:
            self.stops(f'moved .* {axis}, .* {axis} were commanded', **said)
        else:
            assert self.at(**said).reason == ''

    def test_the_oldest_within_the_window_counts(self):
        old = replace(Reckoned(**BEGIN), steady_ns=STEADY - ns(1.0) - 1, twist_m=-50.0)
        newest = reckoned(**same())
        assert self.at(seen=(old, Reckoned(**BEGIN), newest)).reason == ''
        just = replace(old, steady_ns=STEADY - ns(1.0))
        self.stops('within 1.000 s the twist', seen=(just, Reckoned(**BEGIN), newest))
        assert self.at(seen=()).reason == '' == self.at(seen=(newest,)).reason

    @pytest.mark.parametrize('axis', [0, 1])
    def test_faster_than_the_robot_can(self, axis):
        most, unit = ((1.5 * 0.6, 'm/s'), (1.5 * 1.5, 'rad/s'))[axis]
        for said, stops in ((most, False), (-most, False), (most + 1e-9, True), (-5.0, True),
                            (-1e300, True), (math.nan, True), (math.inf, True)):
            told = np.zeros(2)
            told[axis] = said
            seen = situation(odometry=odometry(*told))
            if stops:
                with pytest.raises(Stop, match=f'the odom says .*, limit {most:.3f} {unit}'):
                    self.rule.limit(command(0.1), seen)
                assert self.rule.limit(command(0.0), seen).reason == ''
            else:
                assert self.rule.limit(command(0.1), seen).reason == ''
        assert self.rule.limit(command(0.0, 0.1), situation(odometry=None)).reason == ''

    @pytest.mark.parametrize('number', BROKEN)
    @pytest.mark.parametrize('key', ['twist_m', 'pose_m', 'side_m', 'pose_rad', 'twist_rad'])
    def test_what_is_no_number_stops(self, key, number):
        with pytest.raises(Stop):
            self.at(**{key: number})

    def test_made_of_the_policy_and_the_robot(self):
        own = CHOSEN.rules['odometry_consistency']
        made = odometry_consistency.make(own, NUMBERS, ROBOT)
        assert made == OdometryConsistency(
            own.window_s, own.max_way_error_m, own.max_turn_error_deg, own.max_scale_error,
            own.max_command_error_m, own.max_command_error_deg, own.max_command_scale_error,
            own.max_overspeed, (0.6, 1.5), release_s=own.release_s)
        assert made.release_s == 0.5
