# SPDX-License-Identifier: Apache-2.0
"""Measured numbers go into a person's file, and nothing else of it changes."""

import math
import os
from pathlib import Path

from ami_ros.core.errors import AmiError
from ami_ros.core.share_directory import share
from ami_ros.robots import parameter_file_nodes, strict_yaml
from ami_ros.robots.find_robot import find, rewrite
from ami_ros.robots.yaml_edit import edited
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest
import yaml

NOTE = 'measured 2026-11-22 by ami-ros calibrate, 12 runs'
FILE = """# head: with a colon
latency_s: 0.06      # s, taken to command; source: guessed, see 'notes'
braking_mps2: 1.5
quoted: "a # no comment: 1"   # text
'odd key': 'it''s'
scale: [1.0,
        1.0]
empty:
pair: [1.0, 1.0]   # true over told
list:
  - name: scan       # first
    hz: 20.0
    deep: {low: 1, high: 2}   # both
  - {name: bumper, hz: 5.0}
  # latency_s: 7, a comment between
  - name: "odom"
    hz: 40.0    #source: design
anchor: &a 3.0
alias: *a
last: yes"""


def lines(text: str) -> list[str]:
    return text.split('\n')


def changed(before: str, after: str) -> list[str]:
    """Return the lines that differ, as they are now."""
    assert len(lines(before)) == len(lines(after))
    return [new for old, new in zip(lines(before), lines(after)) if old != new]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'r.yaml'
    path.write_text(share('config/robots/rover.yaml').read_text())
    return path


@pytest.mark.parametrize('key, value, line', [
    ('latency_s', 0.071, f'latency_s: 0.071     # s, taken to command; source: {NOTE}'),
    ('latency_s', 0.0712345678, f'latency_s: 0.0712345678  # s, taken to command; source: {NOTE}'),
    ('braking_mps2', 0.8, f'braking_mps2: 0.8  # source: {NOTE}'),
    ('braking_mps2', 1e-5, f'braking_mps2: 1.0e-05  # source: {NOTE}'),
    ('quoted', 'b: # "c"', f"""quoted: 'b: # "c"'            # text; source: {NOTE}"""),
    ('quoted', '0.5', f"quoted: '0.5'                 # text; source: {NOTE}"),
    ('odd key', 2, f"'odd key': 2  # source: {NOTE}"),
    ('empty', 1.0, f'empty: 1.0  # source: {NOTE}'),
    ('pair', (1.02, 0.97), f'pair: [1.02, 0.97] # true over told; source: {NOTE}'),
    ('pair', np.array([1.5, 2.5]), f'pair: [1.5, 2.5]   # true over told; source: {NOTE}'),
    ('list.scan.hz', np.float64(19.5), f'    hz: 19.5  # source: {NOTE}'),
    ('list.scan.deep.low', 7, '    deep: {low: 7, high: 2}   # both'),
    ('list.bumper.hz', 0.0, '  - {name: bumper, hz: 0.0}'),
    ('list.odom.hz', math.inf, f'    hz: .inf    # source: {NOTE}'),
    ('last', False, f'last: false  # source: {NOTE}'),
])
def test_one_value_changes_and_its_source(key, value, line):
    after = edited(FILE, {key: value}, NOTE, 'r.yaml')
    if key == 'pair':       # its comment stays in its column where there is room for it
        line = line.replace('] # true', ']  # true')
    assert changed(FILE, after) == [line]


def test_many_at_once_and_again():
    values = {'latency_s': 0.1, 'list.odom.hz': 1.0, 'list.scan.hz': 2.0, 'pair': [3.0, 4.0]}
    once = edited(FILE, values, 'first', 'r.yaml')
    assert len(changed(FILE, once)) == 4 and once.count('source: first') == 4
    assert 'guessed' not in once and 'design' not in once
    twice = edited(once, values, 'second', 'r.yaml')
    assert twice == once.replace('source: first', 'source: second')
    assert edited(once, {}, 'x', 'r.yaml') == once


@pytest.mark.parametrize('key, value, part', [
    ('latency', 1.0, "the file has no 'latency'; there are: latency_s, braking_mps2"),
    ('list.lidar.hz', 1.0, "list has no 'lidar'; there are: scan, bumper, odom"),
    ('list.scan.hertz', 1.0, "list.scan has no 'hertz'; there are: name, hz, deep"),
    ('latency_s.x', 1.0, "latency_s has no 'x'; there are: none"),
    ('list.scan', 1.0, 'list.scan is no value but a group; name one of: name, hz, deep'),
    ('list', 1.0, 'list is no value but a group; name one of: scan, bumper, odom'),
    ('list.0.hz', 1.0, "list has no '0'"),
    ('', 1.0, "the file has no ''"),
    ('scale', (1.0, 1.0), 'scale runs over several lines; write it in one'),
    ('anchor', 4.0, 'is not YAML'),
    ('alias', 4.0, 'alias'),
    ('latency_s', math.nan, 'latency_s cannot become nan'),
    ('pair', [1.0, math.nan], 'pair cannot be replaced in place'),
    ('latency_s', object(), 'latency_s cannot become <object'),
])
def test_what_cannot_be_replaced(key, value, part):
    with pytest.raises(ValueError) as wrong:
        edited(FILE, {key: value}, NOTE, 'r.yaml')
    assert str(wrong.value).startswith('r.yaml') and part in str(wrong.value)
    assert '\n' not in str(wrong.value)


def test_a_note_is_one_line():
    with pytest.raises(ValueError, match='a note is one line'):
        edited(FILE, {'latency_s': 1.0}, 'one\nlatency_s: 7', 'r.yaml')


