# SPDX-License-Identifier: Apache-2.0
"""A person at a real terminal: keys in, twists out, and the terminal is theirs again after."""

import contextlib
from dataclasses import replace
import fcntl
import os
from pathlib import Path
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time

import ami_ros
from ami_ros.core.types import Command, Verdict
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.operator.terminal import fitted, keys_of, Terminal
import numpy as np
import pytest
from sensor_msgs.msg import Joy

ROOT = str(Path(ami_ros.__file__).parents[1])
REPEAT_S = 0.03         # of a key that is held
FAULTY = ('from ami_ros.cli import main as cli; from ami_ros.operator.teleop import DriveNode; '
          'DriveNode.panel = lambda *_: 1 / 0; raise SystemExit(cli.main())')


class Person:
    """Somebody at a pseudo-terminal of their own, in which `ami-ros teleop` runs."""

    def __init__(self, bench, *options, program=('-m', 'ami_ros.cli')):
        self.bench, self.seen, self.key_s = bench, '', 0.0
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.drive = subprocess.Popen(
            [sys.executable, *program, 'teleop', *options], stdin=self.slave, stdout=self.slave,
            stderr=self.slave, preexec_fn=self.own,
            env={**bench.processes.environment(), 'PYTHONPATH': ROOT})

    def own(self):
        """Make the terminal the program's own, so that Ctrl-C in it reaches it."""
        os.setsid()
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)

    def look(self) -> str:
        """Return all that was shown so far."""
        while select.select([self.master], [], [], 0)[0]:
            self.seen += os.read(self.master, 65536).decode()
        return self.seen

    def sees(self, text, since=0):
        self.bench.until(lambda: text in self.look()[since:], f'{text!r} on the terminal')

    def type(self, keys: bytes):
        os.write(self.master, keys)

    def hold(self, key: bytes) -> None:
        """Type a key again when a terminal would; call it often."""
        if time.monotonic() - self.key_s > REPEAT_S:
            self.key_s = time.monotonic()
            self.type(key)

    def leaves(self) -> int:
        self.bench.until(lambda: self.look() and self.drive.poll() is not None, 'its end')
        return self.drive.returncode

    def theirs(self) -> bool:
        """Tell whether the terminal is as it was, and its cursor is there."""
        hidden, shown = self.look().rfind('\x1b[?25l'), self.seen.rfind('\x1b[?25h')
        return termios.tcgetattr(self.slave) == self.before and shown > hidden

    def close(self):
        if self.drive.poll() is None:
            self.drive.kill()
            self.drive.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def sit(bench):
    """Sit down at a terminal; what the hand says is heard."""
    people = []

    def at(*options, **more):
        bench.hear(replace(topics.HAND, qos=topics.RELIABLE_10))  # each one counts
        people.append(Person(bench, *options, **more))
        people[-1].sees('no key is held')
        bench.met(topics.HAND)
        return people[-1]

    yield at
    for person in people:
        person.close()


def said(bench):
    return [(m.twist.linear.x, m.twist.angular.z) for m in bench.heard[topics.HAND.name]]


def test_a_key_drives_while_it_is_held_and_then_there_is_silence(bench, sit):
    person = sit('--speed', '0.4', '--turn', '1')
    begun = time.time_ns()

    def held():
        person.hold(b'\x1b[A')
        return len(said(bench)) >= 40

    bench.until(held, 'forty twists')
    took = time.time_ns() - begun
    assert set(said(bench)) == {(0.4, 0.0)} and 1.8e9 < took    # twenty a second
    stamps = [convert.nanoseconds(m.header.stamp) for m in bench.heard[topics.HAND.name]]
    assert np.all(np.diff(stamps) > 0) and begun < stamps[0] and stamps[-1] < time.time_ns()
    bench.until(lambda: said(bench)[-1] == (0.0, 0.0), 'a rest, once the key was let go')
    count = len(said(bench))
    bench.settle()
    assert len(said(bench)) == count and said(bench).count((0.0, 0.0)) == 1     # and silence
    person.type(b'+u')
    bench.until(lambda: said(bench)[-1] == pytest.approx((0.46, 1.15)), 'an arc, and faster')
    person.type(b' ')
    bench.until(lambda: said(bench)[-1] == (0.0, 0.0))
    person.type(b'q')
    assert person.leaves() == 0 and person.theirs()


