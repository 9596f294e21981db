# SPDX-License-Identifier: Apache-2.0
"""The launch files: what they start, with which parameters and names, and what they refuse."""

import importlib
import inspect
from pathlib import Path
import re
import runpy
import sys
from types import SimpleNamespace
import xml.etree.ElementTree as ET

from ami_ros.core.robot_processes import RESPAWN_S
import fake_launch
from fake_launch import DeclareLaunchArgument
import pytest
import setuptools
import yaml

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = str(ROOT / 'config/rover_node_parameters.yaml')
FILES = sorted(path.name for path in (ROOT / 'launch').glob('*.launch.py'))
OWN_FILE = {'/**': {'ros__parameters': {'use_sim_time': True}}}
OTHER = {           # argument: what is not its default; OWN: a file or folder that the test makes
    'namespace': 'robot1', 'params_file': 'OWN', 'robot_file': 'rover',
    'safety_policy_file': 'OWN',
    'module': 'OWN', 'use_composition': 'false', 'use_respawn': 'false', 'use_sim_time': 'True',
    'autostart': '0', 'log_level': 'debug', 'lock_step': 'true',
    'enable_stamped_cmd_vel': 'false', 'cmd_vel_in_topic': '/nav/cmd_vel',
    'cmd_vel_out_topic': 'base/cmd_vel', 'record': 'OWN',
}
WRONG = [           # argument, what is said, what it must answer
    ('use_respawn', 'maybe', 'use_respawn:=maybe: it is neither true nor false'),
    ('log_level', 'loud', 'no such log level; there are: debug, info, warn, error, fatal'),
    ('params_file', '/no/such.yaml', 'params_file:=/no/such.yaml: there is no such file'),
    ('safety_policy_file', '/no/such.yaml', 'there is no such file'),
    ('module', '/no/such', 'module:=/no/such: there is no such folder'),
    ('robot_file', 'rovr', 'rover'),
    ('robot_file', '/no/robot.yaml', '/no/robot.yaml'),
    ('namespace', 'robot-1', 'namespace:=robot-1: a namespace is made of letters'),
    ('namespace', '1robot', 'begins with a digit'),
    ('enable_stamped_cmd_vel', 'Twist', 'it is neither true nor false'),
    ('cmd_vel_in_topic', 'cmd vel', 'a topic is made of letters'),
    ('record', '/', 'the path exists already'),
    ('cmd_vel_out_topic', '', 'a topic is made of letters'),
]


@pytest.fixture(scope='module', autouse=True)
def pretended():
    """Have our launch code see the stand-in, whether the real one is there or not."""
    with pytest.MonkeyPatch.context() as patch:
        fake_launch.pretend(patch)
        patch.delitem(sys.modules, 'ami_ros.launching', raising=False)
        yield importlib.import_module('ami_ros.launching')
        patch.delitem(sys.modules, 'ami_ros.launching')


@pytest.fixture(scope='module')
def executables():
    """Return what setup.py installs to lib/ami_ros."""
    told = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setuptools, 'setup', told.update)
        patch.chdir(ROOT)
        runpy.run_path('setup.py')
    return told


@pytest.fixture
def describe():
    """Return the description of a launch file, as ros2 launch would load it."""
    def load(name: str):
        return runpy.run_path(str(ROOT / 'launch' / name))['generate_launch_description']()
    return load


@pytest.fixture
def other(tmp_path):
    """Return an argument's other value."""
    def make(name: str) -> str:
        if OTHER[name] != 'OWN':
            return OTHER[name]
        if name in ('module', 'record'):
            return str(tmp_path / 'bag' if name == 'record' else tmp_path)
        path = tmp_path / f'{name}.yaml'
        path.write_text(yaml.safe_dump(OWN_FILE))
        return str(path)
    return make


def processes(description, **given):
    """As the stand-in does, of the simulated rover where a test names no robot."""
    if 'robot_file' not in given:
        given = {'params_file': SHIPPED, **given}
    return fake_launch.processes(description, **given)


def declared(description) -> dict:
    return {e.name: e for e in description.entities if isinstance(e, DeclareLaunchArgument)}


