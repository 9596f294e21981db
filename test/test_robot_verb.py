# SPDX-License-Identifier: Apache-2.0
"""`ami-ros robot`: what `new` makes passes `check` at once; nothing is overwritten."""

import math
import os
from pathlib import Path
import re
import shutil

from ami_ros.cli import main as cli
from ami_ros.core.share_directory import share
from ami_ros.critic.safety_policy import policy_loader
from ami_ros.critic.safety_policy.policy_loader import read
from ami_ros.operator.new_robot_files import CAREFUL
from ami_ros.robots.find_robot import find, names
import pytest
import yaml

FILES = ['README.md', 'barge.urdf', 'barge.yaml', 'params.yaml', 'safety_policy.yaml']


@pytest.fixture
def ami(capsys, monkeypatch, tmp_path):
    """Run a command line in an empty folder; return status, lines printed, and complaint."""
    monkeypatch.chdir(tmp_path)

    def run(*words) -> tuple[int, list[str], str]:
        try:
            status = cli.main(['robot', *(str(w) for w in words)])
        except SystemExit as left:
            status = left.code
        out, complaint = capsys.readouterr()
        return status, out.splitlines(), complaint
    return run


def refused(ami, *words) -> str:
    status, out, complaint = ami(*words)
    assert status == 1 and out == [] and complaint.count('\n') == 1, (status, out, complaint)
    assert complaint.startswith('ami-ros robot')
    return complaint


@pytest.mark.parametrize('like', [[], ['--like', 'rover']])
def test_what_is_made_is_good(ami, tmp_path, like):
    status, out, complaint = ami('new', 'barge', *like)
    assert (status, complaint) == (0, '') and sorted(os.listdir('barge')) == FILES
    assert out == [f'made {tmp_path}/barge:', *(f'  {name}' for name in FILES),
                   f'begin with {tmp_path}/barge/README.md']
    status, out, complaint = ami('check', 'barge/barge.yaml')
    assert (status, complaint, out[-1]) == (0, '', 'good')
    robot = find('barge/barge.yaml')
    assert robot.name == 'barge' and robot.urdf == str(tmp_path / 'barge/barge.urdf')
    assert [line.split()[:3] for line in out[1:1 + len(robot.sensors)]] == [
        [s.name, s.kind, s.topic] for s in robot.sensors]
    todo = next(line for line in out if line.startswith('still to be measured: '))
    assert {'braking_mps2', 'latency_s', 'scan.range_m'} <= set(todo[22:].split(', '))


def number(policy, key):
    """Return a number of a policy, whatever rule it is of."""
    return next(value for name, value in policy.numbers.items() if name.endswith(f'.{key}'))


def test_the_policy_is_careful(ami):
    for name, like in (('barge', ()), ('tug', ('--like', 'rover'))):
        ami('new', name, *like)
        policy = read(Path(name, 'safety_policy.yaml'))
        robot = find(f'{name}/{name}.yaml')
        assert policy_loader.build_rules(policy, robot)
        rover = read(share('config/safety_policy/rover.yaml'))
        for key in ('max_speed_mps', 'max_turn_radps', 'max_acceleration_mps2', 'braking_mps2'):
            assert number(policy, key) < number(rover, key)
        for key in ('stop_distance_m', 'side_distance_m', 'reaction_s'):
            assert number(policy, key) > number(rover, key)
        assert policy.shared.braking_mps2 <= robot.braking_mps2
        assert robot.latency_s + 0.05 <= policy.rules['input_timeout'].max_plan_lead_s
        assert list(policy.rules) == list(rover.rules)
        assert policy.sources == {
            key: 'design, ' + ('careful' if key.rpartition('.')[2] in CAREFUL
                               else "as the rover's") + ', to be measured'
            for key in policy.numbers}


