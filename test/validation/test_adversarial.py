# SPDX-License-Identifier: Apache-2.0
"""Hostile plans: the truth is exact, what is counted is what is said, and a campaign goes on."""

from collections import Counter
from dataclasses import replace
import math

from ami_ros.cli import main as cli
from ami_ros.core.share_directory import share
from ami_ros.critic.footprint_sweep import Box
from ami_ros.critic.safety_policy.policy_loader import read
from ami_ros.robots.find_robot import find
from ami_ros.sim import furnished_room as worlds
from ami_ros.sim.sensors import EXACT
from ami_ros.sim.simulator import Simulator
from ami_ros.validation.adversarial import campaign as campaigns
from ami_ros.validation.adversarial.campaign import AdversarialCampaign, campaign
from ami_ros.validation.adversarial.campaign_leg import AdversarialLeg, LegSpec
from ami_ros.validation.adversarial.ground_truth_guard import kept, Margin, PerfectGuard
from ami_ros.validation.adversarial.moving_pieces import SPEED_MPS
from ami_ros.validation.adversarial.planners import KINDS
from ami_ros.validation.adversarial.room_geometry import Ground, Path
from ami_ros.validation.adversarial.vehicle import STEP_S, Vehicle, VehicleState
from ami_ros.validation.report_fingerprint import measured
import numpy as np
import pytest

ROBOT = find('rover')
POLICY = read(share('config/safety_policy/rover.yaml'))
BOX = Box.around(ROBOT.body.footprint)
EMPTY = worlds.World(0, (), (1.0, 1.0, 4.0))


def without(*names):
    """Return the policy without some rules; no file could say that."""
    return replace(POLICY, rules={name: own for name, own in POLICY.rules.items()
                                  if name not in names})


def ask(index=0, kind='random', moving=False, seconds=20.0, seed=600):
    return LegSpec(seed, index, kind, moving, seconds)


def collisions(legs, policy):
    return sum(touch['collision'] for leg in legs
               for touch in AdversarialLeg(leg, policy, ROBOT).drive().touches)


# ---- it finds what is to be found
def test_without_the_rules_of_the_way_it_collides():
    legs = [ask(kind='adversarial', seconds=15.0)]
    assert collisions(legs, POLICY) == 0
    assert collisions(legs, without('stop_zone', 'time_to_collision', 'moving_obstacle')) > 2


def test_without_a_look_at_what_moves_it_is_run_into():
    legs = [ask(6, 'adversarial', True, 30.0, 500)]
    assert collisions(legs, without('moving_obstacle')) > 0
    assert collisions(legs, POLICY) == 0


@pytest.mark.parametrize('kind', KINDS)
def test_a_leg_is_the_same_twice_and_counts_what_it_says(kind):
    one, other = (AdversarialLeg(ask(3, kind), POLICY, ROBOT).drive() for _ in range(2))
    assert one.plain() == other.plain()
    assert one.ticks == 1000 and one.verdicts > 1000
    assert one.moving_ticks + one.expired_ticks <= one.ticks
    assert sum(one.false_stops.values()) <= one.stopped_ticks <= one.moving_ticks
    assert one.expired_obeyed == 0 and not one.wedged
    assert 0.3 < one.way_m / one.perfect_way_m < 1.5


def test_a_policy_that_always_stops_stops_falsely():
    """The odometry is always too old: `input_timeout` is named, and the rover drives nowhere."""
    shared = replace(POLICY.shared, max_odometry_age_s=0.02, max_scan_age_s=0.02)
    tally = AdversarialLeg(ask(), replace(POLICY, shared=shared), replace(ROBOT, sensors=tuple(
        replace(s, hz=60.0) if s.name in ('scan', 'odom') else s for s in ROBOT.sensors))).drive()
    assert tally.way_m < 0.7 * tally.perfect_way_m
    assert tally.false_stops['input_timeout'] > 0.2 * tally.moving_ticks


@pytest.mark.parametrize(('pace', 'visible_s', 'counts'), [
    (0.03, 0.6, True), (0.015, 0.6, False), (0.03, 0.4, False)])
