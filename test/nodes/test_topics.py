# SPDX-License-Identifier: Apache-2.0
"""The table of topics says who may publish what."""

from ami_ros.nodes import topics
from ami_ros.recording.internal_topics import COMMAND, OWN
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy


def test_every_row_is_in_the_table_once():
    rows = [row for row in vars(topics).values() if isinstance(row, topics.Topic)]
    names = [row.name for row in topics.TOPICS]
    assert sorted(row.name for row in rows) == sorted(names)
    assert len(names) == len(set(names))


def test_names_are_relative_but_for_the_clock():
    assert [t.name for t in topics.TOPICS if t.name.startswith(('/', '~'))] == ['/clock']


def test_only_the_critic_commands_the_wheels():
    assert topics.COMMAND.owner == 'critic'
    moving = [t for t in topics.TOPICS if t.type.__name__.startswith('Twist')]
    assert moving == [topics.HAND, topics.FOREIGN, topics.COMMAND]     # what it hears, and says
    assert {t.owner for t in moving[:2]} == {'person', ''}
    assert {topics.command(stamped).name for stamped in (True, False)} == {'cmd_vel'}
    for row in moving:
        assert topics.command(True, row) == row
        assert topics.command(False, row).type.__name__ == 'Twist'


def test_only_the_simulator_knows_the_truth():
    assert all(t.owner == 'sim' for t in topics.TOPICS if 'truth' in t.name)


def test_sensors_are_newest_only_and_offered_reliably():
    sensors = [t for t in topics.TOPICS if t.qos is topics.SENSOR]
    assert {t.owner for t in sensors} == {'body'}
    for topic in sensors:
        assert topic.qos.depth == 1
        assert topic.subscriber(print)[3].reliability == ReliabilityPolicy.BEST_EFFORT
        assert topic.publisher()[2].reliability == ReliabilityPolicy.RELIABLE


def test_a_goal_never_comes_back_by_itself():
    for topic in (topics.GOAL_IMAGE, topics.GOAL):
        assert topic.qos.reliability == ReliabilityPolicy.RELIABLE
        assert topic.qos.durability in (DurabilityPolicy.VOLATILE,
                                        DurabilityPolicy.SYSTEM_DEFAULT)


def test_what_a_recording_never_takes_for_a_sensor_is_in_the_table():
    own = {t.name for t in topics.TOPICS if t.owner != 'body'} - {topics.COMMAND.name}
    assert sorted(OWN) == sorted(own)
    assert COMMAND == topics.COMMAND.name