def said(node) -> dict:
    """Return the parameters that launch itself gives to a node."""
    return {key: value for given in node.parameters if isinstance(given, dict)
            for key, value in given.items()}


def everything(description, **given) -> str:
    """Write down all that would be started, to be compared."""
    started, context = processes(description, **given)
    told = [{key: getattr(value, 'param_file', value)
             for key, value in vars(one).items() if key not in ('on_exit', 'parameters')}
            for one in started]
    parameters = [getattr(given, 'param_file', given)
                  for one in started for given in getattr(one, 'parameters', [])]
    return repr((told, parameters, context.global_parameters))


def test_the_parameters_beside_a_robot_file_are_taken_where_none_are_named(describe, tmp_path):
    for name in ('rover.yaml', 'rover.urdf'):
        source = ROOT / ('config/robots' if name.endswith('yaml') else 'urdf') / name
        (tmp_path / name).write_text(source.read_text())
    robot = tmp_path / 'rover.yaml'
    robot.write_text(robot.read_text().replace('urdf/rover.urdf', 'rover.urdf'))
    own, other = tmp_path / 'params.yaml', tmp_path / 'other.yaml'
    launched = describe('robot.launch.py')

    def files(**given):
        nodes, _ = processes(launched, robot_file=str(robot), **given)
        return {one.parameters[0].param_file for one in nodes}

    with pytest.raises(RuntimeError,
                       match='neither params.yaml nor safety_policy.yaml is beside it'):
        files()
    assert files(safety_policy_file=str(ROOT / 'config/safety_policy/strict.yaml')) == {SHIPPED}
    policy = tmp_path / 'safety_policy.yaml'
    policy.write_text((ROOT / 'config/safety_policy/strict.yaml').read_text())
    nodes, _ = processes(launched, robot_file=str(robot))
    critic = next(one for one in nodes if one.node_executable == 'critic')
    assert said(critic)['safety_policy'] == str(policy)        # not the rover's
    for path in (own, other):
        path.write_text(yaml.safe_dump(OWN_FILE))
    assert files() == {str(own)}
    assert files(params_file=str(other)) == {str(other)}
    nodes, _ = processes(launched, robot_file='rover')
    assert {one.parameters[0].param_file
            for one in nodes} == {str(ROOT / 'config/rover_node_parameters.yaml')}


@pytest.mark.parametrize('name', FILES)
def test_a_robot_that_nobody_named_is_not_started(describe, name):
    if name == 'sim.launch.py':
        nodes, _ = fake_launch.processes(describe(name))
        assert {one.parameters[0].param_file for one in nodes} == {SHIPPED}
        return
    with pytest.raises(RuntimeError, match='no robot was named; write robot_file:=PATH'):
        fake_launch.processes(describe(name))


# of every launch file

@pytest.mark.parametrize('name', FILES)
def test_every_argument_is_described_and_used(describe, other, name):
    arguments = declared(describe(name))
    for argument, one in arguments.items():
        assert one.description and isinstance(one.default_value, str), argument
        assert everything(describe(name), **{argument: other(argument)}) != \
            everything(describe(name)), f'{name}: {argument} changes nothing'


@pytest.mark.parametrize('name', FILES)
def test_every_executable_is_installed(describe, executables, name):
    scripts = {s.split(' = ')[0] for s in executables['entry_points']['console_scripts']}
    for composed in ('true', 'false'):
        nodes, _ = processes(describe(name), use_composition=composed)
        assert nodes
        assert {node.node_package for node in nodes} == {'ami_ros'}
        assert {node.node_executable for node in nodes} <= scripts


@pytest.mark.ros
@pytest.mark.parametrize('name', FILES)
def test_every_parameter_is_one_of_the_node(describe, other, name):
    from ami_ros.nodes import parameters
    for composed in ('true', 'false'):
        given = {argument: other(argument) for argument in declared(describe(name))}
        given['use_composition'] = composed
        for node in processes(describe(name), **{**given, 'record': ''})[0]:
            module = importlib.import_module(f'ami_ros.nodes.{node.node_executable}_node')
            fields = {f.name: f.type for f in module.GROUPS[''].__dataclass_fields__.values()}
            for key, value in said(node).items():
                assert key in parameters.names(module.GROUPS), (node.node_executable, key)
                assert isinstance(value, fields[key]), (node.node_executable, key, value)


