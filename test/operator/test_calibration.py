# SPDX-License-Identifier: Apache-2.0
"""Calibration over ROS: on simulated robots whose truth is known, and what an abort leaves."""

import argparse
from dataclasses import replace
import json
import math
import shutil

from ami_ros.cli import calibrate as calibrate_verb
from ami_ros.core.types import Command, Verdict
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.operator.calibration import procedures, session
from ami_ros.operator.calibration.measurement import Measurement, Unclear
from ami_ros.operator.calibration.motion_node import Aborted, Lapse
from ami_ros.operator.calibration.motions import Motion, MotionSegment
from ami_ros.operator.calibration.procedures import QUANTITIES
from ami_ros.operator.calibration.session import calibrate, opened, wanted
from ami_ros.operator.calibration.toolkit import Declined, Kit
from ami_ros.robots.find_robot import find, rewrite
from ami_ros.robots.yaml_edit import edited
import numpy as np
import pytest

LAG_WITHIN_S = 0.03         # of 0.08 by design; the simulator obeys up to a tick of 25 ms early
SCALE_WITHIN = 0.01
CAMERA_WITHIN_S = 0.03      # the simulator stamps a picture when it is taken
BEFORE_A_WALL = {'world_seed': 7, 'episode.anywhere': False, 'episode.x_m': -0.2,
                 'episode.y_m': -0.6, 'episode.yaw_rad': -1.571}


class Willing:
    """Says yes, hears everything, has no tape."""

    def __init__(self, agrees=True):
        self.said, self.yes = [], agrees

    def say(self, line):
        self.said.append(line)

    def agrees(self, question):
        return self.yes

    def number(self, question):
        return None


@pytest.fixture
def own(tmp_path, root):
    """A robot file of one's own."""
    path = tmp_path / 'mine.yaml'
    shutil.copy(root / 'config/robots/rover.yaml', path)
    rewrite(path, {'base_timeout_s': 1.0}, 'patience with a busy machine')
    return path


@pytest.fixture
def policy(tmp_path, root):
    """Write a policy that bears a busy machine, where messages come late."""
    said = (root / 'config/safety_policy/rover.yaml').read_text()
    late = {f'shared.{key}': 1.0 for key in ('max_scan_age_s', 'max_odometry_age_s',
                                             'max_view_age_s', 'teleop_timeout_s')}
    late['rules.camera_rate.min_rate'] = 0.0
    path = tmp_path / 'safety_policy.yaml'
    path.write_text(edited(said, late, '', str(path)))
    return path


@pytest.fixture
def robot(bench, own, policy):
    """Start a simulated robot with its critic; give the kit that measures it."""
    kits = []

    def started(kind='TwistStamped', **sim):
        stamped = kind == 'TwistStamped'
        rewrite(own, {'command_type': kind}, '')
        bench.hear(topics.command(stamped))
        bench.start('critic', robot=own, safety_policy=policy, enable_stamped_cmd_vel=stamped)
        bench.start('sim', robot=own, enable_stamped_cmd_vel=stamped, **sim)
        bench.met(topics.COMMAND)
        opening = opened(find(str(own)), '', bench.context)
        kits.append(opening)
        return Kit(opening.__enter__(), find(str(own)), Willing(), math.inf, distance_m=0.8)
    yield started
    for opening in kits:
        opening.__exit__(None, None, None)


def true_ways(looks, begun):
    """Return the sums of |way| and |turn| that the simulator knows of."""
    poses = np.array([[said[k] for k in ('x_m', 'y_m', 'yaw_rad')] for said, at, _ in
                      map(convert.state_from, looks[begun:])])
    turn = np.unwrap(poses[:, 2])
    return np.hypot(*np.diff(poses[:, :2], axis=0).T).sum(), np.abs(np.diff(turn)).sum()


def resumed(kit, own, name):
    """Measure; a busy machine may spoil a motion: then again, as a person would."""
    for _ in range(4):
        report = calibrate(kit, str(own), (name,))
        one = report['quantities'].get(name, {})
        if one.get('state') in ('written', 'found'):
            return one
    raise AssertionError('\n'.join(kit.person.said))


@pytest.mark.slow
def test_finds_what_the_simulated_rover_is(robot, own):
    kit, looks, truth = robot(**BEFORE_A_WALL), [], {}
    kit.calibrator.create_subscription(*topics.TRUTH_STATE.subscriber(looks.append))
    for name in ('forward', 'turn'):
        begun, first = len(looks), kit.calibrator.now_ns()
        resumed(kit, own, name)
        odometry, _ = kit.record(first + 10**9, kit.calibrator.now_ns())
        told = (np.abs(np.diff(odometry.way_m)).sum(), np.abs(np.diff(odometry.turn_rad)).sum())
        truth[name] = [real / said for real, said in zip(true_ways(looks, begun), told)]
    forward, turn = find(str(own)).odometry_scale
    assert forward == pytest.approx(truth['forward'][0], abs=SCALE_WITHIN)
    assert turn == pytest.approx(truth['turn'][1], abs=SCALE_WITHIN)
    resumed(kit, own, 'lag')
    assert find(str(own)).actuation_lag_s == pytest.approx(0.08, abs=LAG_WITHIN_S)
    camera = resumed(kit, own, 'camera')
    assert camera['values']['camera_delay_s'] == pytest.approx(0.0, abs=CAMERA_WITHIN_S)
    assert 'ami-ros calibrate, 8 runs' in own.read_text()