def test_a_slow_robot_gets_a_slower_policy(ami, tmp_path):
    slow = share('config/robots/rover.yaml').read_text()
    for key, value in (('max_speed_mps: 0.6', 0.05), ('max_turn_radps: 1.5', 0.2),
                       ('braking_mps2: 13.0', 0.1), ('latency_s: 0.06', 0.5)):
        slow = slow.replace(key, f'{key.split(":")[0]}: {value}')
    (tmp_path / 'slow.yaml').write_text(slow)
    assert ami('new', 'barge', '--like', 'slow.yaml')[0] == 0
    policy = read(tmp_path / 'barge/safety_policy.yaml')
    assert [number(policy, key) for key in ('max_speed_mps', 'max_turn_radps', 'braking_mps2',
                                            'max_plan_lead_s')] == [0.05, 0.2, 0.1, 0.55]
    assert ami('check', 'barge/barge.yaml')[1][-1] == 'good'


def test_like_another_takes_its_numbers_and_none_of_its_sources(ami, tmp_path):
    ami('new', 'barge', '--like', 'rover', '--out', tmp_path / 'a/b')
    path = tmp_path / 'a/b/barge/barge.yaml'
    robot, rover = find(str(path)), find('rover')
    assert (robot.limits, robot.sensors, robot.latency_s) == (
        rover.limits, rover.sensors, rover.latency_s)
    assert robot.body.mounts == rover.body.mounts
    sources = re.findall(r'source: (.*)', path.read_text())
    assert len(sources) > 15 and set(sources) == {'as rover, to be measured'}
    assert 'simulated' not in path.read_text()
    assert '<robot name="barge">' in path.with_suffix('.urdf').read_text()
    # and again from there, by path
    assert ami('new', 'tug', '--like', path)[0] == 0
    assert find('tug/tug.yaml').limits == rover.limits


def test_every_line_of_the_template_is_explained():
    text = share('config/robot_template.yaml').read_text()
    for line in re.findall(r'^ *\w+: [-.[\d].*', text, re.M):
        assert re.search(r' # .*; source: ', line), line
    kinds = re.findall(r'kind: (\w+)', text)
    assert set(kinds) == {'Image', 'CameraInfo', 'LaserScan', 'Odometry', 'Imu', 'e_stop',
                          'bumper', 'cliff', 'Range', 'PointCloud2'}


def test_what_the_template_leaves_out_can_be_put_in(ami, tmp_path):
    """Whoever takes the # away has a robot file that is good."""
    ami('new', 'barge')
    path = tmp_path / 'barge/barge.yaml'
    text = re.sub(r'^( *)# (footprint:|- name:|  \w+:)', r'\1\2', path.read_text(), flags=re.M)
    text = text.replace('link: sonar', 'link: laser')
    path.write_text(text)
    robot = find(str(path))
    assert robot.radius_m == math.hypot(0.20, 0.15)
    assert [s.kind for s in robot.sensors[5:]] == ['e_stop', 'bumper', 'cliff', 'Range',
                                                   'PointCloud2']


@pytest.mark.parametrize('name', ['Barge', '2barge', 'bar ge', 'bar-ge', '', 'barge/x', '../b',
                                  'bärge', 'barge\n'])
def test_a_name_that_is_none(ami, tmp_path, name):
    assert 'a name is of a-z, 0-9 and _, a letter first' in refused(ami, 'new', name)
    assert os.listdir(tmp_path) == []


def test_a_name_that_is_taken(ami, tmp_path):
    assert "there is a robot 'rover' already" in refused(ami, 'new', 'rover')
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize('kind', ['full', 'empty', 'file', 'broken link'])
def test_nothing_is_overwritten(ami, tmp_path, kind):
    barge = tmp_path / 'barge'
    if kind == 'file':
        barge.write_text('mine')
    elif kind == 'broken link':
        barge.symlink_to('nowhere')
    else:
        barge.mkdir()
    if kind == 'full':
        (barge / 'barge.yaml').write_text('mine')
    assert f'{barge} is there already and nothing is overwritten' in refused(ami, 'new', 'barge')
    if kind == 'full':
        assert (barge / 'barge.yaml').read_text() == 'mine' and os.listdir(barge) == ['barge.yaml']


def test_where_nothing_can_be_made(ami, tmp_path):
    (tmp_path / 'file').write_text('')
    assert 'barge cannot be made: ' in refused(ami, 'new', 'barge', '--out', 'file')
    assert 'no robot' in refused(ami, 'new', 'barge', '--like', 'rovr')
    assert os.listdir(tmp_path) == ['file']


