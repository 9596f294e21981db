# SPDX-License-Identifier: Apache-2.0
"""The critic's process: answers plans, hands and silence, and leaves the robot at rest."""

from dataclasses import replace
import json
import math
import os
from pathlib import Path
import re
import resource
import time

from ami_ros.core.types import Command, Plan
from ami_ros.critic.audit.log import FOLDER
from ami_ros.critic.audit.verify import entries, verify
from ami_ros.critic.stop_latch import FILE
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import sensor_types, topics
from ami_ros.robots.find_robot import find
from geometry_msgs.msg import Twist
import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import PointCloud2, PointField, Range
from std_msgs.msg import Bool, Header
from std_srvs.srv import Trigger

ROVER = find('rover')
ANGLES = np.linspace(-math.pi, math.pi, 180, endpoint=False)
IN = (topics.PLAN, topics.SCAN, topics.ODOMETRY, topics.CAMERA, topics.STATUS)
GRAIN = np.random.default_rng(0)
OUT = (topics.COMMAND, topics.VERDICT, topics.DIAGNOSTICS)


@pytest.fixture
def critic(bench):
    def started(*more, **parameters):
        bench.child = bench.start('critic', **parameters)
        bench.hear(*OUT)
        bench.offer(*IN, *more)
        bench.met(*IN, *more, *OUT)
        return bench
    return started


def picture():
    return GRAIN.integers(0, 256, (12, 16, 3), np.uint8)


def readings(bench, now, shown=picture, ranges=lambda: np.full(180, 5.0), at=lambda: 0.0):
    bench.say(topics.SCAN, convert.scan_message(now, ranges(), ANGLES, ROVER.lidar_range_m))
    bench.say(topics.ODOMETRY, convert.odometry_message(now, np.array([at(), 0.0, 0.0]),
                                                        np.zeros(2)))
    bench.say(topics.CAMERA, convert.image_message(shown(), now))


def mode(bench, now, name='autonomous', run='r'):
    bench.say(topics.STATUS, convert.health_message(
        convert.Health('/configurator', values={'mode': name, 'run': run}), now))


def ahead(now, v=0.1, number=None):
    return convert.plan_message(Plan(np.tile([v, 0.0], (4, 1)), 0.25, now,
                                     now if number is None else number, 'r', 1))


def hand(bench, v=-0.05, late_s=0.0):
    stamp = time.time_ns() - round(1e9 * late_s)
    bench.say(topics.HAND, convert.command_message(Command(np.array([v, 0.0]), stamp)))


def verdicts(bench):
    return [convert.verdict_from(msg) for msg in bench.heard[topics.VERDICT.name]]


def commands(bench):
    return [convert.command_from(msg, 0).values.tolist() for msg in
            bench.heard[topics.COMMAND.name]]


def values(bench):
    """Return what the newest verdict says besides the noun."""
    return convert.health_from(bench.heard[topics.VERDICT.name][-1])[0].values


def beats(bench):
    return [health for msg in bench.heard[topics.DIAGNOSTICS.name]
            for health in convert.health_from(msg) if health.name == '/critic']


def drive(bench, wanted, name='autonomous', more=lambda: None, what='', **said):
    """Say again and again that all is well, a mode and a plan, until a verdict is as wanted."""
    bench.heard[topics.VERDICT.name].clear()

    def again():
        now = time.time_ns()
        readings(bench, now, **said)
        more()
        mode(bench, now, name)
        bench.say(topics.PLAN, ahead(now))
        return next((v for v in verdicts(bench) if wanted(v)), None)

    return bench.until(again, what or f'a verdict in {name}')


def moves(verdict):
    return verdict.command.values[0] > 0