def test_whatever_ends_a_motion_leaves_the_robot_at_rest(robot, bench, own):
    kit = robot(kind='Twist', engine='loopback')
    report = calibrate(kit, str(own), ('no_return',))
    assert report['quantities']['no_return']['runs'] == ['inf']
    kit.calibrator.meet()
    assert kit.calibrator.limits() == (0.6, 1.5, 1.5, 5.0)      # as the critic's policy says
    assert report['quantities']['no_return']['values']['lidar_beams'] == 180
    assert find(str(own)).lidar.angle_min_rad == pytest.approx(-math.pi, abs=1e-4)
    bench.offer(topics.STATUS)
    far = Motion('drives', (MotionSegment(0.3, 0.0, 30.0),))

    def status(mode):
        bench.say(topics.STATUS, convert.health_message(convert.Health(
            '/configurator', values={'mode': mode, 'run': 'r'}), kit.calibrator.now_ns()))

    def somebody_stops():
        status('stopped')

    def ctrl_c():
        raise KeyboardInterrupt

    def jump():
        ns, x, y, yaw = kit.calibrator.heard.odometry[-1]
        kit.calibrator.heard.odometry.append((ns, x + 30.0, y, yaw))

    def silence():
        kit.calibrator.inputs.came_s['scan'] -= 10.0

    def body_dies():
        bench.processes.running.pop('sim').kill()

    # the last one is for good
    for spoil, kind, word in ((jump, Aborted, 'beyond the'), (ctrl_c, KeyboardInterrupt, None),
                              (silence, Aborted, 'nothing came from scan for'),
                              (somebody_stops, Aborted, 'motion_enable: the mode is stopped'),
                              (body_dies, Aborted, 'rule input_timeout|nothing came')):
        spoilt, watch = [], kit.calibrator.watch

        def watched(gone, bounds, spoil=spoil, spoilt=spoilt, watch=watch):
            if gone[0] > 0.05 and not spoilt:
                spoilt.append(gone[0])
                spoil()
            watch(gone, bounds)

        kit.calibrator.watch = watched
        with pytest.raises(kind, match=word):
            for _ in range(5):      # a busy machine may be late before anything is spoilt
                try:
                    kit.calibrator.perform(far, kit.base)
                except Lapse:
                    if spoilt:
                        raise
        kit.calibrator.watch = watch
        assert spoilt, 'it never moved'
        bench.heard[topics.COMMAND.name].clear()
        bench.until(lambda: len(bench.heard[topics.COMMAND.name]) > 3, 'commands after the end')
        newest = convert.command_from(bench.heard[topics.COMMAND.name][-1], 0)
        assert newest.values.tolist() == [0.0, 0.0]
        status('idle')
        kit.calibrator.listen(0.5)


def test_latency_comes_from_the_verdicts_of_a_mind(bench, own, monkeypatch):
    with opened(find(str(own)), '', bench.context) as calibrator:
        def fed(seconds):
            begun = calibrator.now_ns()
            for i in range(40):
                picture = begun + i * 10**8
                for source, number, goal, late in (
                        ('mind', picture, 1, 60), ('mind', picture, 1, 560),
                        ('mind', picture + 1, 0, 10), ('teleop', 0, 0, 10)):
                    verdict = Verdict(Command(np.zeros(2), picture + late * 10**6), 'stop',
                                      'motion_enable', number=number, goal=goal, source=source)
                    calibrator.inputs.on_verdict(convert.verdict_message(verdict))
            return begun
        monkeypatch.setattr(calibrator, 'listen', fed)
        calibrator.inputs.mode = 'dry_run'
        kit = Kit(calibrator, find(str(own)), Willing(), math.inf)
        calibrate(kit, str(own), ('latency',))
    assert find(str(own)).latency_s == 0.06


class Nobody:
    """A calibrator with nothing to calibrate."""

    def meet(self):
        pass

    def ask(self, row):
        pass

    def limits(self):
        return None


def table(monkeypatch, **measured):
    """Put functions in the place of the measurements."""
    def as_measured(one):
        def measure(kit):
            if isinstance(one, BaseException):
                raise one
            return one
        return measure
    monkeypatch.setattr(session, 'QUANTITIES', {
        name: (as_measured(one), True) for name, one in measured.items()})


def found(name, value, spread=0.0):
    return Measurement(name, value, 's', (0.1, 0.2), spread, 0.05, 'so it was')


