# SPDX-License-Identifier: Apache-2.0
"""The model of a recorded drive is asked what would have followed, and answers like a model."""

from ami_ros.cli import main as cli
from ami_ros.perception.camera_preprocessor import CameraPreprocessor
from ami_ros.recording.replay.event_index import index
from ami_ros.recording.replay.replay_overrides import Changes
from ami_ros.recording.replay.what_if import ask, Question, question
import numpy as np
import pytest


def asked(bag, at_s, v, w):
    return ask(bag, Question(at_s, v, w), Changes(), CameraPreprocessor)


@pytest.fixture(scope='module')
def moment(golden):
    """A time at which it drove on to a goal, and the twist that it began."""
    found = index(golden['mind'])
    one = next(j for j in found.judged if j.source == 'mind' and abs(j.v) > 0.3)
    return found.seconds(one)


def test_it_goes_where_it_is_told_to(golden, moment):
    ahead, left, right, still = (asked(golden['mind'], moment, v, w) for v, w in (
        (0.4, 0.0), (0.2, 1.2), (0.2, -1.2), (0.0, 0.0)))
    assert ahead.ahead_s.tolist() == [0.25 * k for k in range(1, 9)]
    assert ahead.place[-1, 0] > 0.4 > abs(ahead.place[-1, 1])
    assert left.place[-1, 2] > 0.5 and right.place[-1, 2] < -0.5
    assert np.hypot(*still.place[-1, :2]) < np.hypot(*ahead.place[-1, :2]) / 2
    assert ahead.energies['time_to_goal'] != still.energies['time_to_goal']
    assert set(ahead.energies) == set(ahead.chosen)
    assert 1.9 not in ahead.really and len(ahead.really) >= 2
    assert all(np.hypot(*off[:2]) < 1.0 for off in ahead.really.values())


def test_an_actor_of_its_own_answers_too(golden):
    found = index(golden['separate'])
    one = next(j for j in found.judged if j.source == 'mind' and abs(j.v) > 0.2)
    assert asked(golden['separate'], found.seconds(one), 0.4, 0.0).place[-1, 0] > 0.3


def test_it_is_told_to_people(golden, capsys, moment):
    assert cli.main(['replay', str(golden['mind']), '--what-if',
                     f't={moment} v=0.4 w=0']) == 0
    said = capsys.readouterr().out
    assert 'had it held 0.4 m/s, 0 rad/s' in said and said.count(' s ') >= 8
    assert 'energy time_to_goal' in said


@pytest.mark.parametrize('text, complaint', [
    ('12.5', 'is no question; ask as "t=12.5 v=0.3 w=-0.5"'), ('t=a v=0 w=0', 'is no question'),
    ('t=11 v=3 w=0', 'drives 0.6 m/s and 1.5 rad/s at most'), ('t=99 v=0 w=0', 'is outside')])
def test_what_cannot_be_asked_is_named(golden, capsys, text, complaint):
    assert cli.main(['replay', str(golden['mind']), '--what-if', text]) == 1
    assert complaint in capsys.readouterr().err


def test_a_question_is_read():
    assert question(' t=12.5  v=0.3 w=-0.5 ') == Question(12.5, 0.3, -0.5)