def test_what_counts_as_a_collision(pace, visible_s, counts):
    leg = AdversarialLeg(ask(), POLICY, ROBOT)
    leg.step = 400
    leg.unseen_step[:] = leg.step + 1 - round(visible_s / STEP_S)
    leg.car.state = VehicleState(leg.ground.half_m - BOX.half_length_m, 0.0, 0.0, pace, pace, pace,
                                 pace)
    leg.told = (pace, 0.0)
    leg.ground.places[:] = -2.0         # the furniture is out of the way
    assert leg.go()
    [touch] = leg.tally.touches
    assert touch['what'] == 'wall east' and touch['collision'] is counts


# ---- the truth
@pytest.mark.parametrize('seed', range(3))
def test_clearance_is_that_of_the_outlines(seed):
    rng = np.random.default_rng(seed)
    ground = Ground(worlds.draw(seed), BOX)
    for _ in range(100):
        place, yaw = complex(*rng.uniform(-2.6, 2.6, 2)), rng.uniform(-3, 3)
        gaps = ground.clearance(np.array([place]), np.array([yaw]), np.zeros(1))[0]
        dots = (ground.dots - place) * np.exp(-1j * yaw)
        seen = np.array([BOX.gap(dots[ground.of == i]).min() for i in range(gaps.size)])
        outside = gaps > 0
        assert (seen[outside] >= gaps[outside] - 1e-9).all()
        assert (seen[outside] - gaps[outside]).max() < 0.016     # the dots are 30 mm apart


def test_the_lidar_is_that_of_the_simulator():
    world = worlds.draw(5)
    ground = Ground(world, BOX)
    with Simulator(world, ROBOT, 0, noise=EXACT) as sim:
        for pose in ((0.0, 0.0, 0.3), (1.5, -1.0, -2.0)):
            if world.distance(np.array(pose[:2])) < 0.3:
                continue
            sim.reset(pose, 0)
            x, y, yaw = sim.truth_pose()
            ranges, _ = ground.rays(complex(x, y), sim.angles + yaw, 0.0)
            assert np.median(np.abs(ranges - sim.scan())) < 0.002
            assert np.mean(np.abs(ranges - sim.scan()) < 0.02) > 0.97   # but for edges


@pytest.mark.parametrize(('v', 'w'), [(0.6, 0.0), (-0.6, 0.0), (0.4, 0.0), (0.3, 1.0), (0.0, 1.5),
                                      (0.6, 1.5)])
def test_the_vehicle_stops_no_sooner_than_in_pybullet(v, w):
    with Simulator(EMPTY, ROBOT, 0, noise=EXACT) as sim:
        sim.reset((-1.0, 0.0, 0.0), 0)
        for _ in range(20):
            sim.command(v, w)
            sim.step(0.05)
        before = sim.truth_pose()
        for _ in range(12):
            sim.command(0.0, 0.0)
            sim.step(0.05)
        x, y, yaw = sim.truth_pose() - before
    car = Vehicle(ROBOT, VehicleState(0.0, 0.0, 0.0))
    car.drive((v, w), 200)
    at, standing = car.state, car.future([], 120)[-1]
    car.drive((0.0, 0.0), 120)
    way = math.hypot(car.state.x - at.x, car.state.y - at.y)
    assert way > math.hypot(x, y) - 0.002 and abs(car.state.yaw - at.yaw) > abs(yaw) - 0.01
    assert way < math.hypot(x, y) + 0.02
    assert math.hypot(standing.x - car.state.x, standing.y - car.state.y) < 0.002


def test_the_vehicle_drives_as_in_pybullet():
    rng = np.random.default_rng(0)
    with Simulator(EMPTY, ROBOT, 0, noise=EXACT) as sim:
        sim.reset(np.zeros(3), 0)
        car, way = Vehicle(ROBOT, VehicleState(0.0, 0.0, 0.0)), 0.0
        for _ in range(30):
            twist, last = rng.uniform(-1, 1, 2) * ROBOT.limits, sim.truth_pose()
            for _ in range(4):
                sim.command(*twist)
                sim.step(0.05)
                car.drive(tuple(twist), 10)
            way += math.hypot(*(sim.truth_pose() - last)[:2])
        x, y, _ = sim.truth_pose()
    assert math.hypot(car.state.x - x, car.state.y - y) < 0.15 * way
    assert car.way_m == pytest.approx(way, rel=0.15)