def test_a_person_sees_why_the_robot_does_not_move(bench, sit):
    bench.offer(topics.VERDICT, topics.STATUS)
    asked = []

    def manual(request, response):
        asked.append(request)
        response.success, response.message = False, 'it is stopped; reset it first'
        return response

    bench.node.create_service(*topics.MANUAL.server(manual))
    person = sit()
    bench.met(topics.VERDICT, topics.STATUS)
    begun = len(person.look())
    verdict = Verdict(Command(np.zeros(2), 1), 'stop', 'stop_zone', '0.21 m ahead')
    bench.say(topics.VERDICT, convert.verdict_message(verdict))
    person.sees('critic  stop  +0.00 m/s +0.00 rad/s  stop_zone: 0.21 m ahead')
    bench.say(topics.STATUS, convert.health_message(
        convert.Health('/configurator', 2, '', {'mode': 'stopped', 'reason': 'by a person'}), 1))
    person.sees('mode    stopped  by a person')
    person.type(b'm')
    person.sees('configurator/manual: refused: it is stopped; reset it first')
    assert len(asked) == 1
    person.type(b'i')
    person.sees('configurator/disarm: nobody answers')
    person.sees('no message on critic/verdict', person.seen.index('stop_zone', begun))


@pytest.mark.parametrize('how', ['SIGTERM', 'ctrl-c', 'ctrl-z'])
def test_the_terminal_is_as_it_was_and_the_robot_at_rest(bench, sit, how):
    person = sit()
    assert termios.tcgetattr(person.slave) != person.before

    def driving():
        person.hold(b'w')
        return len(said(bench)) > 5

    bench.until(driving, 'that it drives')
    if how == 'ctrl-z':
        person.type(b'\x1a')
        bench.until(lambda: os.waitpid(person.drive.pid, os.WUNTRACED | os.WNOHANG)[0], 'a pause')
        assert person.theirs()
        bench.until(lambda: said(bench)[-1] == (0.0, 0.0), 'a rest before the pause')
        count, paused = len(said(bench)), len(person.look())
        person.drive.send_signal(signal.SIGCONT)
        person.sees('no key is held', paused)
        assert not person.theirs() and len(said(bench)) == count
        bench.until(lambda: person.hold(b'a') or len(said(bench)) > count, 'that it goes on')
        assert said(bench)[-1] == (0.0, 0.75)
        person.type(b'\x03')
    elif how == 'ctrl-c':
        person.type(b'\x03')
    else:
        person.drive.terminate()
    assert person.leaves() == 0 and person.theirs()
    bench.until(lambda: said(bench)[-1] == (0.0, 0.0), 'a last rest')
    assert 'Traceback' not in person.seen


def test_the_terminal_is_as_it_was_after_a_bug(bench):
    person = Person(bench, program=('-c', FAULTY))
    try:
        assert person.leaves() == 1
        bench.until(lambda: 'ZeroDivisionError' in person.look())
        assert person.theirs()
    finally:
        person.close()


def test_without_a_terminal_it_says_so(bench):
    got = subprocess.run([sys.executable, '-m', 'ami_ros.cli', 'teleop'], text=True,
                         stdin=subprocess.DEVNULL, capture_output=True,
                         env={**bench.processes.environment(), 'PYTHONPATH': ROOT})
    assert got.returncode == 1 and got.stdout == '' and got.stderr.count('\n') == 1
    assert got.stderr.startswith('ami-ros teleop: this needs a terminal') and '--joy' in got.stderr


