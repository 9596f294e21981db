# SPDX-License-Identifier: Apache-2.0
"""The signs of life as a table: who is slow, who is gone, and what to do first."""

import subprocess
import sys

from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.nodes.message_conversions import Health
from ami_ros.operator import live_table
from fake_mind_peers import Minded, picture
import pytest

WELL = Health('/mind', 0, 'working', {'rate_hz': '10', 'jitter_ms': '3', 'age_ms': '12',
                                       'load': '0.2', 'load.actor': '0.15'})
SLOW = Health('/actor', 0, '', {'load': '0.95', 'slow': 'load 0.95, limit 0.8: less'})
BAD = Health('/critic', 2, 'the scan is old', {})


def test_a_line_for_each_node_and_what_to_do():
    lines = live_table.table({'/mind': (9.0, WELL), '/actor': (9.5, SLOW), '/critic': (9.9, BAD),
                        '/sim': (1.0, WELL)}, 10.0)
    assert lines[0].split()[:3] == ['node', 'state', 'Hz']
    said = {line.split()[0]: line for line in lines[1:-2]}
    assert said['/mind'].split() == ['/mind', 'well', '10', '3', '12', '0.2']
    assert lines[lines.index(said['/mind']) + 1].split() == ['actor', '0.15']
    assert lines[lines.index(said['/mind']) + 1].index('0.15') == said['/mind'].index('0.2')
    assert said['/actor'].split()[1] == 'slow'
    assert said['/actor'].endswith('load 0.95, limit 0.8: less')
    assert 'ERROR' in said['/critic'] and said['/critic'].endswith('the scan is old')
    assert 'SILENT' in said['/sim'] and '9.0 s' in said['/sim']


def test_how_surprised_it_is_stands_beside_what_is_ordinary_for_its_module():
    values = {'surprise': 'half below 0.61, 95 % below 2.40',
              'surprise_ordinary': 'half below 0.50, 95 % below 0.90, 99 % below 1.20'}
    lines = live_table.table({'/mind': (0.0, Health('/mind', 0, 'working', values))}, 0.0)
    assert any('95 % below 2.40; ordinary for this module: half below 0.50' in line
               for line in lines)


@pytest.mark.parametrize('value, wrong', [('0.41', False), ('1.00', False), ('1.31', True),
                                          ('nan', False)])
def test_images_unlike_the_training_data_are_told(value, wrong):
    values = {'out_of_distribution': value, 'out_of_distribution_largest': '1.40'}
    heard = {'/mind': (0.0, Health('/mind', 0, 'working', values))}
    lines = live_table.table(heard, 0.0)
    said = next(line for line in lines if line.startswith('  out_of_distribution'))
    assert ('not measured in this module' if value == 'nan' else f'{value} now') in said
    assert live_table.wrong(heard, 0.0) == wrong
    assert ('check whether the robot is in its own place' in lines[-1]) == wrong


def test_the_first_thing_to_do_is_the_gravest():
    heard = {'/mind': (9.9, WELL)}
    assert live_table.first(heard, 10.0) == 'Nothing to do.'
    heard['/actor'] = (9.9, SLOW)
    assert live_table.first(heard, 10.0) == 'First: /actor: load 0.95, limit 0.8: less'
    heard['/critic'] = (9.9, BAD)
    assert live_table.first(heard, 10.0) == 'First: /critic: the scan is old'
    heard['/sim'] = (1.0, WELL)
    assert live_table.first(heard, 10.0) == 'First: see whether the process of /sim runs'
    assert 'ROS_DOMAIN_ID' in live_table.first({}, 10.0)


def test_whether_there_is_something_to_do():
    assert not live_table.wrong({'/mind': (9.9, WELL)}, 10.0)
    assert live_table.wrong({}, 10.0) and live_table.wrong({'/mind': (9.9, WELL)}, 20.0)
    assert live_table.wrong({'/critic': (9.9, BAD)},
                            10.0) and live_table.wrong({'/actor': (9.9, SLOW)}, 10.0)


def test_a_mind_that_thinks_tells_how_regularly(bench):
    mind = Minded(bench, lock_step=True)
    mind.order(picture(3), 1)
    mind.drive(8)
    values = bench.until(lambda: mind.health().values if 'rate_hz' in mind.health().values
                         else None, 'figures of the pulse')
    assert float(values['rate_hz']) > 0 and 0 <= float(values['load']) <= 1
    stages = [float(values[f'load.{name}']) for name in ('perception', 'world_model', 'actor')]
    assert all(load > 0 for load in stages)
    assert sum(stages) <= float(values['load']) * 1.02     # each is rounded
    assert 'slow' not in values         # in lock-step nothing is
    program = subprocess.Popen(
        [sys.executable, '-m', 'ami_ros.cli', 'doctor', '--live', '--seconds', '4'],
        env=bench.processes.environment(), stdout=subprocess.PIPE, text=True)
    bench.until(lambda: program.poll() is not None, 'the end of the doctor')
    said = program.stdout.read()
    assert program.returncode == 1 and 'first thing to do' in said, said
    assert 'First: /mind: waiting for camera/image_raw' in said     # nobody sends any more


def test_the_critic_tells_how_it_ticks(bench):
    bench.start('critic', **{'health.min_rate_hz': 1000.0})
    bench.hear(topics.DIAGNOSTICS)

    def said():
        return next((health for msg in bench.heard[topics.DIAGNOSTICS.name]
                     for health in convert.health_from(msg) if 'slow' in health.values), None)

    health = bench.until(said, 'that the critic ticks too seldom')
    assert 20 < float(health.values['rate_hz']) < 60 and float(health.values['age_ms']) == 0.0
    assert health.values['slow'].startswith('rate_hz') and 'limit 1000' in health.values['slow']
    assert health.level == 0


def test_a_value_of_another_package_is_no_figure():
    heard = {'/other': (0.0, Health('/other', 0, 'working', {'out_of_distribution': 'yes'}))}
    assert not live_table.wrong(heard, 0.0)
