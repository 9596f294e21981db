# SPDX-License-Identifier: Apache-2.0
"""A session drives episodes over ROS: the same ones twice, and nothing is left running."""

import os
import signal
import subprocess
import sys
import time

from ami_ros.validation.evaluation_protocol import GoalDrive
from ami_ros.validation.stack import sim_session
from ami_ros.validation.stack.processes import ChildEnded
from node_harness import STUB
import numpy as np
import pytest
import yaml

START, GOAL = np.array([0.5, 0.5, 0.3]), np.array([1.2, 0.6, 0.0])
PICTURE = np.full((64, 64, 3), 90, np.uint8)


@pytest.fixture(autouse=True)
def own_environment():
    """Forget afterwards what a session sets for itself."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def errand(seed, blocks=4):
    return sim_session.EpisodeSpec(seed, GoalDrive(START, GOAL, blocks), PICTURE)


def made(tmp_path, **changes):
    empty = tmp_path / 'empty.yaml'
    empty.write_text('{}')
    return sim_session.Session(**{'logs': tmp_path / 'logs', 'engine': 'loopback', 'params': empty,
                                  'programs': {'mind': [STUB]}, **changes})


def alive(folder):
    """List processes that write below a folder."""
    found = subprocess.run(['ps', '-eo', 'args'], capture_output=True, text=True).stdout
    return [line for line in found.split('\n') if str(folder) in line]


def test_an_episode_is_the_same_twice(tmp_path):
    drives = []
    sim_session.run(made(tmp_path), [errand(3), errand(4), errand(3)], lambda e,
                    d: drives.append(d))
    first, _, again = drives
    assert first.poses.tobytes() == again.poses.tobytes() and len(first.poses) >= 50
    assert abs(first.poses[-1] - START).max() > 0.1     # it did move
    assert first.episode == again.episode
    assert first.episode.duration_s == pytest.approx(2.5)
    frames = list(first.ticks)
    assert len(frames) >= 25 and set(np.diff(frames)) == {10**8}
    said = sim_session.report(made(tmp_path), drives, {'goal_steps': 4}, 1.0)
    assert set(said['latency_ms']) == set(sim_session.STAGES)
    assert said['latency_ms']['camera_to_command']['n'] >= 75
    assert said['latency_ms']['camera_to_command']['p50'] > said['ros_overhead_ms']['p50'] > 0
    assert said['plans']['missed'] == 0 and len(said['episodes']) == 3
    assert not alive(tmp_path)


def test_real_time(tmp_path):
    drives = []
    sim_session.run(made(tmp_path, real_time=True), [errand(3)], lambda e, d: drives.append(d))
    assert drives[0].episode.duration_s >= 2.5
    assert sim_session.latencies(drives)['latency_ms']['camera_to_command']['n'] > 5


def test_a_child_that_cannot_start_says_one_sentence(tmp_path):
    params = tmp_path / 'wrong.yaml'
    params.write_text(yaml.safe_dump({'critic': {'ros__parameters': {'lock_stp': True}}}))
    with pytest.raises(ChildEnded, match="critic ended with code 1: .*unknown key 'lock_stp'; "
                                         "did you mean 'lock_step'"):
        sim_session.run(made(tmp_path, params=params), [errand(3)], lambda e, d: None)
    assert not alive(tmp_path)


def test_no_two_sessions_share_a_domain():
    one, lock = sim_session.claim_domain()
    with lock:
        two, other = sim_session.claim_domain()
        other.close()
    assert one != two != int(os.environ['ROS_DOMAIN_ID'])


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_the_session(tmp_path, number):
    script = tmp_path / 'script.py'
    script.write_text(f"""
import itertools, pathlib, signal, sys
# a shell that starts its jobs in the background has them ignore it; a terminal does not
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path[:0] = {sys.path!r}
import test_sim_session as here
from ami_ros.validation.stack import sim_session
sim_session.run(here.made(pathlib.Path({str(tmp_path)!r})), map(here.errand, itertools.count()),
            lambda errand, drive: print('one', flush=True))
""")
    begun = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True,
                             stderr=open(tmp_path / 'said', 'w'))
    assert begun.stdout.readline() == 'one\n', (tmp_path / 'said').read_text()
    children = subprocess.run(['ps', '-o', 'pid=', '--ppid', str(begun.pid)],
                              capture_output=True, text=True).stdout.split()
    assert len(children) == 4
    begun.send_signal(number)
    begun.wait(60)
    deadline = time.monotonic() + 60
    while any(os.path.exists(f'/proc/{child}') for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.05)