def test_a_failure_in_between_leaves_nothing(ami, tmp_path, monkeypatch):
    write = Path.write_text

    def fails(self, *words, **more):
        if self.name == 'safety_policy.yaml':
            raise OSError(28, 'No space left on device')
        return write(self, *words, **more)

    monkeypatch.setattr(Path, 'write_text', fails)
    assert 'No space left' in refused(ami, 'new', 'barge')
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize('file, old, new, part', [
    ('barge.yaml', 'latency_s:', 'latncy_s:', "did you mean 'latency_s'"),
    ('barge.yaml', 'link: laser', 'link: lidar', "no link 'lidar' hangs on base_link"),
    ('barge.urdf', '</robot>', '', 'is not a URDF'),
    ('safety_policy.yaml', 'max_speed_mps: 0.15', 'max_speed_mps: 0.5',
     'safety_policy.yaml: max_speed_mps = 0.5 is beyond what barge can do'),
    ('safety_policy.yaml', 'braking_mps2: 0.3', 'braking_mps2: 0.6',
     'safety_policy.yaml: braking_mps2 = 0.6 is beyond what barge can do, 0.5 m/s^2'),
    ('safety_policy.yaml', 'max_plan_lead_s: 0.2', 'max_plan_lead_s: 0.1',
     'safety_policy.yaml: max_plan_lead_s = 0.1 is below latency_s = 0.15 of '),
    ('safety_policy.yaml', 'max_scan_age_s: 0.25', 'max_scan_age_s: 0.05',
     'safety_policy.yaml: scan of barge speaks 10.0 times a second'),
    ('safety_policy.yaml', 'max_speed_mps: 0.15', 'max_speed_mps: 9.0', 'is outside 0.01 to 5.0'),
    ('safety_policy.yaml', 'max_speed_mps: 0.15', 'max_spd_mps: 0.15',
     "did you mean 'max_speed_mps'"),
    ('safety_policy.yaml', 'max_speed_mps: 0.15', 'reaction_s: 0.1', "'reaction_s' stands twice"),
])
def test_check_says_what_is_wrong(ami, file, old, new, part):
    ami('new', 'barge')
    path = Path('barge', file)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    complaint = refused(ami, 'check', 'barge/barge.yaml')
    assert part in complaint and str(path) in complaint


def test_which_policy_is_checked(ami, tmp_path):
    assert ami('check', 'rover')[1][-1] == 'good'
    shutil.copy(share('config/robots/rover.yaml'), tmp_path / 'own.yaml')
    status, out, _ = ami('check', 'own.yaml')
    assert str(share('config/safety_policy/rover.yaml')) in out[0]
    ami('new', 'barge')
    os.rename('barge/safety_policy.yaml', 'p.yaml')
    assert 'there is no safety_policy.yaml beside' in refused(ami, 'check', 'barge/barge.yaml')
    assert ami('check', 'barge/barge.yaml', '--safety-policy', 'p.yaml')[1][-1] == 'good'
    assert 'none.yaml cannot be read' in refused(ami, 'check', 'rover', '--safety-policy',
                                                 'none.yaml')
    assert 'there is no robot file none.yaml' in refused(ami, 'check', 'none.yaml')


def test_parameters_name_the_new_files(ami, tmp_path):
    folder = tmp_path / "it's # a: place"
    for like, stamped in ((('--like', 'rover'), True), (('--like', 'twist.yaml'), False)):
        if not stamped:
            (tmp_path / 'twist.yaml').write_text(share('config/robots/rover.yaml').read_text()
                                                 .replace(': TwistStamped', ': Twist'))
            shutil.rmtree(folder)
        assert ami('new', 'barge', '--out', folder, *like)[0] == 0
        said = yaml.safe_load((folder / 'barge/params.yaml').read_text())
        shipped = yaml.safe_load(share('config/rover_node_parameters.yaml').read_text())
        assert list(said) == [node for node in shipped if node != '/**/sim']
        for node, block in said.items():
            values = block['ros__parameters']
            assert values['robot'] == str(folder / 'barge/barge.yaml'), node
            assert values.get('enable_stamped_cmd_vel', stamped) is stamped
            assert 'lock_step' not in values
            assert not any(isinstance(value, dict) for value in values.values())
        critic = said['/**/critic']['ros__parameters']
        assert critic['safety_policy'] == str(folder / 'barge/safety_policy.yaml')