def test_silence_is_a_stop_that_goes_on(critic):
    bench = critic()
    bench.until(lambda: len(bench.heard[topics.COMMAND.name]) > 25, '25 ticks')
    assert set(map(tuple, commands(bench))) == {(0.0, 0.0)}
    first = verdicts(bench)[0]
    assert (first.action, first.rule, first.reason) == ('stop', 'guard', 'no plan has come')
    assert first.silent == ('camera', 'scan', 'odom') and (first.source, first.mode) == ('', '')
    beat = bench.until(lambda: beats(bench) and beats(bench)[-1], 'a sign of life')
    assert beat.level == 0 and beat.values['state'] == 'active'
    assert int(beat.values['pid']) == bench.child.pid and int(beat.values['count.stop']) > 0
    loaded = Path(f'/proc/{bench.child.pid}/maps').read_text()
    assert not re.findall(r'torch|onnxruntime|pybullet|cv2', loaded) and 'numpy' in loaded
    first_of_all = os.sched_getscheduler(bench.child.pid) & ~os.SCHED_RESET_ON_FORK
    if first_of_all == os.SCHED_FIFO:       # granted, or refused and told
        assert beat.values['priority'] == 'real-time'
    else:
        assert beat.values['priority'].startswith('real-time priority 40 is not permitted: ')
        assert beat.values['priority'] in bench.processes.log('critic').read_text()


def test_answers_a_plan_at_once_and_stops_when_it_grows_old(critic):
    bench = critic()
    moved = drive(bench, moves)
    assert moved.run == 'r' and moved.goal == 1 and moved.number == moved.plan_start_ns
    assert (moved.source, moved.mode, moved.silent) == ('mind', 'autonomous', ())
    def commanded():        # the verdict and its command come by different ways
        sent = [m.header.stamp for m in bench.heard[topics.COMMAND.name]]
        return any(convert.time(v.command.stamp_ns) in sent for v in verdicts(bench) if moves(v))

    drive(bench, lambda v: commanded(), what='the command of a verdict that moves')
    bench.heard[topics.VERDICT.name].clear()
    stop = bench.until(lambda: next((v for v in verdicts(bench) if v.action == 'stop'), None),
                       'a stop after silence')
    assert stop.rule == 'input_timeout'
    bench.heard[topics.COMMAND.name].clear()
    bench.until(lambda: bench.heard[topics.COMMAND.name], 'the stop going on')
    assert set(map(tuple, commands(bench))) == {(0.0, 0.0)}


def test_only_a_permit_lets_a_plan_move_and_a_stop_holds(critic):
    bench = critic(topics.HAND)
    for name in ('idle', 'dry_run', 'manual'):
        refused = drive(bench, lambda v, name=name: v.mode == name and v.source == 'mind'
                        and v.rule not in ('input_timeout', 'guard'), name)
        assert (refused.rule, refused.action) == ('motion_enable', 'stop')
    assert set(map(tuple, commands(bench))) == {(0.0, 0.0)}
    drive(bench, moves)
    stopped = drive(bench, lambda v: v.source == 'teleop' and v.mode == 'stopped'
                    and v.rule == 'motion_enable', 'stopped', lambda: hand(bench))
    assert stopped.action == 'stop' and 'configurator/reset' in stopped.reason
    said = bench.heard[topics.VERDICT.name]
    said.clear()
    bench.say(topics.STATUS, convert.health_message(convert.Health('/configurator'), 5))
    hand(bench)
    bench.until(lambda: said and 'mode None' in values(bench)['unreadable'], 'a status unread')
    assert verdicts(bench)[-1].mode == 'stopped' and verdicts(bench)[-1].action == 'stop'


def test_a_hand_outranks_the_plan_and_lets_go_to_rest(critic):
    bench = critic(topics.HAND)
    drive(bench, moves)
    driven = drive(bench, lambda v: v.command.values[0] < 0, more=lambda: hand(bench))
    assert driven.source == 'teleop' and driven.mode == 'teleop' and driven.ages[0][0] == 'teleop'
    bench.heard[topics.COMMAND.name].clear()
    rested = drive(bench, lambda v: v.source == 'mind', what='the plan after the hand')
    assert (rested.rule, rested.action) == ('motion_enable',
                                            'stop') and 'armed again' in rested.reason
    assert all(v <= 0 for v, _ in commands(bench))      # at no moment did the plan drive
    drive(bench, lambda v: v.mode == 'manual', 'manual')
    drive(bench, moves, what='the plan, armed anew')