def test_a_joystick_needs_no_terminal(bench):
    bench.hear(replace(topics.HAND, qos=topics.RELIABLE_10))  # each one counts
    bench.offer(topics.JOY)
    bench.processes.programs['teleop'] = [
        '-m', 'ami_ros.cli', 'teleop', '--joy']      # and ROS arguments, as a launch file has them
    bench.start('teleop', enable_button=4)
    bench.met(topics.HAND, topics.JOY)

    def pushed(y, *held):
        bench.say(topics.JOY, Joy(axes=[0.0, y, 0.0], buttons=[int(i in held) for i in range(6)]))
        return said(bench)[-1:] and said(bench)[-1]

    bench.until(lambda: pushed(0.5, 4) == pytest.approx((0.35, 0.0)), 'that it drives')
    bench.until(lambda: pushed(1.0, 4) == (0.6, 0.0), "the robot's limit")      # not 0.7
    bench.until(lambda: pushed(1.0) == (0.0, 0.0), 'a rest without the button')
    bench.until(lambda: pushed(1.0, 4) == (0.6, 0.0))
    bench.until(lambda: pushed(float('nan'), 4) == (0.0, 0.0), 'a rest at what is no number')
    bench.until(lambda: pushed(1.0, 4) == (0.6, 0.0))
    bench.until(lambda: said(bench)[-1] == (0.0, 0.0), 'a rest once the joystick is silent')
    log = bench.processes.log('teleop').read_text()
    assert 'button 4 is not held' in log and 'the joystick is silent' in log


# the terminal alone

@pytest.mark.parametrize('typed, keys, rest', [
    ('wW+ ', ['w', 'w', '+', ' '], ''),
    ('\x1b[A\x1bOB\x1b[C\x1b[D', ['up', 'down', 'right', 'left'], ''),
    ('w\x1b', ['w'], '\x1b'), ('w\x1b[', ['w'], '\x1b['), ('\x1b[1;', [], '\x1b[1;'),
    ('\x1b[1;5A\x1b[3~\x1b[Zq', ['q'], ''),         # others' sequences are nothing
    ('\x1b\x1b[A', ['up'], ''), ('\x1bq', ['q'], ''),
])
def test_what_is_typed_becomes_keys(typed, keys, rest):
    assert keys_of(typed) == (keys, rest)


@pytest.fixture
def screen():
    master, slave = pty.openpty()
    source, target = open(slave, 'rb', buffering=0), open(os.dup(slave), 'w')
    yield master, source, target
    for file in (source, target):
        with contextlib.suppress(OSError):      # what it holds back cannot be said any more
            file.close()
    os.close(master)


def test_a_key_in_two_pieces(screen):
    master, source, target = screen
    terminal = Terminal(source, target)
    terminal.begin()
    os.write(master, b'\x1b[')
    assert terminal.keys() == []
    os.write(master, b'Ax')
    select.select([source], [], [], 10)
    assert terminal.keys() == ['up', 'x']
    terminal.restore()


def test_what_is_shown_takes_the_place_of_what_was(screen):
    master, source, target = screen
    terminal = Terminal(source, target)
    terminal.begin()
    terminal.show(['one', 'two'])
    terminal.show(['one', 'two'])           # nothing new: nothing is sent
    terminal.show(['one\x1b]0;mine\x07', 'x' * 500])        # what a stranger may have written
    text = ''
    while 'xxxxx' not in text:          # a terminal hands on what it was given piece by piece
        assert select.select([master], [], [], 10)[0], text
        text += os.read(master, 65536).decode()
    assert re.findall(r'\x1b\[2A', text) == ['\x1b[2A'] and text.count('one') == 2
    assert 'one?]0;mine?' in text
    assert max(len(line) for line in re.sub(r'\x1b\[\??\d*\w', '', text).split('\r\n')) < 80
    terminal.restore()


def test_a_terminal_that_is_gone_ends_it(screen):
    master, source, target = screen
    terminal = Terminal(source, target)
    terminal.begin()
    os.dup2(os.open(os.devnull, os.O_RDWR), master)     # nobody is at the other end any more
    assert terminal.keys() == [] and terminal.ended
    terminal.show(['into the void'])
    terminal.restore()
    terminal.restore()


def test_a_sentence_that_is_too_long_goes_on_in_the_next_line():
    why = 'critic  stop  fresh: the camera is 0.308 s old by its stamp, limit 0.300 s'
    lines = fitted([why, '', 'mode    manual'], 40, 20)
    assert all(len(line) <= 40 for line in lines) and '' in lines
    assert ' '.join(lines[:lines.index('')]).split() == why.split()
    assert lines[1].startswith(' ' * 8) and lines[-1] == 'mode    manual'
    assert len(fitted([why] * 9, 40, 5)) == 5           # no more than the terminal has


def test_a_narrow_terminal_is_never_overrun():
    assert all(len(line) <= 9 for line in fitted(['x' * 50, 'answer  refused'], 9, 20))
