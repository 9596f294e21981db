# SPDX-License-Identifier: Apache-2.0
"""What every rule has to keep, and the situations that it is tried in."""

import math
from pathlib import Path

from ami_ros.core.types import (
    Command,
    Imu,
    Memory,
    Odometry,
    OdometryStep,
    Permit,
    Plan,
    RepeatCount,
    Scan,
    ScanMotion,
    Situation,
    Switch,
    TiltEstimate,
    Track,
    View,
)
from ami_ros.critic.footprint_sweep import Box
from ami_ros.critic.obstacle_points import ObstacleExtractor
from ami_ros.critic.rule_interface import Answer, Rule, Stop
from ami_ros.critic.safety_policy.policy_loader import read
from ami_ros.robots.find_robot import find
from ami_ros.robots.sensor import NEEDS, Sensor
import numpy as np
import pytest

POLICY = Path(__file__).resolve().parents[2] / 'config' / 'safety_policy' / 'rover.yaml'
STRICT = read(POLICY.with_name('strict.yaml'))
CHOSEN = read(POLICY)
NUMBERS = CHOSEN.shared
ROBOT = find('rover')
BOX = Box.around(ROBOT.body.footprint)
NOW = 5_000_000_000
STEADY = 77_000_000_000     # the two clocks have nothing to do with each other
ANGLES = np.linspace(-np.pi, np.pi, 180, endpoint=False)
SIGHT = ObstacleExtractor(0.7, 0.25, 0.25, 0.05, 0.08, (0.6, 1.5), 0.2)
BROKEN = (math.nan, math.inf, -math.inf)


def ns(seconds: float) -> int:
    return round(seconds * 1e9)


def around(limit: float) -> list[float]:
    """Crowd a limit from both sides, down to the next number a float can say."""
    return [limit - 0.1, limit - 1e-3, limit - 1e-6, math.nextafter(limit, -math.inf), limit,
            math.nextafter(limit, math.inf), limit + 1e-6, limit + 1e-3, limit + 0.1]


def command(v: float, w: float = 0.0) -> Command:
    return Command(np.array([v, w]), NOW)


def plan(v: float = 0.3, w: float = 0.0, **changes) -> Plan:
    return Plan(**{'knots': np.tile([v, w], (4, 1)), 'knot_s': 0.25, 'start_ns': NOW,
                   'number': 7, 'run': 'a', 'goal': 3} | changes)


def scan(ranges=None, **changes) -> Scan:
    """Nothing near, and a wall far behind, unless said otherwise."""
    if ranges is None:
        ranges = np.full(ANGLES.size, np.inf)
        ranges[:3] = 7.5
    ranges = np.asarray(ranges, dtype=float)
    return Scan(**{'ranges': ranges, 'angles': ANGLES, 'mount': (0.0, 0.0, 0.0),
                   'stamp_ns': NOW, 'received_steady_ns': STEADY} | changes)


def points(*places: tuple[float, float], **changes) -> Scan:
    """See just these places, (x, y) m in base_link; the other beams return nothing."""
    z = np.array([complex(*p) for p in places])
    ranges, angles = np.full(ANGLES.size, np.inf), ANGLES.copy()
    ranges[:z.size], angles[:z.size] = np.abs(z), np.angle(z)
    return scan(ranges, angles=angles, **changes)


def odometry(v: float = 0.0, w: float = 0.0, **changes) -> Odometry:
    return Odometry(**{'pose': np.zeros(3), 'twist': np.array([v, w]), 'stamp_ns': NOW,
                       'received_steady_ns': STEADY} | changes)


def permit(mode: str = 'autonomous', **changes) -> Permit:
    return Permit(**{'mode': mode, 'run': 'a', 'stamp_ns': NOW, 'received_steady_ns': STEADY}
                  | changes)


def imu(**changes) -> Imu:
    return Imu(**{'spin': np.zeros(3), 'acceleration': np.zeros(3), 'stamp_ns': NOW,
                  'received_steady_ns': STEADY} | changes)


def switch(active: bool = False, **changes) -> Switch:
    return Switch(**{'name': 'front', 'kind': 'bumper', 'active': active, 'stamp_ns': NOW,
                     'received_steady_ns': STEADY} | changes)


def view(**changes) -> View:
    """See a picture with a lot in it."""
    return View(**{'name': 'camera', 'stamp_ns': NOW, 'received_steady_ns': STEADY,
                   'shape': (48, 64), 'fingerprint': 'one', 'spread': 60.0} | changes)


def sensor(kind: str, name: str, **changes) -> Sensor:
    """Say of a sensor what its kind needs."""
    said = {'link': 'laser', 'range_m': (0.1, 4.0), 'no_return': math.inf, 'beams': 180,
            'height_m': (0.05, 0.4), 'active': True}
    return Sensor(**{'name': name, 'kind': kind, 'topic': name, 'required': True, 'hz': 20.0,
                     **{key: said[key] for key in NEEDS[kind]}} | changes)


def level(*up, for_s: float = 10.0, name: str = 'imu') -> TiltEstimate:
    """Feel gravity straight up, for long enough, unless said otherwise."""
    return TiltEstimate(name, up or (0.0, 0.0, 9.80665), for_s)


def memory(**changes) -> Memory:
    """Nothing to wonder about, unless said otherwise."""
    return Memory(**{'leans': (level(),), 'met': (('scan', STEADY),),
                     'scan_motions': (ScanMotion('scan', True),)} | changes)