def test_a_hand_with_a_wrong_clock_or_no_number_moves_nothing(critic):
    bench = critic(topics.HAND)
    for late_s, why in ((3.0, 's old by its stamp'), (-3.0, 's from the future by its stamp')):
        drive(bench, lambda v, why=why: why in values(bench)['teleop_refused'], 'idle',
              lambda late_s=late_s: hand(bench, 0.1, late_s))
    assert 'teleop' not in {v.source for v in verdicts(bench)}
    broken = drive(bench, lambda v: v.source == 'teleop' and v.rule == 'input_validity', 'idle',
                   lambda: hand(bench, math.nan))
    assert broken.reason == '1 of 2 numbers in the teleop are not finite'
    assert set(map(tuple, commands(bench))) == {(0.0, 0.0)}


def test_a_foreign_twist_needs_no_permit_and_stops_when_it_grows_old(bench):
    bench.start('critic', command_source='twist')
    needs = (topics.FOREIGN, topics.SCAN, topics.ODOMETRY, topics.CAMERA, topics.STATUS)
    bench.hear(*OUT)
    bench.offer(*needs)
    bench.met(*needs, *OUT)

    def drives(wanted, name=None):
        def again():
            now = time.time_ns()
            readings(bench, now)
            if name:
                mode(bench, now, name)
            bench.say(topics.FOREIGN, convert.command_message(
                Command(np.array([0.1, 0.0]), now)))
            return next((v for v in verdicts(bench) if wanted(v)), None)
        bench.heard[topics.VERDICT.name].clear()
        return bench.until(again, f'a verdict on a twist in {name}')

    assert drives(moves).source == 'twist'
    assert drives(lambda v: v.rule == 'motion_enable', 'stopped').action == 'stop'
    drives(moves, 'idle')
    old = bench.until(lambda: next((v for v in verdicts(bench) if v.rule == 'input_timeout'),
                                   None))
    assert 'the twist is' in old.reason or 'old by its' in old.reason
    assert commands(bench)[-1] == [0.0, 0.0]


MORE = """
  - {name: front, kind: bumper, topic: bumper, required: true, hz: 20.0, active: true}
  - {name: button, kind: e_stop, topic: e_stop, required: false, hz: 0.0, active: false}
  - {name: sonar, kind: Range, topic: sonar, required: false, hz: 20.0, link: laser,
     range_m: [0.1, 4.0], no_return: .inf}
  - {name: depth, kind: PointCloud2, topic: points, required: false, hz: 20.0, link: laser,
     range_m: [0.1, 5.0], height_m: [0.05, 0.4]}
"""


def test_every_sensor_of_the_robot_file_stops_it(bench, tmp_path):
    file = tmp_path / 'robot.yaml'
    file.write_text(ROVER.path.read_text() + MORE)
    rows = {s.name: sensor_types.rows(s)[0]
            for s in find(str(file)).sensors_of(*sensor_types.KINDS)}
    front, button, sonar, depth = (rows[name] for name in ('front', 'button', 'sonar', 'depth'))
    bench.start('critic', robot=str(file))
    bench.hear(*OUT)
    bench.offer(*IN, front, button, sonar, depth)
    bench.met(*IN, front, button, sonar, depth, *OUT)

    def heads(now):
        return Header(stamp=convert.time(now), frame_id='laser')

    def touch(pressed=False, row=front):
        bench.say(row, Bool(data=pressed))

    def echo(away):
        touch()
        bench.say(sonar, Range(header=heads(time.time_ns()), range=away, field_of_view=0.5))

    def cloud(*points):
        touch()
        fields = [PointField(name=n, offset=4 * k, datatype=7, count=1)
                  for k, n in enumerate('xyz')]
        bench.say(depth, PointCloud2(
            header=heads(time.time_ns()), height=1, width=len(points), fields=fields,
            point_step=12, row_step=12 * len(points),
            data=convert.packed(np.array(points, '<f4'), 'B')))

    missing = drive(bench, lambda v: v.rule == 'input_timeout' and 'odom' not in v.silent)
    assert missing.reason == 'no front has come'
    assert set(missing.silent) >= {'front', 'sonar', 'depth', 'button'}
    assert drive(bench, moves, more=touch).silent == ('button', 'sonar', 'depth')
    far = drive(bench, lambda v: moves(v) and 'sonar' not in v.silent, more=lambda: echo(3.0))
    assert 'sonar' in dict(far.ages)
    near = drive(bench, lambda v: v.action == 'stop', more=lambda: echo(0.19))
    assert near.rule == 'stop_zone'
    drive(bench, lambda v: moves(v) and 'sonar' in v.silent, more=touch)    # it fell silent
    drive(bench, lambda v: moves(v) and 'depth' not in v.silent,
          more=lambda: cloud((3.0, 0.0, 0.0), (0.2, 0.0, 1.0)))
    low = drive(bench, lambda v: v.action == 'stop',
                more=lambda: cloud((3.0, 0.0, 0.0), (0.2, 0.0, -0.1)))
    assert low.rule == 'stop_zone'
    drive(bench, lambda v: v.rule == 'bumper_cliff_estop', more=lambda: touch(True))
    drive(bench, moves, more=touch)
    touch(row=button, pressed=False)
    pulled = drive(bench, lambda v: v.rule == 'bumper_cliff_estop', more=touch)    # once is enough
    assert pulled.reason == 'e_stop button is active'
    touch(row=button, pressed=True)
    drive(bench, lambda v: 'latched' in v.reason, more=touch)
    assert bench.ask(topics.CRITIC_RESET, Trigger.Request()).success
    drive(bench, lambda v: v.mode == 'reset' and 'armed again' in v.reason, more=touch)
    drive(bench, lambda v: v.mode == 'idle', 'idle', touch)
    drive(bench, moves, more=touch)


