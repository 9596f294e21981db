# SPDX-License-Identifier: Apache-2.0
"""One command is told from the wheels back to the pixels, and what it says is what happened."""

import json
from pathlib import Path
import re

from ami_ros.actor.costs import TERMS
from ami_ros.cli import main as cli
from ami_ros.recording import message_reader
from ami_ros.recording.replay import event_index as indexes
from ami_ros.recording.replay import trace_reader
import cv2
import numpy as np
import pytest
from rewrite_recording import copied

FOLDER = Path(__file__).with_name('golden')
BAG = FOLDER / 'mind.mcap'


def told(capsys, *options, bag=BAG, status=0):
    assert cli.main(['trace', str(bag), *map(str, options)]) == status
    said = capsys.readouterr()
    return said.out + said.err


def value(text, label):
    return re.search(rf'^[* ]*{re.escape(label)} +(.*)$', text, re.M)[1]


@pytest.mark.parametrize('name', ['mind', 'separate'])
def test_a_moment_is_told_with_all_its_links(capsys, tmp_path, name):
    bag, png = FOLDER / f'{name}.mcap', tmp_path / 'seen.png'
    found = indexes.index(bag)
    one = next(j for j in found.judged if j.rule == 'acceleration')
    text = told(capsys, '--at', repr(found.seconds(one)), '--picture', png, bag=bag)
    assert value(text, 'command') == f'{one.v:.3f} m/s, {one.w:.3f} rad/s'
    assert value(text, 'critic').startswith('slow by acceleration: from ')
    assert 'input_timeout' in value(text, 'rules that let it pass')
    rules = [said.split(': ')[0].split(' > ')
             for said in re.findall(r'^rule \w+ +(.* > .*)$', text, re.M)]
    assert value(text, 'wanted').startswith(rules[0][0].split(',')[0])
    assert all(before[1] == after[0] for before, after in zip(rules, rules[1:]))
    assert value(text, 'rule acceleration').split(': ')[0].split(' > ') == rules[-1]
    assert rules[-1][1] == f'{one.v:.3f}, {one.w:.3f}'     # nothing weakened it further
    assert str(one.frame_ns) in value(text, 'frame') and 'rover-room-7' in text
    whole = float(value(text, 'all energies').split()[0])
    terms = re.findall(r'^energy \w+ +(\S+)', text, re.M)
    assert len(terms) == len(TERMS) and whole == pytest.approx(sum(map(float, terms)), rel=1e-3)
    assert 'runner-up' in text and 'missing' not in text
    for stage in ('perception', 'world_model', 'actor', 'critic'):
        assert float(value(text, f'time of {stage}').split('worked ')[1].split()[0]) > 0
    pictures = {trace_reader.stamp_ns(msg): msg
                for heard in message_reader.messages(bag, ('camera/image_raw',))
                for msg in [trace_reader.message(heard.data, 'sensor_msgs/msg/Image')]}
    seen = cv2.cvtColor(cv2.imread(str(png)), cv2.COLOR_BGR2RGB)[2::5, 2::5]
    assert np.array_equal(seen.ravel(), pictures[one.frame_ns].data)


def test_a_drive_under_rules_of_another_version_is_still_told(capsys, tmp_path):
    bag, one = tmp_path / 'old.mcap', indexes.index(BAG).judged[-1]
    copied(BAG, bag, b'release_distance_m', b'release_distance_x')
    text = told(capsys, '--at', repr(indexes.index(BAG).seconds(one)), bag=bag)
    assert 'cannot be asked again' in value(text, 'rules')
    assert 'release_distance_x' in value(text, 'rules')
    assert value(text, 'command') == f'{one.v:.3f} m/s, {one.w:.3f} rad/s'
    assert len(value(text, 'policy').split()[1]) == 12 and 'time of actor' in text
    assert cli.main(['report', str(bag), '--out', str(tmp_path / 'report.html')]) == 0
    assert cli.main(['replay', str(bag)]) == 1
    assert '--safety-policy' in capsys.readouterr().err


def test_two_moments_stand_side_by_side(capsys):
    text = told(capsys, '--slowest', 1, '--compare', 11.0)
    assert re.search(r'^\* time ', text, re.M) and re.search(r'^  policy ', text, re.M)
    again = told(capsys, '--at', 11.0, '--compare', 11.0)
    assert not re.search(r'^\*', again, re.M)


def test_surprise_and_slowness_are_in_order():
    found = indexes.index(BAG)
    surprises = [surprise for surprise, _ in found.surprises()]
    assert len(surprises) > 20 and surprises == sorted(surprises, reverse=True)
    slowest = [took for took, _ in found.slowest()]
    assert len(slowest) > 20 and slowest == sorted(slowest, reverse=True) and slowest[-1] > 0
    said = {line.said['frame_ns']: line.said['belief']['surprise']
            for heard in message_reader.messages(BAG, ('trace/records',))
            for line in trace_reader.lines_of(heard.data, 0) if line.kind == 'Thought'}
    assert {one.frame_ns: surprise for surprise, one in found.surprises()}.items() <= said.items()


def test_a_stop_is_told_once_and_not_what_needs_no_reason(capsys):
    def one(at, action, rule):
        return indexes.Judged(at, at, at, 1, '/critic', at, at, 'a', 'mind', action, rule, '',
                              0.0, 0.0)

    found = indexes.Index([one(1, 'stop', 'motion_enable'), one(2, 'go', ''),
                           one(3, 'stop', 'odometry_jump'),
                           one(4, 'stop', 'odometry_jump'), one(5, 'stop', 'stuck'),
                           one(6, 'go', ''),
                           one(7, 'stop', 'odometry_jump')])
    assert [j.at_ns for j in found.stops()] == [3, 5, 7]
    text = told(capsys, '--stop', 999, status=1)
    assert re.search(r'the recording has \d+ stops; there is no number 999', text)


def test_times_outside_and_bags_without_verdicts_are_named(capsys, tmp_path):
    assert 'is outside' in told(capsys, '--at', 1e6, status=1)
    assert 'there is no recording' in told(capsys, '--at', 1, bag=tmp_path, status=1)


def test_a_line_of_the_record_is_json_for_everybody():
    data = next(iter(message_reader.messages(BAG, ('trace/records',)))).data
    head, *lines = message_reader.text_of(data).split('\n')
    assert {'node', 'process', 'dropped'} <= set(json.loads(head))
    numbers = [json.loads(line)[0] for line in lines]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
