# SPDX-License-Identifier: Apache-2.0
"""A person gives goals and asks for modes on the command line, of a robot that runs."""

from pathlib import Path
import subprocess
import sys

import ami_ros
from ami_ros.cli.mode import table
from ami_ros.core.types import Command, Verdict
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.operator import mode
from ami_ros.perception.images import codec
import numpy as np
import pytest
from std_msgs.msg import Bool

ROOT = str(Path(ami_ros.__file__).parents[1])
SEEN = np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8)


@pytest.fixture
def robot(bench, tmp_path):
    """A critic, a configurator and a mind; camera and odometry are this test's."""
    bench.x_m = 0.0

    def sense():
        now_ns = bench.node.get_clock().now().nanoseconds
        bench.say(topics.CAMERA, convert.image_message(SEEN, now_ns))
        bench.say(topics.ODOMETRY, convert.odometry_message(
            now_ns, np.array([bench.x_m, 0.0, 0.0]), np.zeros(2)))

    for name, more in (('critic', {}), ('configurator', {}), ('mind', {'arrive_m': 1.0})):
        bench.start(name, **more)
    bench.hear(topics.STATUS, topics.GOAL)
    bench.offer(topics.CAMERA, topics.ODOMETRY, topics.E_STOP)
    bench.node.create_timer(0.1, sense)
    (tmp_path / 'there.png').write_bytes(codec.to_png(np.full((64, 64, 3), 77, np.uint8)))
    (tmp_path / 'wide.png').write_bytes(codec.to_png(np.full((9, 64, 3), 77, np.uint8)))
    return bench


@pytest.fixture
def ami(robot, tmp_path):
    """Run a command line while the robot goes on; return status, output and complaint."""
    begun = []

    def begin(*words):
        begun.append(subprocess.Popen(
            [sys.executable, '-m', 'ami_ros.cli', *words], cwd=tmp_path, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**robot.processes.environment(), 'PYTHONPATH': ROOT}))
        return begun[-1]

    def run(*words):
        return ends(robot, begin(*words))

    run.begin = begin
    yield run
    for process in begun:
        process.kill()
        process.wait()


def ends(bench, process) -> tuple[int, str, str]:
    bench.until(lambda: process.poll() is not None, f'the end of {process.args}')
    return process.returncode, *process.communicate()


def status(bench, **values):
    def said():
        newest = [health.values for msg in bench.heard[topics.STATUS.name][-1:]
                  for health in convert.health_from(msg)]
        return newest and all(newest[0].get(key) == value for key, value in values.items())
    return bench.until(said, f'a status of {values}')


def status_of(bench) -> dict[str, str]:
    return convert.health_from(bench.heard[topics.STATUS.name][-1])[0].values


def test_a_person_gives_goals_and_asks_for_modes(robot, ami, tmp_path):
    status(robot, ready='1')
    code, out, _ = ami('mode')
    rows = dict(line.split(None, 1) for line in out.splitlines() if ' ' in line.strip())
    assert code == 0 and (rows['mode'], rows['ready'], rows['task']) == ('idle', 'yes', 'none')
    assert rows['critic'].startswith('stop  +0.00 m/s +0.00 rad/s  guard: no plan')

    code, out, complaint = ami('goal', 'there.png')
    assert (code, out) == (1, '') and complaint.count('\n') == 1
    assert 'the mode is idle' in complaint and 'ami-ros mode autonomous' in complaint
    assert ami('mode', 'autonomous') == (0, 'mode is autonomous\n', '')
    assert ami('goal', 'there.png') == (0, 'goal 1: taken\n', '')
    picture, number, _ = convert.goal_from(robot.heard[topics.GOAL.name][-1])
    assert number == 1 and picture.shape == (64, 64, 3) and (picture == 77).all()

    code, out, complaint = ami('goal', 'wide.png')
    assert (code, out) == (1, '') and 'refused: ' in complaint and '64x9' in complaint
    status(robot, goal='0')

    there = ami.begin('goal', 'there.png', '--wait')
    status(robot, goal='2', task='driving', acknowledged='1')
    robot.x_m = 2.0
    assert ends(robot, there) == (0, 'goal 2: driving\ngoal 2: arriving\ngoal 2: arrived\n', '')
    robot.x_m = 0.0                 # somebody pushes it away: it has no goal, and stays there
    status(robot, goal='0', task='arrived', reason='goal 2 arrived', acknowledged='1')

    robot.x_m = 0.0
    waiting = ami.begin('goal', 'there.png', '--wait')
    status(robot, goal='3', task='driving', acknowledged='1')
    assert ami('goal', '--cancel') == (0, 'goal 3 is cancelled\n', '')
    code, out, complaint = ends(robot, waiting)
    assert (code, complaint) == (1, 'ami-ros goal: goal 3: cancelled\n')

    run = status_of(robot)['run']
    assert ami('goal', 'there.png')[0] == 0
    code, out, complaint = ami('goal', '--new-episode')     # somebody carried it elsewhere
    status(robot, goal='0', mode='autonomous', acknowledged='1')
    assert (code, complaint) == (0, '') and out.startswith('episode ') and 'no goal' in out
    assert status_of(robot)['run'] in out and status_of(robot)['run'] != run

    assert ami('mode', 'stop') == (0, 'mode is stopped\n', '')
    code, out, complaint = ami('mode', 'autonomous')
    assert (code, out) == (1, '') and 'reset first' in complaint
    assert ami('mode', 'reset') == (0, 'nothing was latched; mode is idle\n', '')

    def pull(active):
        robot.say(topics.E_STOP, Bool(data=active))
        held = ami('mode')[1]
        return next(line for line in held.splitlines() if line.startswith('critic'))

    robot.until(lambda: 'e_stop is active' in pull(True), 'an emergency stop')
    code, out, complaint = ami('mode', 'reset')
    assert (code, out) == (1, '') and 'the critic refuses: bumper_cliff_estop: e_stop' in complaint
    robot.until(lambda: 'latched until critic/reset' in pull(False), 'a latch')
    code, out, complaint = ami('mode', 'autonomous')
    assert (code, out) == (1, '')
    assert 'is latched by bumper_cliff_estop; call critic/reset' in complaint
    assert ami('mode', 'reset') == (
        0, 'released: bumper_cliff_estop; nothing to reset: mode is idle\n', '')
    assert ami('mode', 'autonomous') == (0, 'mode is autonomous\n', '')