def test_it_says_who_else_commands_the_wheels_and_whose_type_is_another(critic):
    bench = critic(topics.COMMAND)
    bench.node.create_publisher(Twist, topics.HAND.name, 1)
    wrong = bench.until(lambda: next((b for b in beats(bench) if b.level == 2), None),
                        'a second publisher being told')
    assert wrong.values['others'] == '/test' and wrong.message.startswith('/test commands')
    drive(bench, lambda v: values(bench)['mistyped'] and values(bench)['others'])
    said = values(bench)
    assert said['others'] == '/test' and said['mistyped'].startswith(
        '/test has cmd_vel_manual as geometry_msgs/msg/Twist, the critic as geometry_msgs/msg/'
        'TwistStamped: no message is delivered')


@pytest.mark.parametrize('spoil, rule', [
    (lambda plan: setattr(plan.points[1].velocities[0].linear, 'x', math.nan), 'input_validity'),
    (lambda plan: plan.joint_names.pop(1), 'input_validity'),
])
def test_a_plan_that_is_wrong_stops(critic, spoil, rule):
    bench = critic()

    def spoilt():
        now = time.time_ns()
        readings(bench, now)
        plan = ahead(now)
        spoil(plan)
        bench.say(topics.PLAN, plan)
        return next((v for v in verdicts(bench) if v.rule == rule), None)

    assert bench.until(spoilt, f'a stop by {rule}').action == 'stop'
    assert set(map(tuple, commands(bench))) == {(0.0, 0.0)}


def test_lock_step_answers_once_when_all_of_the_frame_is_there(critic):
    bench, sent = critic(lock_step=True), []

    def frame():
        mode(bench, 5)
        bench.say(topics.PLAN, ahead(10**10))
        sent.append(readings(bench, 10**10 - 10**8 * (len(sent) < 10)))
        return verdicts(bench)

    first = bench.until(frame, 'a verdict')[0]
    assert len(sent) > 10
    assert first.number == first.command.stamp_ns == 10**10
    assert first.action in ('go', 'slow') and dict(first.ages)['scan'] == 0.0
    bench.until(lambda: frame() and len(commands(bench)) > 3, 'the same answer again')
    assert all(command == commands(bench)[0] for command in commands(bench))


def test_sigterm_sends_a_zero_first(critic):
    bench = critic(lock_step=True)              # no ticks that could be it

    def frame():
        mode(bench, 5)
        readings(bench, 10**10)
        bench.say(topics.PLAN, ahead(10**10))
        return verdicts(bench) and commands(bench)[-1][0] > 0

    bench.until(frame, 'a command to move')
    bench.child.terminate()
    bench.processes.running.clear()
    bench.until(lambda: commands(bench)[-1] == [0.0, 0.0], 'a zero')
    bench.until(lambda: verdicts(bench)[-1].rule == 'shutdown', 'the reason')
    assert bench.child.wait(5) == 0