@pytest.mark.parametrize('name', FILES)
def test_names_hold_in_a_namespace_and_diagnostics_are_shared(describe, name):
    nodes, _ = processes(describe(name), namespace='/robot1/')
    for node in nodes:
        assert node.namespace == '/robot1'
        assert node.name == node.node_executable     # what the parameter file calls it
        assert {('/tf', 'tf'), ('/tf_static', 'tf_static'),
                ('diagnostics', '/diagnostics')} <= set(node.remappings)
    nodes, _ = processes(describe(name), namespace='left', ros_namespace='/fleet')
    assert {node.namespace for node in nodes} == {'/fleet/left'}     # included in somebody's group
    nodes, _ = processes(describe(name))
    assert {node.namespace for node in nodes} == {'/'}


@pytest.mark.parametrize('name', FILES)
def test_who_ended_is_started_again_soon(describe, name):
    for node in processes(describe(name))[0]:
        assert node.respawn is True and node.respawn_delay == RESPAWN_S <= 0.5
        assert node.additional_env['OMP_NUM_THREADS'] == '1'
        assert node.output == 'screen'
    assert not any(node.respawn for node in processes(describe(name), use_respawn='false')[0])


@pytest.mark.parametrize('name', FILES)
def test_a_wrong_argument_is_a_sentence_before_anything_starts(describe, name):
    tried = [row for row in WRONG if row[0] in declared(describe(name))]
    assert len(tried) >= 5
    for argument, value, answer in tried:
        with pytest.raises(RuntimeError, match=re.escape(answer)) as wrong:
            processes(describe(name), **{argument: value})
        assert str(wrong.value).startswith(f'{argument}:={value}: ')


@pytest.mark.parametrize('name', FILES)
def test_it_is_installed(executables, name):
    installed = {Path(file).name: folder for folder, files in executables['data_files']
                 for file in files}
    assert installed[name] == 'share/ami_ros/launch'


# single ones

def test_every_argument_is_one_of_a_launch_file(pretended, describe):
    used = {argument for name in FILES for argument in declared(describe(name))}
    assert used == set(pretended.ARGUMENTS) == set(OTHER)


def test_the_simulator_is_the_one_difference(describe):
    def names(file, **given):
        return [node.name for node in processes(describe(file), **given)[0]]
    assert names('robot.launch.py') == ['critic', 'configurator', 'mind']
    assert names('robot.launch.py', use_composition='false') == \
        ['critic', 'configurator', 'perception', 'world_model', 'actor']
    assert names('sim.launch.py') == [*names('robot.launch.py'), 'sim']


def test_who_takes_which_argument(describe, pretended):
    known = set(pretended.ARGUMENTS)
    beside_nav2 = {'cmd_vel_in_topic', 'cmd_vel_out_topic'}
    sim, robot, guard, onlooker = (set(declared(describe(f'{name}.launch.py'))) for name in (
        'sim', 'robot', 'critic_beside_nav2', 'mind_dry_run'))
    assert sim == known - beside_nav2
    assert robot == sim - {'lock_step'}
    assert guard == robot - {'module', 'use_composition', 'autostart'} | beside_nav2
    assert onlooker == robot - {'safety_policy_file'} | {'cmd_vel_out_topic'}


@pytest.mark.parametrize('said, meant', [('true', True), ('True', True), ('1', True),
                                         ('false', False), ('False', False), ('0', False)])
def test_flags_may_be_spelled_as_launch_files_do(pretended, said, meant):
    assert pretended.flag(said) is meant