@pytest.mark.parametrize('v', [0.1, 0.3, 0.6])
def test_the_margin_is_kept_up_to_a_wall(v):
    """Obeying 0.3 s and then braking ends just stop_m before the wall, or not."""
    ground, margin = Ground(EMPTY, BOX), Margin(0.02, 0.05)
    car = Vehicle(ROBOT, VehicleState(0.0, 0.0, 0.0, v, v, v, v))
    told = [((v, 0.0), 60)]
    way = car.future(told, 120)[-1].x
    for spare, fine in ((0.002, True), (-0.002, False), (0.1, True), (-0.1, False)):
        x = ground.half_m - BOX.half_length_m - margin.stop_m - way - spare
        car.state = car.state._replace(x=x)
        nearest = ground.half_m - BOX.half_length_m - x
        assert kept(ground, car, told, 0.0, margin, nearest) is fine
    assert kept(ground, car, told, 0.0, margin, 9.0)            # far away nothing is computed


def test_what_is_near_already_must_not_come_nearer():
    ground, margin = Ground(EMPTY, BOX), Margin(0.02, 0.05)
    car = Vehicle(ROBOT, VehicleState(ground.half_m - BOX.half_length_m - 0.01, 0.0, 0.0))
    for v, fine in ((0.1, False), (-0.1, True)):
        assert kept(ground, car, [((v, 0.0), 60)], 0.0, margin, 0.01) is fine


def test_what_moves_is_where_it_will_be():
    piece = worlds.Piece('cylinder', 1.0, 0.0, 0.0, (0.2, 0.2), 1.0, (1, 1, 1))
    world = replace(EMPTY, pieces=(piece,))
    margin, car = Margin(0.02, 0.05), Vehicle(ROBOT, VehicleState(0.0, 0.0, 0.0))
    come = Path(0.5j / 2, -0.5j / 2, 0.8)       # -0.5 sin(0.8 t) along x
    for paths, fine in (({}, True), ({0: come}, False)):
        ground = Ground(world, BOX, paths)
        assert ground.where(0.0)[0, 0] == pytest.approx(1.0)
        car.state = VehicleState(0.4, 0.0, 0.0)
        nearest = ground.clearance(np.array([0.4 + 0j]), np.zeros(1), np.zeros(1)).min()
        assert nearest == pytest.approx(0.24)
        assert kept(ground, car, [((0.1, 0.0), 60)], 0.0, margin, nearest) is fine
    assert ground.speeds(0.0)[0] == pytest.approx(0.4)


def test_the_perfect_guard_drives_up_to_a_wall_and_touches_nothing():
    ground, car = Ground(EMPTY, BOX), Vehicle(ROBOT, VehicleState(1.0, 0.0, 0.0))
    leg = AdversarialLeg(ask(), POLICY, ROBOT)
    guard = PerfectGuard(ground, car, leg.critic.rules, Margin(0.02, 0.05))
    for tick in range(300):
        guard.tick((0.6, 0.0), 10**9 + tick * 20_000_000, tick * 0.02)
    left = ground.half_m - BOX.half_length_m - car.state.x
    assert 0.05 - 1e-4 < left < 0.06 and not guard.touched
    assert car.way_m == pytest.approx(car.state.x - 1.0)


def test_rooms_that_move_are_slower_than_the_rover_and_meet_nothing():
    some = Counter()
    for index in range(6):
        ground = AdversarialLeg(ask(index, moving=True), POLICY, ROBOT).ground
        some.update(walk=sum(ground.moving))
        assert ground.fastest_mps <= SPEED_MPS[1] < ROBOT.max_speed_mps
        for time_s in np.arange(0.0, 20.0, 1.0):
            dots = ground.dots_at(time_s)
            assert np.maximum(np.abs(dots.real), np.abs(dots.imag)).max() <= ground.half_m + 1e-9
    assert some['walk'] >= 12