CRASHES = """from ami_ros.nodes import critic_inputs, critic_node
def on_plan(self, msg):
    raise RuntimeError('a bug')
critic_inputs.CriticInputs.on_plan = on_plan
raise SystemExit(critic_node.main())"""


def test_a_critic_that_crashes_says_zero_and_comes_up_stopped(critic, bench, tmp_path):
    bench.processes.programs['critic'] = ['-c', CRASHES]
    critic(state_dir=str(tmp_path))
    bench.processes.running.clear()
    bench.until(lambda: bench.say(topics.PLAN, ahead(time.time_ns())) or verdicts(bench)
                and verdicts(bench)[-1].rule == 'shutdown', 'the last word')
    assert 'a bug' in verdicts(bench)[-1].reason and commands(bench)[-1] == [0.0, 0.0]
    assert bench.child.wait(10) != 0
    assert json.loads((tmp_path / FILE).read_text())['running'] is True     # so: latched
    assert 'a bug' in list(entries(tmp_path / FOLDER))[-1].what['why']


def test_an_unstamped_command_where_the_base_wants_it(bench):
    unstamped = topics.command(False)
    bench.start('critic', enable_stamped_cmd_vel=False)
    bench.hear(unstamped)
    bench.until(lambda: bench.heard[unstamped.name], 'a Twist')