def test_paths_are_absolute_wherever_a_node_is_started(pretended, tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / 'mine.yaml'
    mine.write_text('')
    for given in ('~/mine.yaml', 'mine.yaml', str(mine)):
        assert pretended.file(given) == str(mine)
    assert pretended.new('~/bag') == str(tmp_path / 'bag')
    assert pretended.file('') == pretended.folder('') == pretended.new('') == ''
    for wrong, kind in ((tmp_path, pretended.file), (mine, pretended.folder)):
        with pytest.raises(ValueError, match='there is no such'):
            kind(str(wrong))


def test_what_is_not_given_is_left_as_the_file_says(describe, other):
    for node in processes(describe('sim.launch.py'))[0]:
        assert not {'robot', 'module', 'safety_policy'} & set(said(node)), node.name
        assert node.parameters[0].allow_substs
    folder = other('module')
    nodes = {node.name: said(node) for node in processes(
        describe('sim.launch.py'), robot_file='rover', module=folder)[0]}
    assert {nodes[name]['robot'] for name in nodes} == {'rover'}
    assert nodes['mind']['module'] == folder and 'module' not in nodes['critic']


def test_the_configurator_knows_whom_to_watch(describe):
    for said_so, composed in (('true', True), ('false', False)):
        nodes = {node.name: said(node) for node in processes(
            describe('robot.launch.py'), use_composition=said_so, autostart='false')[0]}
        assert nodes['configurator']['use_composition'] is composed
        assert nodes['configurator']['autostart'] is False
        assert ('mind' in nodes) is composed


@pytest.mark.parametrize('given, robot', [
    ({}, 'rover'), ({'robot_file': 'OTHER'}, 'OTHER'), ({'params_file': 'MINE'}, 'mine')])
def test_a_recorder_is_told_what_to_record_and_has_time_to_close(describe, tmp_path, monkeypatch,
                                                                 pretended, given, robot):
    from ami_ros.cli import main as cli
    monkeypatch.setattr(pretended.robots, 'find', lambda name: None)
    params = tmp_path / 'mine.yaml'
    params.write_text('/**/critic: {ros__parameters: {robot: mine}}')
    given = {name: value.replace('MINE', str(params)) for name, value in given.items()}
    bag = str(tmp_path / 'bag')
    *_, one = processes(describe('robot.launch.py'), namespace='robot1', record=bag, **given)[0]
    assert (one.node_executable, one.namespace, one.respawn) == ('ami-ros', '/robot1', False)
    args = cli.parser().parse_args([*one.arguments, '--ros-args', *one.ros_arguments])
    assert (args.verb, str(args.out), args.robot) == ('record', bag, robot)
    assert float(one.sigterm_timeout) >= 10


@pytest.mark.parametrize('key, space, fine', [
    ('/**/critic', '', True), ('/**/critic', 'robot1', True), ('/**', 'robot1', True),
    ('critic', '', True), ('/critic', '', True), ('critic', 'robot1', False),
    ('/robot1/critic', 'robot1', True), ('/robot1/critic', '', False),
    ('/*/critic', 'robot1', True), ('/*/critic', '', False), ('/*/critic', 'fleet/a', False),
    ('controller_server', 'robot1', True),      # somebody else's
])
def test_parameters_for_a_node_of_another_name_are_not_ignored(describe, tmp_path, key, space,
                                                               fine):
    file = tmp_path / 'mine.yaml'
    file.write_text(yaml.safe_dump({key: {'ros__parameters': {'lock_step': False}}}))
    if fine:
        assert processes(describe('robot.launch.py'), params_file=str(file), namespace=space)[0]
        return
    with pytest.raises(RuntimeError) as wrong:
        processes(describe('robot.launch.py'), params_file=str(file), namespace=space)
    full = f'/{space}/critic' if space else '/critic'
    assert f'the node is {full}; write /**/critic' in str(wrong.value)


def test_parameters_may_stand_below_their_namespace(pretended, tmp_path):
    file = tmp_path / 'mine.yaml'
    file.write_text('robot1:\n  critic: {ros__parameters: {a: 1}}\n/**/sim: {ros__parameters: {}}')
    assert pretended.parameters(str(file)) == {'/robot1/critic': {'a': 1}, '/**/sim': {}}


@pytest.mark.parametrize('content', [b'a: [', b'\xff\xfe\x00'])
def test_a_parameter_file_that_is_none_is_a_sentence(describe, tmp_path, content):
    file = tmp_path / 'mine.yaml'
    file.write_bytes(content)
    with pytest.raises(RuntimeError, match='is not YAML') as wrong:
        processes(describe('robot.launch.py'), params_file=str(file))
    assert '\n' not in str(wrong.value)


def test_the_shipped_parameters_speak_to_every_node(pretended, describe):
    spoken_to = set(pretended.parameters(SHIPPED))
    started = {node.name for composed in ('true', 'false') for node in processes(
        describe('sim.launch.py'), use_composition=composed)[0]}
    assert spoken_to == {f'/**/{name}' for name in (*started, 'recorder')}  # started by hand


def test_a_node_that_refuses_its_parameters_ends_the_launch(pretended, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(pretended.time, 'monotonic', lambda: now[0])
    on_exit = pretended.refusal('critic', now[0])
    for code in (-9, 0, 2):                     # killed, asked to end: it is started again
        assert on_exit(SimpleNamespace(returncode=code), None) is None
    with pytest.raises(RuntimeError, match='critic did not start'):
        on_exit(SimpleNamespace(returncode=1), None)
    now[0] += pretended.REFUSED_S + 1.0         # what worked once may work again
    assert on_exit(SimpleNamespace(returncode=1), None) is None


def test_the_manifest_names_what_launch_files_import():
    said_so = {d.text for d in ET.parse(ROOT / 'package.xml').getroot().findall('exec_depend')}
    assert {'launch', 'launch_ros'} <= said_so


def test_the_page_lists_every_argument(pretended):
    page = (ROOT / 'docs' / 'launch.md').read_text()
    rows = re.findall(r'^\| `(\w+)` \|', page, re.M)
    assert sorted(rows) == sorted(pretended.ARGUMENTS)
    assert set(re.findall(r'^\| `([\w.]+\.py)` \|', page, re.M)) == set(FILES)


def test_command_lines_in_the_documents_are_right(describe):
    pages = [ROOT / 'README.md', *sorted((ROOT / 'docs').rglob('*.md'))]
    lines = [(page.name, line) for page in pages
             for line in re.findall(r'ros2 launch ami_ros ([^`#\n]+)', page.read_text())]
    assert len(lines) >= 4
    for page, line in lines:
        file, *arguments = line.split()
        assert file in FILES, f'{page}: there is no {file}'
        known = declared(describe(file))
        for argument in arguments:
            name, assigned, _ = argument.partition(':=')
            if argument not in ('-s', '--show-args', '&', '...'):
                assert assigned and name in known, f'{page}: {file} has no argument {name}'


def test_the_system_service_gives_arguments_that_there_are(describe):
    said_so = re.search(r'^AMI_ARGUMENTS=(.*)$', (
        ROOT / 'config' / 'systemd' / 'ami_ros.env').read_text(), re.M)[1]
    unit = (ROOT / 'config' / 'systemd' / 'ami_ros.service').read_text()
    file, = re.findall(r'ros2 launch ami_ros (\S+) \$', unit)
    assert {one.partition(':=')[0] for one in said_so.split()} <= set(declared(describe(file)))
    assert 'KillSignal=SIGINT' in unit          # of SIGTERM launch itself dies, and nobody else


# against the real ones

def test_the_stand_in_takes_no_more_than_the_real_ones():
    with pytest.MonkeyPatch.context() as patch:
        for name in fake_launch.MODULES:
            patch.delitem(sys.modules, name, raising=False)
        pytest.importorskip('launch_ros.actions', reason='needs launch_ros: source a ROS 2')
        for module, classes in fake_launch.MODULES.items():
            for ours in classes:
                real = getattr(importlib.import_module(module), ours.__name__)
                takes = {name for base in real.__mro__[:-1] if '__init__' in vars(base)
                         for name in inspect.signature(base.__init__).parameters}
                asked = {name for base in ours.__mro__[:-1] if '__init__' in vars(base)
                         for name, p in inspect.signature(base.__init__).parameters.items()
                         if p.kind is not p.VAR_KEYWORD}
                assert asked <= takes, (module, ours.__name__, asked - takes)
