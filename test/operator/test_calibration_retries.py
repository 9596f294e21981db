# SPDX-License-Identifier: Apache-2.0
"""One lapse of a shared machine costs one repetition, and speeds are what the policy allows."""

from dataclasses import replace
import math

from ami_ros.operator.calibration import braking
from ami_ros.operator.calibration.braking import Halt
from ami_ros.operator.calibration.measurement import Measurement, Unclear
from ami_ros.operator.calibration.motion_inputs import MotionReadings
from ami_ros.operator.calibration.motion_node import Aborted, Lapse, Limits
from ami_ros.operator.calibration.motions import dashes, GAIN_S, Motion, MotionSegment
from ami_ros.operator.calibration.session import get_ready, summary
from ami_ros.operator.calibration.toolkit import Kit, REPEATS
from ami_ros.robots.find_robot import find
import numpy as np
import pytest

ROVER = find('rover')


class Person:
    def __init__(self):
        self.said = []

    def say(self, line):
        self.said.append(line)


class Base:
    """Obeys exactly, but for the first few motions, which lapse in the middle."""

    def __init__(self, *lapses, limits=None):
        self.lapses, self.at, self.heard, self.done = (list(lapses), np.zeros(3), MotionReadings(),
                                                       [])
        self.said, self.recovered = limits, 0

    def pose(self):
        return self.at.copy()

    def recover(self):
        self.recovered += 1

    def meet(self):
        pass

    def ask(self, row):
        return None

    def limits(self):
        return self.said

    def perform(self, motion, base):
        why = self.lapses.pop(0) if self.lapses else None
        for leg in motion.legs:
            far = (leg.until if leg.until is not None else leg.reach) * (0.5 if why else 1.0)
            if leg.axis == 'w':
                self.at[2] += far
            else:
                self.at[:2] += far * np.array([math.cos(self.at[2]), math.sin(self.at[2])])
            if why:
                raise why
        self.done.append(motion.says)
        return 0, 10**9


def kit(base, **more):
    return Kit(base, ROVER, Person(), math.inf, **more)


@pytest.mark.parametrize('motion', [
    Motion('drives', (MotionSegment(0.3, 0.0, 9.0, until=0.6), MotionSegment(0.0, 0.0, 1.0))),
    Motion('turns', (MotionSegment(0.0, 0.5, 9.0, until=1.5), MotionSegment(0.0, 0.0, 1.0)))])
def test_a_lapse_costs_one_repetition_from_where_it_began(motion):
    once, spoilt = Base(), Base(Lapse('nothing came from scan for 0.8 s'))
    assert kit(once).perform(motion) == (0, 10**9)
    mine = kit(spoilt)
    assert mine.perform(motion) == (0, 10**9)
    assert spoilt.recovered == 1 and spoilt.done[-1] == motion.says
    assert np.allclose(spoilt.at, once.at, atol=0.01)       # it went back before it began again
    assert any('interrupted: nothing came from scan' in line for line in mine.person.said)


def test_what_lapses_again_and_again_is_unclear_and_not_the_end_of_all():
    motion = Motion('drives', (MotionSegment(0.3, 0.0, 1.0),))
    for lapses in ([Lapse('late')] * 30, [Lapse('late'), None] * 30):
        base = Base(*lapses)
        with pytest.raises(Unclear, match=f'{1 + REPEATS} times something was late: late'):
            kit(base).perform(motion)
    assert np.allclose(base.at, 0.0, atol=0.01)     # it is back, for what is measured next
    with pytest.raises(Aborted, match='beyond'):
        kit(Base(Aborted('beyond the bounds'))).perform(motion)    # no lapse


def test_speeds_are_what_policy_robot_and_person_allow():
    assert kit(Base()).base.speed_mps == 0.6
    slow = kit(Base(limits=Limits(0.15, 0.5, 0.3, 1.0)))
    get_ready(slow)
    assert (slow.base.speed_mps, slow.base.turn_radps) == (0.15, 0.5)
    assert slow.base.gain_s == 0.5 and kit(Base()).base.gain_s == GAIN_S
    assert '0.15 m/s' in slow.person.said[0]
    ahead, _ = dashes(slow.base, 1.0)
    assert 'at 0.15 m/s' in ahead.says and ahead.legs[0].v_mps == 0.15
    assert replace(slow, speed_mps=0.1).base.speed_mps == 0.1
    unknown = kit(Base())
    get_ready(unknown)
    assert 'does not say how fast' in unknown.person.said[0]
    fast = kit(Base(limits=Limits(0.6, 1.5, 1.5, 5.0)))
    get_ready(fast)
    assert fast.person.said == []


@pytest.mark.parametrize('speed, known, kept, remarks', [
    (0.55, 0.4, 2.1, 0), (0.15, 0.4, 0.4, 1), (0.15, 3.0, 2.1, 1)])
def test_a_braking_from_low_speeds_is_said_and_bounded(speed, known, kept, remarks):
    found = Measurement('braking', {'braking_mps2': 2.1}, 'm', (0.1,), 0.0, 1.0, '')
    halts = [Halt(0.1, 0.01, 0.1), Halt(speed, 0.05, 0.2)]
    out = braking.bounded(found, halts, 0.6, known)
    assert out.values == {'braking_mps2': kept} and len(out.remarks) == remarks
    if remarks:
        assert 'from 0.15 m/s at most' in out.remarks[0]
        assert ('0.4 m/s^2 of the robot file stay' in out.remarks[0]) == (kept == known)


def test_whoever_calibrated_is_told_to_restart_the_nodes(tmp_path):
    for state, told in (('written', True), ('found', False)):
        person = Person()
        report = {'robot': 'mine', 'quantities': {'lag': {'state': state}}}
        summary(person, report, ('lag',), tmp_path / 'mine.yaml', False)
        assert any('restart critic' in line and 'ami-ros robot check' in line
                   for line in person.said) == told
