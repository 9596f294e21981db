# SPDX-License-Identifier: Apache-2.0
"""As fast as braking allows, and no faster, along the arc of the command."""

from dataclasses import replace
import math

from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules.time_to_collision import TimeToCollision
import numpy as np
import pytest
from rule_contract import BOX, command, memory, points, RuleContract, scan, SIGHT, situation

REACT, BRAKE, STOP, BESIDE = 0.1, 1.5, 0.05, 0.02
FRONT, SIDE = BOX.half_length_m, BOX.half_width_m


def way_to_stop(speed: float) -> float:
    return speed * REACT + speed**2 / (2 * BRAKE)


class TestTimeToCollision(RuleContract):

    rule = TimeToCollision(BOX, REACT, BRAKE, STOP, BESIDE, 0.03, SIGHT)

    @pytest.mark.parametrize('sign', [1, -1])
    @pytest.mark.parametrize('speed', [0.01, 0.1, 0.3, 0.5999, 0.6001, 0.9])
    def test_head_on(self, speed, sign):
        """A wall where just `speed` can still stop: faster becomes that, slower is left."""
        x = FRONT + STOP + way_to_stop(speed)
        seen = situation(scan=points(*((sign * x, y) for y in np.linspace(-1, 1, 99))))
        left, reason = self.rule.limit(command(sign * 0.6), seen)
        assert left.values.tolist() == pytest.approx([sign * min(speed, 0.6), 0], abs=3e-5)
        assert bool(reason) == (speed < 0.6)

    @pytest.mark.parametrize('gap', [0.0, 0.03, STOP - 1e-5])
    def test_within_the_stop_distance_it_stops(self, gap):
        with pytest.raises(Stop, match='0.000 m are free'):
            self.rule.limit(command(0.1), situation(scan=points((FRONT + gap, 0))))

    @pytest.mark.parametrize('speed', [0.01, 0.1, 0.3])
    def test_once_it_stopped_more_must_be_free(self, speed):
        x = FRONT + STOP + 0.03 + way_to_stop(speed)
        seen = {'scan': points(*((x, y) for y in np.linspace(-1, 1, 99)))}
        stood = memory(standing=(('stop_zone', (0.1, 0.0)), ('time_to_collision', (0.1, 0.0))))
        left, _ = self.rule.limit(command(0.6), situation(**seen, memory=stood))
        assert left.values[0] == pytest.approx(speed, abs=3e-5)
        assert self.rule.limit(command(0.6), situation(**seen)).command.values[0] > speed + 0.01
        with pytest.raises(Stop, match='0.000 m are free'):
            self.rule.limit(command(0.1), situation(
                scan=points((FRONT + STOP + 0.03 - 1e-5, 0)), memory=stood))

    @pytest.mark.parametrize('zone', ['stop_zone', 'slow_zone'])
    def test_that_another_zone_stopped_it_is_no_business_of_this_one(self, zone):
        x = FRONT + STOP + 0.03 + way_to_stop(0.1)
        seen = {'scan': points(*((x, y) for y in np.linspace(-1, 1, 99)))}
        free = self.rule.limit(command(0.6), situation(**seen)).command.values[0]
        for standing, speed in (((zone, (0.1, 0.0)),), free), ((('time_to_collision', (0.1, 0.0)),
                                                                (zone, (-0.1, 0.0))), 0.1):
            left, _ = self.rule.limit(command(0.6), situation(
                **seen, memory=memory(standing=standing)))
            assert left.values[0] == pytest.approx(speed, abs=3e-5)

    def test_what_lies_beside_the_way_is_no_reason(self):
        seen = situation(scan=points((0.4, SIDE + BESIDE + 0.001), (0.4, -SIDE - BESIDE - 0.001)))
        assert self.rule.limit(command(0.6), seen).reason == ''

    @pytest.mark.parametrize('w', [0.5, 1.5])
    def test_it_looks_along_the_curve(self, w):
        centre = 1j * 0.6 / w
        ahead = 0.45            # m along the arc of the front, out of reach straight ahead
        on_the_curve = centre + (FRONT - centre) * np.exp(1j * ahead * w / 0.6)
        seen = situation(scan=points((on_the_curve.real, on_the_curve.imag)))
        assert self.rule.limit(command(0.6, -w), seen).reason == ''
        near = centre + (FRONT + 0.0 - centre) * np.exp(1j * 0.15 * w / 0.6)
        seen = situation(scan=points((near.real, near.imag)))
        left, _ = self.rule.limit(command(0.6, w), seen)
        assert left.values[1] / left.values[0] == pytest.approx(w / 0.6)
        assert 0.05 < left.values[0] < 0.5

    def test_turning_in_place_slows_before_a_corner_meets_something(self):
        r = (BOX.radius_m + 0.01)
        corner = math.atan2(SIDE, FRONT)
        for ahead, fine in ((0.6, True), (0.35, False)):
            at = corner + ahead
            seen = situation(scan=points((r * math.cos(at), r * math.sin(at))))
            left, reason = self.rule.limit(command(0, 1.5), seen)
            assert (reason == '') == fine
            assert left.values[0] == 0 and (left.values[1] == 1.5 if fine else
                                            0.1 < left.values[1] < 1.4)

    @pytest.mark.parametrize('w', [0.0, 1e-9, 1e-6, 1e-3])
    def test_a_nearly_straight_way(self, w):
        seen = situation(scan=points((FRONT + STOP + way_to_stop(0.3), 0.0)))
        left, _ = self.rule.limit(command(0.6, w), seen)
        assert left.values[0] == pytest.approx(0.3, abs=2e-3)

    def test_a_slower_robot_needs_less_room(self):
        quick = replace(self.rule, reaction_s=0.0, braking_mps2=10.0)
        seen = situation(scan=points((FRONT + STOP + 0.02, 0.0)))
        assert quick.limit(command(0.6), seen).reason == ''
        assert self.rule.limit(command(0.6), seen).command.values[0] < 0.2

    def test_the_reason_has_value_and_limit(self):
        seen = situation(scan=points((FRONT + STOP + 0.10, 0.0)))
        reason = self.rule.limit(command(0.6), seen).reason
        assert reason == '0.100 m are free on this arc, stopping from 0.600 m/s takes 0.180 m'

    @pytest.mark.parametrize('missing', ['scan', 'odometry'])
    def test_alone_without_an_input_it_stops(self, missing):
        with pytest.raises(Stop, match=f'no {missing}'):
            self.rule.limit(command(0.1), situation(**{missing: None}))

    def test_alone_without_sight_it_stops(self):
        with pytest.raises(Stop, match='beams'):
            self.rule.limit(command(0.1), situation(scan=scan(np.full(180, math.nan))))