def test_the_next_steps_can_be_typed(ami, tmp_path):
    ami('new', 'barge')
    text = Path('barge/README.md').read_text()
    commands = re.findall(r'^ +ami-ros (.*)', text, re.M)
    assert [c.split()[0] for c in commands] == [
        'robot', 'doctor', 'teleop', 'calibrate', 'robot', 'record', 'train']
    for command in commands:
        args = cli.parser().parse_args(command.split())
        assert args.verb == command.split()[0]
    assert text.splitlines()[0] == '# barge' and '{' not in text


def test_the_robots_are_listed(ami):
    status, out, _ = ami('list')
    assert status == 0 and [line.split(':')[0] for line in out] == names()
    assert 'LaserScan' in out[0]


def test_what_new_needs_is_installed(root, monkeypatch):
    """All that a robot is made of is among the shared files of an install."""
    import runpy

    import setuptools
    told = {}
    monkeypatch.setattr(setuptools, 'setup', lambda **words: told.update(words))
    monkeypatch.chdir(root)
    runpy.run_path('setup.py')
    installed = {f'{folder}/{Path(file).name}' for folder, files in told['data_files']
                 for file in files}
    for name in ('config/robots/rover.yaml', 'config/robot_template.yaml',
                 'config/rover_node_parameters.yaml',
                 'config/safety_policy/rover.yaml', 'urdf/robot_template.urdf', 'urdf/rover.urdf'):
        assert f'share/ami_ros/{name}' in installed


@pytest.mark.parametrize('file, old, new, part', [
    ('safety_policy.yaml', 'reaction_s: 0.22', 'reaction_s: 0.0', 'reaction_s = 0 s of '),
    ('barge.yaml', 'actuation_lag_s: 0.2 ', 'actuation_lag_s: 0.5 ', 'Write reaction_s: 0.52 in '),
    ('safety_policy.yaml', 'max_scan_age_s: 0.25', 'max_scan_age_s: 0.1',
     'max_scan_age_s: 0.2 or more'),
    ('params.yaml', 'enable_stamped_cmd_vel: true', 'enable_stamped_cmd_vel: false',
     'enable_stamped_cmd_vel is false of critic')])
def test_numbers_that_do_not_fit_together_are_not_good(ami, file, old, new, part):
    ami('new', 'barge')
    path = Path('barge', file)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    assert part in refused(ami, 'check', 'barge/barge.yaml')


def test_check_warns_of_what_it_cannot_compare(ami):
    out = ami('check', 'rover')[1]
    assert any('not checked' in line and 'no parameters were given' in line for line in out)
    ami('new', 'barge')
    out = ami('check', 'barge/barge.yaml')[1]
    assert not any('not checked' in line for line in out)
    assert any('comparisons of these files are ok' in line for line in out)


@pytest.mark.parametrize('params, good', [
    ('/**:\n  ros__parameters: {enable_stamped_cmd_vel: false}\n', False),
    ('/**:\n  ros__parameters: {enable_stamped_cmd_vel: true}\n', True), ('{}\n', True),
    ('/r2/critic:\n  ros__parameters: {robot: OTHER, enable_stamped_cmd_vel: false}\n', True)])
def test_parameters_of_everybody_and_of_another_robot(ami, tmp_path, params, good):
    ami('new', 'barge')
    ami('new', 'tug')
    path = Path('barge/params.yaml')
    path.write_text(params.replace('OTHER', str(tmp_path / 'tug/tug.yaml')))
    if good:
        assert ami('check', 'barge/barge.yaml')[1][-1] == 'good'
    else:
        assert 'is false of critic, mind' in refused(ami, 'check', 'barge/barge.yaml')