def test_each_is_written_at_once_and_what_is_not_good_never(own, monkeypatch):
    table(monkeypatch, lag=found('lag', {'actuation_lag_s': 0.11}),
          braking=found('braking', {'braking_mps2': 2.0}, spread=0.06),
          forward=found('forward', {'forward': 0.98}), turn=found('turn', {'turn': 1.02}),
          no_return=found('no_return', {'lidar_no_return': 0.0, 'lidar_beams': 360,
                                        'lidar_angles': [0.0, 6.2657]}),
          camera=found('camera', {'camera_delay_s': 0.2}), latency=Aborted('nothing came'))
    kit = Kit(Nobody(), find(str(own)), Willing(), math.inf)
    report = calibrate(kit, str(own), ('lag', 'braking', 'forward', 'turn', 'no_return', 'camera',
                                       'latency'))
    mine = find(str(own))
    assert mine.actuation_lag_s == 0.11 and mine.braking_mps2 == 13.0
    assert mine.odometry_scale == (0.98, 1.02) and mine.lidar_no_return == 0.0
    assert (mine.lidar.beams, mine.lidar.angle_min_rad, mine.lidar.angle_max_rad) == (
        360, 0.0, 6.2657)
    silent = replace(mine, sensors=tuple(
        replace(s, angle_min_rad=None, angle_max_rad=None) if s.name == 'scan' else s
        for s in mine.sensors))
    assert procedures.of_the_lidar({'lidar_no_return': 0.0, 'lidar_beams': 9,
                                     'lidar_angles': [0.0, 1.0]}, silent) == {
        'no_return': 0.0, 'beams': 9}
    assert {name: one['state'] for name, one in report['quantities'].items()} == {
        'lag': 'written', 'braking': 'too wide', 'forward': 'written', 'turn': 'written',
        'no_return': 'written', 'camera': 'found'}
    assert report['aborted'] == 'nothing came' and json.dumps(report, allow_nan=False)
    said = '\n'.join(kit.person.said)
    assert '+-0.06 s is too wide, 0.05 is allowed' in said
    assert 'aborted, and at rest: nothing came' in said
    assert '--only braking,latency' in said


@pytest.mark.parametrize('name, dry, word', [('rover', False, 'ami-ros robot new'),
                                             (None, True, '--dry-run')])
def test_a_robot_of_the_package_and_a_dry_run_are_never_written(own, root, monkeypatch, name, dry,
                                                                word):
    table(monkeypatch, lag=found('lag', {'actuation_lag_s': 0.11}))
    name = name or str(own)
    before = find(name).path.read_bytes()
    kit = Kit(Nobody(), find(name), Willing(), math.inf)
    report = calibrate(kit, name, ('lag',), dry)
    assert report['quantities']['lag']['state'] == 'found' and kit.lag_s == 0.11
    assert find(name).path.read_bytes() == before
    assert word in kit.person.said[-1]
    assert session.own_file(str(root / 'config/robots/rover.yaml')) is None


def test_an_interrupt_keeps_what_was_written(own, monkeypatch):
    table(monkeypatch, camera=Unclear('too dark'), lag=found('lag', {'actuation_lag_s': 0.11}),
          braking=KeyboardInterrupt())
    kit = Kit(Nobody(), find(str(own)), Willing(), math.inf)
    report = calibrate(kit, str(own), ('camera', 'lag', 'braking'))
    assert report['quantities']['camera']['state'] == 'unclear'
    assert report['aborted'] == 'interrupted' and find(str(own)).actuation_lag_s == 0.11
    assert 'unclear: camera; written: lag; not begun: braking' in kit.person.said


def test_too_little_room_and_a_person_who_says_no(own, monkeypatch):
    kit = Kit(Nobody(), find(str(own)), Willing(agrees=False), math.inf)
    angles = np.linspace(-math.pi, math.pi, 180, endpoint=False)
    monkeypatch.setattr(Kit, 'scan', lambda self: (np.full(180, 1.0), angles))
    with pytest.raises(Unclear, match='0.82 m are free ahead of it'):
        procedures.measure_braking(kit)
    monkeypatch.setattr(Kit, 'scan', lambda self: (np.full(180, 5.0), angles))
    with pytest.raises(Declined):
        procedures.measure_braking(kit)
    assert any('free and flat: 1.' in line for line in kit.person.said)


def test_names_of_quantities_are_checked_and_kept_in_order():
    assert wanted('braking, lag') == ('lag', 'braking')
    assert wanted('') == tuple(QUANTITIES)
    with pytest.raises(ValueError, match="no quantity 'speed'; there are: no_return, lag"):
        wanted('lag,speed')


def test_the_page_and_the_help_name_every_quantity_in_order(root):
    page = (root / 'docs/calibration.md').read_text()
    rows = [line.split('`')[1] for line in page.splitlines() if line.startswith('| `')]
    assert rows[:len(QUANTITIES)] == ['no_return', 'lag', 'forward', 'turn', 'braking', 'camera',
                                      'latency'] == list(QUANTITIES)
    verb = argparse.ArgumentParser()
    calibrate_verb.add(verb)
    assert f'default: {", ".join(QUANTITIES)}' in ' '.join(verb.format_help().split())
