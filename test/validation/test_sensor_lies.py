# SPDX-License-Identifier: Apache-2.0
"""Lying sensors: lies are what they say, the campaign finds contacts, and today there are none."""

from dataclasses import replace
import json
import math

from ami_ros.cli import main as cli
from ami_ros.core.share_directory import share
from ami_ros.core.types import Imu, Odometry, Scan
from ami_ros.critic import obstacle_points
from ami_ros.critic.safety_policy.policy_loader import read
from ami_ros.robots.find_robot import find
from ami_ros.validation.report_fingerprint import measured
from ami_ros.validation.sensor_lies import wall_drive
from ami_ros.validation.sensor_lies.campaign import Ask, campaign, summary
from ami_ros.validation.sensor_lies.lie_definitions import HONEST, LIES, Teller
from ami_ros.validation.sensor_lies.wall_drive import Drive, driven
import numpy as np
import pytest

ROBOT = find('rover')
POLICY = read(share('config/safety_policy/rover.yaml'))
RNG = np.random.default_rng(0)
ANGLES = np.linspace(-math.pi, math.pi, 180, endpoint=False)
OF_ODOMETRY = [name for name in LIES if name.startswith(('twist', 'pose', 'odometry', 'wheel'))]
OF_IMU = [name for name in LIES if name.startswith('imu')]


def told(name, what, *readings):
    """Tell readings under a lie that begins with the first."""
    teller = Teller(LIES[name], readings[0].stamp_ns, np.random.default_rng(0))
    return [teller.tell(what, reading) for reading in readings]


def odometry(x, yaw=0.0, v=0.4, w=0.2, at=0):
    return Odometry(np.array([x, 0.0, yaw]), np.array([v, w]), at, at)


def scan(ranges, at=0):
    return Scan(np.asarray(ranges, float), ANGLES, (0.0, 0.0, 0.0), at, at)


# ---- the lies
@pytest.mark.parametrize(('name', 'poses', 'twist'), [
    ('twist_sign', (1.0, 1.1, 1.2), (-0.4, -0.2)), ('twist_constant', (1.0, 1.1, 1.2), (-0.6, 0)),
    ('twist_scaled', (1.0, 1.1, 1.2), (0.08, 0.04)), ('twist_huge', (1.0, 1.1, 1.2), (-1e300, 0)),
    ('twist_backwards', (1.0, 1.1, 1.2), (-5.0, 0)),
    ('twist_nan', (1.0, 1.1, 1.2), (math.nan, math.nan)),
    ('pose_frozen', (1.0, 1.0, 1.0), (0.4, 0.2)), ('pose_scaled', (1.0, 1.05, 1.1), (0.4, 0.2)),
    ('pose_jumps', (1.5, 1.6, 2.2), (0.4, 0.2)),
    ('odometry_stuck', (1.0, 1.0, 1.0), (0.0, 0.0)),
    ('odometry_reversed', (1.0, 0.9, 0.8), (-0.4, -0.2)),
    ('odometry_halved', (1.0, 1.05, 1.1), (0.2, 0.1)),
    ('wheel_slip', (1.0, 1.1, 1.2), (0.4, 0.2))])
def test_a_lie_of_odometry_is_what_it_says(name, poses, twist):
    true = [odometry(x, at=at) for x, at in ((1.0, 0), (1.1, 500_000_000), (1.2, 1_000_000_000))]
    got = told(name, 'odometry', *true)
    assert [one.pose[0] for one in got] == pytest.approx(poses)
    for one, was in zip(got, true, strict=True):
        assert one.twist == pytest.approx(twist, nan_ok=True)
        assert (one.stamp_ns, one.name) == (was.stamp_ns, was.name)
    assert [was.pose[0] for was in true] == [1.0, 1.1, 1.2]         # nobody writes into the truth


def test_a_scaled_turn_goes_past_half_a_turn():
    got = told('pose_scaled', 'odometry', odometry(0.0, 3.1), odometry(0.0, -3.1))
    assert got[1].pose[2] == pytest.approx(3.1 + (2 * math.pi - 6.2) / 2)


@pytest.mark.parametrize('name', [name for name in LIES if name.startswith('scan')])
def test_a_lie_of_the_lidar_is_what_it_says(name):
    first, second = (scan(RNG.uniform(1, 3, 180), at) for at in (0, 50_000_000))
    one, two = told(name, 'scan', first, second)
    ahead = np.abs(ANGLES) < math.radians(44)
    if name == 'scan_turned':
        assert two.ranges[0] == second.ranges[90] and two.ranges[90] == second.ranges[0]
    elif name == 'scan_old':
        assert np.abs(two.ranges - first.ranges).max() < 0.06
        assert 0.005 < np.std(two.ranges - one.ranges) < 0.03
    elif name == 'scan_squeezed':
        assert np.ptp(two.angles) < 0.07 and (two.ranges == second.ranges).all()
    elif name == 'scan_blind_front':
        assert np.isnan(two.ranges[ahead]).all()
        assert 0.2 < np.isnan(two.ranges).mean() < 0.3
    else:
        assert name == 'scan_empty' and np.isposinf(two.ranges).all()


def test_a_lie_of_the_imu_is_what_it_says():
    first, second = (Imu(np.array([0.1, 0.2, turn]), np.array([0.0, 0.0, 9.8]), at, at)
                     for turn, at in ((0.3, 0), (0.7, 1)))
    turned = told('imu_upside_down', 'imu', first, second)[1]
    assert turned.spin.tolist() == [0.1, -0.2, -0.7] and turned.acceleration[2] == -9.8
    assert told('imu_constant', 'imu', first, second)[1].spin == pytest.approx((0.1, 0.2, 0.8))