def test_the_camera_gives_a_picture_for_later(robot, ami, tmp_path):
    assert ami('goal', '--take', 'here.png') == (0, 'here.png: 64x48\n', '')
    taken = (tmp_path / 'here.png').read_bytes()
    assert (codec.from_compressed(taken) == SEEN).all()
    code, out, complaint = ami('goal', '--take', 'here.png')
    assert (code, out) == (1, '') and 'nothing is overwritten' in complaint
    assert (tmp_path / 'here.png').read_bytes() == taken


def test_nobody_there_is_a_sentence(robot, ami):
    lonely = ('--namespace', 'nobody')
    waiting = [ami.begin(*words, *lonely) for words in (
        ('mode',), ('mode', 'stop'), ('goal', 'there.png'), ('goal', '--from-camera'))]
    for process, part in zip(waiting, ('configurator/status', 'configurator/stop',
                                       'configurator/status', 'camera/image_raw')):
        code, out, complaint = ends(robot, process)
        assert (code, out, complaint.count('\n')) == (1, '', 1)
        assert part in complaint and 'namespace and ROS domain?' in complaint


def test_the_table_says_why():
    verdict = Verdict(Command(np.array([0.1, -0.25]), 1), 'slow', 'surprise', 'surprise is 4.00')
    assert table({'mode': 'autonomous', 'ready': '0', 'waits_for': '/mind is unconfigured',
                  'goal': '3', 'task': 'driving', 'reason': ''}, verdict) == [
        'mode    autonomous', 'ready   no: /mind is unconfigured', 'task    goal 3, driving',
        'reason', 'critic  slow  +0.10 m/s -0.25 rad/s  surprise: surprise is 4.00']
    assert table({'mode': 'idle', 'ready': '1', 'goal': '0', 'task': 'none'}, None)[-1] == (
        'critic  silent; is it running?')


@pytest.mark.parametrize('critic, configurator, is_', [
    ((True, 'released: bumper_cliff_estop'), (True, 'mode is idle'),
     (True, 'released: bumper_cliff_estop; mode is idle')),
    ((True, 'released: bumper_cliff_estop'), RuntimeError('nobody answers'),
     (True, 'released: bumper_cliff_estop; nobody answers')),
    ((True, 'nothing was latched'), RuntimeError('nobody answers'),
     (False, 'nothing was latched; nobody answers')),
    ((True, 'nothing was latched'), (False, 'nothing to reset: mode is idle'),
     (False, 'nothing was latched; nothing to reset: mode is idle')),
    ((False, 'bumper_cliff_estop: e_stop button is active'), AssertionError(),
     (False, 'the critic refuses: bumper_cliff_estop: e_stop button is active'))])
def test_a_reset_is_asked_of_both_and_of_a_critic_alone(monkeypatch, critic, configurator, is_):
    def put(row, ros):
        answer = critic if row is topics.CRITIC_RESET else configurator
        if isinstance(answer, Exception):
            raise answer
        return answer
    monkeypatch.setattr(mode, 'put', put)
    assert mode.ask('reset', []) == is_
