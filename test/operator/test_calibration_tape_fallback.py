# SPDX-License-Identifier: Apache-2.0
"""What is measured where there is no wall, no lidar or no gyro: a person with a tape."""

import math

from ami_ros.operator.calibration import procedures
from ami_ros.operator.calibration.measurement import Unclear
from ami_ros.operator.calibration.motion_inputs import MotionReadings
from ami_ros.operator.calibration.odometry_track import MotionTrack
from ami_ros.operator.calibration.toolkit import Kit
from ami_ros.robots.find_robot import find
import numpy as np
import pytest

ROVER = find('rover')
EMPTY = np.full((5, 180), np.inf, np.float32)


class Beside:
    """A person who reads a tape, if there is one."""

    def __init__(self, *reads):
        self.reads, self.said = list(reads), []

    def say(self, line):
        self.said.append(line)

    def agrees(self, question):
        return True

    def number(self, question):
        self.said.append(question)
        return self.reads.pop(0) if self.reads else None


class Puppet:
    """Moves as far as it is told and `scale` times that, and slides when it stops."""

    def __init__(self, scale=1.0, slides=0.0):
        self.scale, self.slides, self.heard = scale, slides, MotionReadings()
        self.told, self.real = np.zeros(3), np.zeros(3)

    def pose(self):
        return self.told.copy()

    def perform(self, motion, base):
        leg = motion.legs[0]
        far = leg.until if leg.until is not None else leg.reach
        axis = 2 if leg.axis == 'w' else 0
        self.told[axis] += far
        self.real[axis] += self.scale * far + self.slides * (far > 0 and axis == 0)
        self.far = far
        return 10**12, 10**12 + 5 * 10**9


def kit(puppet, person):
    return Kit(puppet, ROVER, person, math.inf)


@pytest.fixture
def scans(monkeypatch):
    """Let the lidar see a function of the puppet."""
    def seeing(see):
        monkeypatch.setattr(Kit, 'raw', lambda self, seconds: (
            see(self.calibrator), np.linspace(-math.pi, math.pi, 180, endpoint=False)))

    def record(self, begun_ns, end_ns):
        turned = np.array([0.0, self.calibrator.far])
        return MotionTrack(np.array([0.0, 5.0]), np.zeros(2), turned), np.zeros((1, 3))
    monkeypatch.setattr(Kit, 'record', record)
    return seeing


def test_a_tape_where_no_wall_is(scans):
    scans(lambda puppet: EMPTY)
    person = Beside(0.97, 0.97)
    found = procedures.measure_forward(kit(Puppet(), person))
    assert found.values == {'forward': pytest.approx(0.97)} and 'your tape' in found.note
    assert any('mark on the floor' in line for line in person.said)
    with pytest.raises(Unclear, match='be there with a tape, without --yes'):
        procedures.measure_forward(kit(Puppet(), Beside()))


def test_a_gyro_where_scans_say_nothing_and_then_a_person(scans):
    scans(lambda puppet: EMPTY)
    turning = Puppet()
    perform = turning.perform

    def with_gyro(motion, base):
        begun_ns, end_ns = perform(motion, base)
        t = np.arange(-1.0, 5.0, 0.01)
        rate = np.where((t > 1.0) & (t < 4.0), 0.98 * turning.far / 3.0, 0.0) + 0.05
        turning.heard.gyro.clear()
        turning.heard.gyro.extend(zip((begun_ns + t * 1e9).astype(int).tolist(), rate.tolist()))
        return begun_ns, end_ns

    turning.perform = with_gyro
    found = procedures.measure_turn(kit(turning, Beside()))
    assert found.values['turn'] == pytest.approx(0.98, abs=0.005) and 'the gyro' in found.note
    found = procedures.measure_turn(kit(Puppet(), Beside(3.6, -3.6)))
    assert [round(run, 3) for run in found.runs] == [1.01, 0.99] and 'your mark' in found.note
    with pytest.raises(Unclear, match='of the gyro at rest'):
        procedures.measure_turn(kit(Puppet(), Beside()))


def wall_at(puppet):
    angles = np.linspace(-math.pi, math.pi, 180, endpoint=False)
    with np.errstate(divide='ignore'):
        ranges = (3.0 - puppet.real[0]) / np.cos(angles)
    return np.tile(np.where(np.abs(angles) < 1.0, ranges, np.inf).astype(np.float32), (5, 1))


def test_a_wall_needs_nobody(scans):
    scans(wall_at)
    found = procedures.measure_forward(kit(Puppet(scale=1.04), Beside()))
    assert found.values == {'forward': pytest.approx(1.04, abs=1e-3)}
    assert 'the wall ahead' in found.note


def test_a_slide_is_seen_by_the_wall_alone(scans, monkeypatch):
    t = np.arange(-0.5, 5.0, 0.025)

    def record(self, begun_ns, end_ns):
        v = self.calibrator.far / 2.0
        told = [(-0.5, 0.0, 0.0), (0.0, v, 0.0), (2.0, 0.0, 0.0)]
        return MotionTrack(t, np.clip(t, 0.0, 2.0) * v, np.zeros(len(t))), np.array(told)

    found = {}
    for slides in (0.0, 0.1):
        for see in (wall_at, lambda puppet: EMPTY):
            scans(see)
            monkeypatch.setattr(Kit, 'record', record)
            found[slides, see is wall_at] = procedures.measure_braking(
                kit(Puppet(slides=slides), Beside()))
    values = {key: one.values['braking_mps2'] for key, one in found.items()}
    assert values[0.1, True] < values[0.0, True] == values[0.0, False] == values[0.1, False]
    assert 'odometry alone was asked' in found[0.1, False].remarks[-1]
    assert 'odometry and the wall ahead' in found[0.1, True].note
