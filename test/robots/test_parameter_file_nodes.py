# SPDX-License-Identifier: Apache-2.0
"""Which node a key of a parameter file means, as ROS decides it, and who was left out."""

from ami_ros.robots import parameter_file_nodes
import pytest

# What rcl does with a key, for the node `critic` in the root, in /robot1 and in /a/robot1.
# Measured with rclpy of Jazzy; a test in test/nodes compares it again.
KEYS = {
    'critic': (True, False, False), '/critic': (True, False, False),
    '/**/critic': (True, True, True), '/*/critic': (False, True, False),
    '/robot1/critic': (False, True, False), 'robot1/critic': (False, True, False),
    '/**': (True, True, True), '/robot1/**': (False, True, False), '/*': (True, False, False),
    '/**/robot1/critic': (False, True, True), '/*/*': (False, True, False),
    '/robot1': (False, False, False), 'robot1/mind': (False, False, False)}
NODES = ('/critic', '/robot1/critic', '/a/robot1/critic')
SAID = '{}:\n  ros__parameters:\n    robot: mine.yaml\n'


@pytest.mark.parametrize('key', KEYS)
def test_a_key_means_the_nodes_that_ros_gives_its_parameters(tmp_path, key):
    file = tmp_path / 'params.yaml'
    file.write_text(SAID.format(key))
    (read, values), = parameter_file_nodes.parameters(file).items()
    assert values == {'robot': 'mine.yaml'}
    assert tuple(parameter_file_nodes.matches(read, full) for full in NODES) == KEYS[key]


def test_a_namespace_may_stand_above(tmp_path):
    file = tmp_path / 'params.yaml'
    file.write_text('robot1:\n  critic:\n    ros__parameters: {a: 1}\n  mind:\n'
                    '    ros__parameters:\n')
    assert parameter_file_nodes.parameters(file) == {
        '/robot1/critic': {'a': 1}, '/robot1/mind': {}}


@pytest.mark.parametrize('text, words', [('a: [', 'is not YAML'), (None, 'cannot be read')])
def test_a_file_that_cannot_be_read(tmp_path, text, words):
    file = tmp_path / 'params.yaml'
    if text is not None:
        file.write_text(text)
    with pytest.raises(ValueError, match=words):
        parameter_file_nodes.parameters(file)


@pytest.mark.parametrize('keys, full, missed', [
    (['/critic', '/mind'], '/robot1/critic', ['/critic']),
    (['/*/critic'], '/critic', ['/*/critic']),
    (['/robot1/critic', '/robot2/critic'], '/robot2/critic', []),   # a file for two robots
    (['/robot1/critic', '/robot2/critic'], '/robot3/critic', ['/robot1/critic', '/robot2/critic']),
    (['/**', '/mind'], '/critic', []), (['/**/critic'], '/critic', [])])
def test_a_key_that_was_meant_for_this_node_is_found(keys, full, missed):
    assert parameter_file_nodes.misses(keys, full) == missed


@pytest.mark.parametrize('words, files', [
    (['critic', '--ros-args', '--params-file', 'a', '-p', 'x:=1', '--params-file', 'b'],
     ['a', 'b']),
    (['critic', '--params-file', 'a'], []),
    (['critic', '--ros-args', '-p', 'x:=1', '--', '--params-file', 'a', '--ros-args',
      '--params-file', 'b'], ['b']),
    (['critic', '--ros-args', '--params-file'], [])])
def test_files_are_found_on_the_command_line_as_rcl_does(words, files):
    assert parameter_file_nodes.given_files(words) == files


def test_the_sentence_names_node_keys_and_what_to_write(tmp_path):
    file = tmp_path / 'params.yaml'
    file.write_text(SAID.format('/robot1/critic') + SAID.format('mind'))
    said = parameter_file_nodes.unnamed('/critic', ['robot', 'safety_policy'], [str(file)])
    for part in ('/critic was not given its robot and safety_policy', f'{file} has parameters of '
                 '/robot1/critic, /mind', 'robot: PATH, safety_policy: PATH below /**/critic',
                 '-p robot:=PATH -p safety_policy:=PATH'):
        assert part in said
    said = parameter_file_nodes.unnamed('/r/mind', ['robot'], [])
    assert 'has parameters of' not in said and '--params-file' in said and '/**/mind' in said
