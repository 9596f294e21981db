# SPDX-License-Identifier: Apache-2.0
"""The signs of life as a table: who is slow, who is gone, and what to do first."""

import subprocess
import sys

from ami_ros.nodes.convert import Health
from ami_ros.nodes.desk import live
from minded import Minded, NS, picture


def test_a_line_for_each_node_and_what_to_do():
    well = Health('/mind', 0, 'thinking', {'rate_hz': '10', 'jitter_ms': '3', 'age_ms': '12',
                                           'load': '0.2'})
    slow = Health('/actor', 0, '', {'load': '0.95', 'slow': 'load 0.95, limit 0.8: less'})
    bad = Health('/critic', 2, 'the scan is old', {})
    lines = live.table({'/mind': (9.0, well), '/actor': (9.5, slow), '/critic': (9.9, bad),
                        '/sim': (1.0, well)}, 10.0)
    assert lines[0].split()[:3] == ['node', 'state', 'Hz']
    said = {line.split()[0]: line for line in lines[1:]}
    assert said['/mind'].split() == ['/mind', 'well', '10', '3', '12', '0.2']
    assert said['/actor'].endswith('load 0.95, limit 0.8: less')
    assert 'ERROR' in said['/critic'] and said['/critic'].endswith('the scan is old')
    assert 'SILENT' in said['/sim'] and '9.0 s' in said['/sim']


def test_whether_there_is_something_to_do():
    well = (9.9, Health('/mind', 0, '', {}))
    assert not live.wrong({'/mind': well}, 10.0)
    assert live.wrong({}, 10.0) and live.wrong({'/mind': well}, 20.0)
    assert live.wrong({'/mind': (9.9, Health('/mind', 1, '', {}))}, 10.0)
    assert live.wrong({'/mind': (9.9, Health('/mind', 0, '', {'slow': 'x'}))}, 10.0)


def test_a_mind_that_thinks_tells_how_regularly(bench):
    mind = Minded(bench, lock_step=True)
    mind.order(picture(3), 1)
    mind.drive(8)
    values = bench.until(lambda: mind.health().values if 'rate_hz' in mind.health().values
                         else None, 'figures of the pulse')
    assert float(values['rate_hz']) > 0 and 0 <= float(values['load']) <= 1
    program = subprocess.Popen(
        [sys.executable, '-m', 'ami_ros.cli', 'doctor', '--live', '--seconds', '4'],
        env=bench.processes.environment(), stdout=subprocess.PIPE, text=True)
    stamp = [20 * NS]

    def over():
        stamp[0] += NS // 10
        mind.sense(stamp[0])
        mind.command(stamp[0], (0.0, 0.0))
        return program.poll() is not None

    bench.until(over, 'the end of the doctor')
    said = program.stdout.read()
    assert '/mind' in said and 'first thing to do' in said, said