def situation(**changes) -> Situation:
    """Make one in which all is well; `scan` is the only one there is."""
    if 'scan' in changes:
        only = changes.pop('scan')
        changes['scans'] = () if only is None else (only,)
    return Situation(**{'now_ns': NOW, 'now_steady_ns': STEADY, 'plan': plan(),
                        'plan_steady_ns': STEADY, 'scans': (scan(),), 'odometry': odometry(),
                        'last': Command(np.zeros(2), NOW - ns(0.1)),
                        'last_steady_ns': STEADY - ns(0.1), 'permit': permit(),
                        'memory': memory(), 'views': (view(),)} | changes)


def cases(count: int):
    """Draw commands and situations: walls near and far, blind beams, any motion and surprise.

    A plain generator: a property test of a library cannot be inherited by seven classes.
    """
    for seed in range(count):
        rng = np.random.default_rng(seed)
        ranges = rng.uniform(0.1, rng.choice([0.3, 0.6, 3.0]), ANGLES.size)
        ranges[rng.random(ANGLES.size) < rng.choice([0.0, 0.2, 0.9, 0.99])] = np.inf
        ranges[rng.random(ANGLES.size) < rng.choice([0.0, 0.25, 0.4])] = np.nan
        last = Command(rng.uniform(-0.6, 0.6, 2), NOW - ns(rng.uniform(-0.05, 0.2)))
        v, w = rng.uniform(-1, 1), rng.uniform(-3, 3)
        v, w = v * rng.choice([0, 0.1, 1]), w * rng.choice([0, 1])
        past = remembered(rng)
        yield v, w, situation(memory=past, scan=scan(ranges), last=last,
                              odometry=odometry(rng.uniform(-0.7, 0.7), rng.uniform(-2, 2)),
                              plan=plan(surprise=rng.uniform(0, 10),
                                        out_of_distribution=rng.uniform(0, 10)))


def remembered(rng: np.random.Generator) -> Memory:
    """Draw what may have happened lately, at least as bad as any limit of the strict policy."""
    def times(most: int, seconds: float) -> tuple[int, ...]:
        return tuple(sorted(STEADY - ns(t) for t in rng.uniform(0, seconds, rng.integers(most))))
    told = np.cumsum(rng.normal(0, 0.05, (40, 2)), axis=0)
    moved = np.cumsum(np.abs(rng.normal(0, rng.choice([0.001, 0.05]), (40, 2))), axis=0)
    return Memory(
        Command(rng.uniform(-0.6, 0.6, 2), NOW - ns(rng.uniform(0.0, 0.3))),
        tuple(RepeatCount(name, int(rng.integers(5)), rng.uniform(0, 0.03), rng.uniform(0, 0.05))
              for name in ('scan', 'odom', 'other')),
        (level(*rng.normal((0, 0, 9.8), rng.choice([0.1, 3.0])), for_s=rng.uniform(0, 1)),),
        tuple((at, rng.uniform(-0.3, 0.3)) for at in times(3, 1.0)),
        tuple(map(tuple, rng.uniform(0, 2, (rng.integers(6), 2)))),
        times(100, 2.0), times(30, 15.0), tuple((at, rng.uniform(0, 0.4)) for at in
                                                times(12, 60.0)), times(40, 70.0),
        tracks=tuple(Track(STEADY - ns(0.05 * (40 - i)), *told[i], *moved[i]) for i in range(40)),
        leaps=(OdometryStep('odom', STEADY, 0.025, rng.uniform(0, 0.4), rng.uniform(0, 0.7)),))


def answer(rule: Rule, asked: Command, seen: Situation) -> Answer:
    """Ask; a stop is an answer too."""
    try:
        return rule.limit(asked, seen)
    except Stop as why:
        return Answer(command(0.0), str(why))


class RuleContract:
    """Inherit, set `rule`, and add what the rule is for."""

    rule: Rule

    def test_never_strengthens_and_says_why(self):
        for v, w, seen in cases(300):
            left, reason = answer(self.rule, command(v, w), seen)
            for now, was in zip(left.values, (v, w), strict=True):
                assert abs(now) <= abs(was)
                assert now * was >= 0
            assert bool(reason) or left.values.tolist() == [v, w]

    def test_twice_is_once(self):
        for v, w, seen in cases(300):
            once = answer(self.rule, command(v, w), seen).command
            twice = answer(self.rule, once, seen).command
            assert twice.values == pytest.approx(once.values, rel=1e-6, abs=1e-9)

    @pytest.mark.parametrize('axis', (0, 1))
    @pytest.mark.parametrize('number', BROKEN)
    def test_alone_on_a_broken_number_it_stops(self, axis, number):
        values = np.array([0.1, 0.1])
        values[axis] = number
        with pytest.raises(Stop, match='not finite'):
            self.rule.limit(Command(values, NOW), situation())

    @pytest.mark.parametrize('values', [np.zeros(0), np.zeros(3), np.zeros((1, 2))])
    def test_a_command_of_another_shape_stops(self, values):
        with pytest.raises(Stop, match='shape'):
            self.rule.limit(Command(values, NOW), situation())

    def test_a_standstill_stays_one(self):
        for _, _, seen in cases(50):
            left = answer(self.rule, command(0.0, 0.0), seen).command
            assert left.values.tolist() == [0, 0]

    def test_it_leaves_a_harmless_command_alone(self):
        asked = command(0.1, 0.1)
        assert self.rule.limit(asked, situation()) == (asked, '')

    def test_it_writes_into_nothing(self):
        asked, seen = command(0.9, 2.0), situation(scan=scan(np.full(180, 0.3)))
        for array in (asked.values, seen.scans[0].ranges, seen.scans[0].angles,
                      seen.plan.knots, seen.odometry.twist, seen.last.values):
            array.flags.writeable = False
        answer(self.rule, asked, seen)