def test_plans_are_of_the_kinds_they_say():
    seen = {kind: [] for kind in KINDS}
    for kind, plans in seen.items():
        leg = AdversarialLeg(ask(1, kind), POLICY, ROBOT)
        decide = leg.planner.decide
        leg.planner.decide = lambda look, decide=decide, plans=plans: (
            plans.append((look, decide(look))) or plans[-1][1])
        leg.drive()
    late = [(look.start_ns - plan.start_ns) / 1e9 for look, plan in seen['replayed']]
    assert max(late) > 0.4                      # stale ones
    knots = [plan.knots.tobytes() for _, plan in seen['replayed']]
    assert len(set(knots)) < len(knots)         # and old ones that pretend to be new
    assert all(plan.start_ns == look.start_ns for kind in ('random', 'adversarial', 'jittering')
               for look, plan in seen[kind])
    full = [np.abs(plan.knots[0, 0]) >= 0.3 for _, plan in seen['adversarial']]
    assert np.mean(full) > 0.3


# ---- campaigns
@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(campaigns, 'LEG_S', 4.0)
    return AdversarialCampaign(14 / 3600, 601)


def test_a_campaign_that_was_ended_goes_on_and_says_the_same(short, tmp_path):
    whole = campaign(short, tmp_path / 'whole.legs', lambda *_: None)
    half = campaign(short, tmp_path / 'half.legs', lambda *_: None, stop_after=2)
    assert not half['finished'] and half['hours'] == pytest.approx(8 / 3600, abs=1e-4)
    with (tmp_path / 'half.legs').open('a') as file:
        file.write('{"leg": 2, "kind": "ji')        # the power went
    done = []
    rest = campaign(short, tmp_path / 'half.legs', lambda now, total: done.append((now, total)))
    assert done == [(3, 4), (4, 4)] and rest == whole and whole['finished']
    assert (tmp_path / 'half.legs').read_text() == (tmp_path / 'whole.legs').read_text()
    assert whole['ticks'] == 700 and set(whole['kinds']) == set(KINDS)
    assert whole['rooms'] == 4 and whole['asked']['measured'] == measured(
        'adversarial', POLICY.hash)


def test_more_processes_say_the_same(tmp_path):
    """Their legs have the whole length, of which there is less than one to drive."""
    ask = AdversarialCampaign(3 / 3600, 602)
    one, two = (campaign(ask, tmp_path / f'{jobs}.legs', lambda *_: None, jobs=jobs)
                for jobs in (1, 2))
    assert one == two and one['ticks'] == 150


def test_another_campaign_is_not_gone_on_with(short, tmp_path):
    ledger = tmp_path / 'one.legs'
    campaign(short, ledger, lambda *_: None, stop_after=0)
    with pytest.raises(ValueError, match='of another campaign: seed 601, now 602'):
        campaign(replace(short, seed=602), ledger, lambda *_: None)
    ledger.write_text('what is this\n')
    with pytest.raises(ValueError, match='is no ledger of a hostile campaign'):
        campaign(short, ledger, lambda *_: None)


def test_the_command_line(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(campaigns, 'LEG_S', 4.0)
    report = tmp_path / 'hostile.json'
    words = ['adversarial', '--hours', '0.002', '--seed', '601', '--report', str(report)]
    drive = AdversarialLeg.drive

    def interrupted(leg):
        if leg.ask.index == 1:
            raise KeyboardInterrupt
        return drive(leg)
    monkeypatch.setattr(AdversarialLeg, 'drive', interrupted)
    assert cli.main(words) == 130 and not report.exists()
    assert 'the same command goes on from there' in capsys.readouterr().err
    monkeypatch.setattr(AdversarialLeg, 'drive', drive)
    assert cli.main(words) == 0 and report.exists()
    said = capsys.readouterr().out.splitlines()
    assert said[0].split()[:2] == ['plans', 'hours'] and said[1].split()[0] == 'all'
    with pytest.raises(SystemExit):
        cli.main(['adversarial', '--hours', 'inf'])