@given(st.sampled_from(['latency_s', 'quoted', 'list.bumper.hz', 'list.odom.hz', 'pair', 'last',
                        'list.scan.deep.high', 'empty', 'odd key']),
       st.one_of(st.floats(allow_nan=False), st.integers(), st.booleans(), st.none(),
                 st.text(st.characters(blacklist_categories=['Cs'])),
                 st.lists(st.floats(allow_nan=False), max_size=3)))
def test_whatever_is_written_is_read_back(key, value):
    try:
        after = edited(FILE, {key: value}, NOTE, 'r.yaml')
    except ValueError as wrong:
        assert isinstance(value, str) and '\n' not in str(wrong)    # text that YAML cannot hold
        return
    was, now = yaml.safe_load(FILE), yaml.safe_load(after)
    *way, last = key.split('.')
    at = was
    for part in way:
        at = at[part] if isinstance(at, dict) else next(o for o in at if o['name'] == part)
    at[last] = value
    assert now == was and len(lines(after)) == len(lines(FILE))


def test_the_robot_file_says_what_was_measured(file):
    before = file.read_text()
    rewrite(file, {'latency_s': 0.0834, 'odometry_scale': (1.013, 0.962), 'braking_mps2': 0.9,
                   'actuation_lag_s': 0.12, 'sensors.scan.no_return': 0.0}, NOTE)
    robot = find(str(file))
    assert (robot.latency_s, robot.odometry_scale, robot.braking_mps2, robot.actuation_lag_s,
            robot.lidar_no_return) == (0.0834, (1.013, 0.962), 0.9, 0.12, 0.0)
    assert len(changed(before, file.read_text())) == 5
    assert all(line.endswith(f'source: {NOTE}') for line in changed(before, file.read_text()))
    rover = find('rover')
    assert robot.sensor('camera') == rover.sensor('camera') and robot.limits == rover.limits


@pytest.mark.parametrize('values, part', [
    ({'latency_s': 0.1, 'braking_mps2': 500.0}, 'braking_mps2 = 500.0 is outside 0.05 to 50.0'),
    ({'latency_s': 'quick'}, "latency_s = 'quick' is not a number"),
    ({'sensors.scan.no_return': 1.0}, 'sensor scan: no_return = 1.0 lies within range_m'),
    ({'sensors.scan.name': 'odom'}, "two sensors have the name 'odom'"),
])
def test_what_is_no_robot_afterwards_is_not_written(file, values, part):
    before = file.read_bytes()
    with pytest.raises(ValueError) as wrong:
        rewrite(file, values, NOTE)
    assert part in str(wrong.value) and str(file) in str(wrong.value)
    assert file.read_bytes() == before and os.listdir(file.parent) == ['r.yaml']


def test_another_kind_of_file_has_another_check(tmp_path):
    path, seen = tmp_path / 'p.yaml', []
    path.write_text('a: 1\n')
    rewrite(path, {'a': 2}, 'x', lambda said, where: seen.append((said, where)))
    assert seen == [({'a': 2}, path)] and path.read_text() == 'a: 2  # source: x\n'


def test_rights_ends_of_lines_and_links_stay(file, tmp_path):
    file.write_bytes(b'\xef\xbb\xbf' + file.read_bytes().replace(b'\n', b'\r\n'))
    file.chmod(0o640)
    link = tmp_path / 'link.yaml'
    link.symlink_to('r.yaml')
    before = file.read_bytes()
    rewrite(link, {'latency_s': 0.2}, 'länger gemessen')
    after = file.read_bytes()
    assert link.is_symlink() and file.stat().st_mode & 0o777 == 0o640
    assert find(str(file)).latency_s == 0.2 and after.startswith(b'\xef\xbb\xbf')
    assert after.count(b'\n') == after.count(b'\r\n') == before.count(b'\r\n')
    assert 'source: länger gemessen\r\n'.encode() in after


def test_a_crash_in_between_leaves_the_old_file(file, monkeypatch):
    before = file.read_bytes()

    def fails(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', fails)
    with pytest.raises(OSError, match='No space'):
        rewrite(file, {'latency_s': 0.2}, NOTE)
    assert file.read_bytes() == before and os.listdir(file.parent) == ['r.yaml']


@pytest.mark.parametrize('content, part', [(None, 'cannot be read: No such file'),
                                           (b'\xff\xfe', 'is not text in UTF-8')])
def test_a_file_that_cannot_be_read(tmp_path, content, part):
    path = tmp_path / 'r.yaml'
    if content is not None:
        path.write_bytes(content)
    for read in (lambda: rewrite(path, {'latency_s': 0.2}, NOTE),
                 lambda: strict_yaml.load(Path(path))):
        with pytest.raises(ValueError, match=part):
            read()


def test_a_file_that_is_too_long_is_not_read():
    text = 'a: 1\n' + '#' * (strict_yaml.LONGEST - 5)
    assert strict_yaml.read(text, 'x.yaml') == {'a': 1}
    with pytest.raises(ValueError, match='^x.yaml has 131073 characters; it may have 131072$'):
        strict_yaml.read(text + '#', 'x.yaml')


@pytest.mark.parametrize('text', ['a: 2026-13-45', 'a: 0b_', 'a: 0x' + 'f' * 5000,
                                  '0x' + 'f' * 5000 + ': 1'])
def test_values_that_yaml_itself_cannot_read_are_one_sentence(tmp_path, text):
    path = tmp_path / 'r.yaml'
    path.write_text(text)
    with pytest.raises(AmiError) as wrong:
        strict_yaml.load(path)
    assert str(wrong.value).startswith(str(path)) and '\n' not in str(wrong.value)
    if len(text) < 100:
        with pytest.raises(AmiError, match='is not YAML'):
            parameter_file_nodes.parameters(path)