def test_a_full_disk_is_told_and_stops_nothing(critic, tmp_path):
    """No file of the critic may grow by a byte: the kernel refuses it, as a full disk does."""
    bench = critic(topics.E_STOP, state_dir=str(tmp_path))
    drive(bench, moves)
    limits = resource.prlimit(bench.child.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(bench.child.pid, resource.RLIMIT_FSIZE, (1, limits[1]))
    told = drive(bench, lambda v: moves(v) and 'cannot be written' in values(bench)['unwritten'],
                 more=lambda: mode(bench, time.time_ns(), 'dry_run'))
    assert told.action != 'stop'
    beat = bench.until(lambda: beats(bench)[-1].level == 1 and beats(bench)[-1], 'a warning')
    assert 'the audit log cannot be written to' in beat.message
    bench.say(topics.E_STOP, Bool(data=True))
    drive(bench, lambda v: v.latch)
    bench.until(lambda: 'the latch cannot be written' in beats(bench)[-1].message, 'a warning')
    resource.prlimit(bench.child.pid, resource.RLIMIT_FSIZE, limits)
    bench.until(lambda: 'e_stop' in (tmp_path / FILE).read_text(), 'the latch on disk')
    bench.until(lambda: beats(bench)[-1].values['unwritten'] == '', 'a log that can be written')
    assert not [f for f in verify(tmp_path / FOLDER).findings if f.wrong]
    number = int(beats(bench)[-1].values['audit'].partition(':')[0])
    assert number >= 5 and 'latch' in [e.kind for e in entries(tmp_path / FOLDER)]


def rolling():
    """Roll from here on: where odometry says that the rover is, 0.1 m/s by the clock."""
    begun_s = time.monotonic()
    return lambda: 0.1 * (time.monotonic() - begun_s)


def grainy():
    return 5.0 + 0.05 * GRAIN.random(180)


def test_a_frozen_lidar_stops_it_when_the_robot_moved(critic):
    bench = critic()
    drive(bench, moves)
    stop = drive(bench, lambda v: v.rule == 'frozen', at=rolling())
    assert 'the scan says the same after 0.0' in stop.reason and 'limit 0.020 m' in stop.reason
    assert stop.release == 'the sensor says something else'


def test_a_camera_that_is_frozen_black_or_of_another_size_stops_it(critic):
    bench = critic()
    at = rolling()
    drive(bench, moves, ranges=grainy, at=at)
    assert dict(verdicts(bench)[-1].ages)['camera'] < 0.3
    still = picture()
    for shown, rule, reason in (
            (still, 'frozen', 'the camera says the same after'),
            (np.zeros((12, 16, 3), np.uint8), 'camera_image',
             'the picture of the camera is black'),
            (np.repeat(still, 2, axis=1), 'camera_image', 'is 32 x 12, it needs 16 x 12')):
        stop = drive(bench, lambda v, rule=rule, why=reason: v.rule == rule and why in v.reason,
                     what=reason, shown=lambda shown=shown: shown, ranges=grainy, at=at)
        assert stop.action == 'stop' and not stop.latch and stop.release
    none = drive(bench, lambda v: v.rule == 'input_timeout', shown=lambda: picture()[:0])
    assert none.reason == 'no camera has come' and 'camera' in none.silent


def test_a_plan_of_ten_thousand_knots_holds_nobody_up(critic):
    bench = critic()
    drive(bench, moves)
    bench.heard[topics.COMMAND.name].clear()
    endless = convert.plan_message(Plan(np.tile([0.1, 0.0], (10_000, 1)), 0.25, time.time_ns(),
                                        1, 'r', 1))
    bench.say(topics.PLAN, endless)
    stop = bench.until(lambda: next((v for v in verdicts(bench) if v.rule == 'input_validity'),
                                    None),
                       'a stop')
    assert 'knots of shape (0, 2)' in stop.reason
    assert 'a plan has 7' in values(bench)['unreadable']


ONCE = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
LOSSY = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


@pytest.mark.parametrize('qos', [ONCE, LOSSY], ids=['latched', 'best effort'])
def test_an_emergency_stop_latches_until_a_reset_and_over_a_restart(critic, bench, qos, tmp_path):
    def pull(active):
        bench.say(button, Bool(data=active))

    button = replace(topics.E_STOP, qos=qos)
    bench = critic(button, state_dir=str(tmp_path))
    drive(bench, moves)
    pull(True)
    stop = bench.until(lambda: next((v for v in verdicts(bench) if v.latch), None), 'a latch')
    assert (stop.rule, stop.reason) == ('bumper_cliff_estop', 'e_stop e_stop is active')
    assert 'reset' in stop.release and values(bench)['allowed'] == ''
    assert len(values(bench)['policy']) == 12
    refused = bench.ask(topics.CRITIC_RESET, Trigger.Request())
    assert not refused.success and refused.message == 'bumper_cliff_estop: e_stop e_stop is active'
    pull(False)
    held = drive(bench, lambda v: 'latched until critic/reset' in v.reason and v.number)
    assert held.action == 'stop' and held.latch
    bench.until(lambda: 'e_stop' in (tmp_path / FILE).read_text(), 'the latch on disk')
    bench.until(lambda: any('granted' in path.read_text()
                            for path in (tmp_path / FOLDER).iterdir() if path.is_file()),
                'the refused reset in the audit log')
    bench.child.kill()      # and with it goes what it remembered, but for the file
    bench.child.wait()
    bench.heard[topics.VERDICT.name].clear()
    bench.child = bench.start('critic', state_dir=str(tmp_path))
    again = drive(bench, lambda v: v.latch)
    assert again.reason == 'e_stop e_stop is active; latched until critic/reset'
    said = bench.ask(topics.CRITIC_RESET, Trigger.Request())
    assert said.success and said.message == 'released: bumper_cliff_estop, unclean_end'
    drive(bench, lambda v: v.mode == 'reset' and v.rule == 'motion_enable')
    drive(bench, lambda v: v.mode == 'idle', 'idle')
    drive(bench, moves)
    assert bench.ask(topics.CRITIC_RESET, Trigger.Request()).message == 'nothing was latched'
    bench.child.terminate()
    bench.child.wait()
    assert json.loads((tmp_path / FILE).read_text()) == {'running': False, 'closed': {}}
    log = verify(tmp_path / FOLDER)
    assert log.findings == [] and beats(bench)[-1].values['unwritten'] == ''
    said = [(e.kind, e.what) for e in entries(tmp_path / FOLDER)]
    kinds = [kind for kind, _ in said]
    assert kinds[:2] == ['start', 'policy'] and kinds[-1] == 'end' and kinds.count('start') == 2
    latches = [what['reason'] for kind, what in said if kind == 'latch']
    assert latches == ['e_stop e_stop is active']
    assert [(what['granted'], what['said']) for kind, what in said if kind == 'reset'] == [
        (False, 'bumper_cliff_estop: e_stop e_stop is active'),
        (True, 'released: bumper_cliff_estop, unclean_end'),
        (True, 'nothing was latched')]
    assert {'stop', 'release', 'mode'} < set(kinds)
    assert {what['mode'] for kind, what in said if kind == 'mode'} == {
        'idle', 'autonomous', 'reset'}