def test_before_it_begins_and_of_other_sensors_the_truth_is_told():
    early, late = odometry(1.0, at=5), odometry(2.0, at=6)
    teller = Teller(LIES['pose_frozen'], 6, np.random.default_rng(0))
    assert teller.tell('odometry', early) is early
    assert teller.tell('odometry', late).pose[0] == 2.0
    seen = scan(np.ones(180))
    assert teller.tell('scan', seen) is seen


# ---- the drives
@pytest.mark.parametrize('name', [*OF_ODOMETRY, *OF_IMU])
@pytest.mark.parametrize('index', [2, 3])
def test_no_lie_of_odometry_or_imu_leads_to_a_contact(name, index):
    out = Drive(LIES[name], 901, index, POLICY, ROBOT).drive()
    assert not out.contact, out
    if name.startswith(('twist', 'pose')):
        assert out.rule in ('odometry_consistency', 'frozen', 'input_validity',
                            'odometry_jump'), out


@pytest.mark.parametrize('index', range(4))
def test_who_tells_the_truth_is_not_stopped(index):
    out = Drive(HONEST, 902, index, POLICY, ROBOT).drive()
    assert not out.contact and not out.rule, out


def test_without_the_rule_and_the_commands_a_lie_leads_to_a_contact(monkeypatch):
    """The campaign finds what it is for: as it was before, the stopping distance believed it."""
    rules = {name: own for name, own in POLICY.rules.items()
             if name not in ('odometry_consistency', 'frozen', 'lidar_displaced')}
    monkeypatch.setattr(obstacle_points, 'commanded_drifts', lambda *_: [])
    outs = [Drive(LIES['twist_huge'], 900, index, replace(POLICY, rules=rules), ROBOT).drive()
            for index in range(3)]
    assert any(out.contact and out.contact_mps > 0.05 for out in outs)


def test_during_the_delay_of_the_rule_the_commands_bound_the_way():
    """The rule is left out: the robot stops in time before the wall without it."""
    rules = {name: own for name, own in POLICY.rules.items()
             if name not in ('odometry_consistency', 'frozen', 'lidar_displaced')}
    for name in ('twist_sign', 'twist_constant', 'twist_huge'):
        for index in range(3):
            out = Drive(LIES[name], 900, index, replace(POLICY, rules=rules), ROBOT).drive()
            assert not out.contact, (name, out)


def test_the_same_drive_twice_is_the_same():
    one, other = (driven(LIES['twist_scaled'], 903, 3, POLICY, ROBOT) for _ in range(2))
    assert one == other and one['rule'] == 'odometry_consistency'


def test_wheels_that_slip_go_less_far(monkeypatch):
    monkeypatch.setattr(wall_drive, 'DRIVE_S', 1.0)
    ways = [Drive(lie, 904, 0, POLICY, ROBOT).drive().way_m
            for lie in (HONEST, LIES['wheel_slip'])]
    assert ways[1] == pytest.approx(ways[0] / 2, rel=0.1)


# ---- the campaign
def test_the_report_counts_what_came_of_it():
    found = [{'lie': 'twist_sign', 'contact': hit, 'contact_mps': speed, 'nearest_m': near,
              'rule': rule, 'reason': rule and f'{rule} says so', 'stopped_s': after, 'way_m': way}
             for hit, speed, near, rule, after, way in (
                 (True, 0.3, 0.0, '', None, 0.7), (False, 0.0, 0.2, 'frozen', 0.5, 0.2),
                 (False, 0.0, 0.3, 'frozen', 0.7, 0.1),
                 (False, 0.0, 0.4, 'odometry_jump', 1.0, 0.1))]
    got = summary(found)
    assert (got['drives'], got['contacts'], got['fastest_contact_mps'], got['nearest_m']) == (
        4, 1, 0.3, 0.0)
    assert got['noticed'] == 3 and got['rules'] == {'frozen': 2, 'odometry_jump': 1}
    assert got['stopped_s'] == {'p50': 0.7, 'max': 1.0} and got['way_m'] == 0.7
    assert got['first_reason'] == 'frozen says so' and got['says'] == LIES['twist_sign'].says


def test_the_verb_says_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(wall_drive, 'DRIVE_S', 1.0)
    path = tmp_path / 'lies.json'
    words = ['adversarial', '--lies', '1', '--seed', '905', '--only', 'twist_huge',
             '--only', 'honest', '--report', str(path)]
    assert cli.main(words) == 0
    report = json.loads(path.read_text())
    assert list(report['lies']) == ['twist_huge', 'honest'] and report['contacts'] == 0
    assert report['asked']['seed'] == 905 and report['asked']['measured'] == measured(
        'lies', POLICY.hash)
    assert report['false_stops_without_a_lie'] == 0
    assert 'twist_huge' in capsys.readouterr().out
    assert cli.main(['adversarial', '--lies', '1', '--only', 'white', '--report', str(path)]) != 0
    assert 'there is no lie' in capsys.readouterr().err


def test_several_processes_say_the_same(monkeypatch):
    ask = Ask(1, 906, only=('twist_nan', 'pose_jumps'))
    one, two = (campaign(ask, lambda *_: None, jobs) for jobs in (1, 2))
    assert one == two and one['contacts'] == 0
