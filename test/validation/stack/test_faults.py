# SPDX-License-Identifier: Apache-2.0
"""Harm is done to a whole robot: it stops in time, comes back, and all of that is on paper."""

import json
import os
from pathlib import Path

from ami_ros.cli import main as cli
import pytest

pytest.importorskip('pybullet', reason='needs pybullet: make setup')
pytest.importorskip('onnxruntime', reason='needs onnxruntime: make setup')


def children():
    """Command lines of this process's children."""
    said = []
    for status in Path('/proc').glob('[0-9]*/status'):
        try:
            if f'\nPPid:\t{os.getpid()}\n' in status.read_text():
                said.append((status.parent / 'cmdline').read_text())
        except OSError:
            continue            # it has just ended
    return [line for line in said if 'ami_ros' in line]


@pytest.mark.slow
def test_a_robot_stops_in_time_comes_back_and_nothing_is_left_running(tmp_path, capfd):
    report = tmp_path / 'faults.json'
    words = ['faults', '--repeats', '1', '--seed', '4', '--report', str(report), '--only']
    before = {name: value for name, value in os.environ.items() if 'ROS' in name}
    status = cli.main([*words, 'mind_killed', 'lidar_nan', 'power_cut_while_latched'])
    said = capfd.readouterr().out
    assert status in (0, 1) and 'power_cut_while_latched 1/1: ' in said     # 1: a bound, if busy
    assert children() == []
    assert {name: value for name, value in os.environ.items() if 'ROS' in name} == before
    read = json.loads(report.read_text())
    entries = {entry['name']: entry for entry in read['faults']}
    assert read['not_possible_yet'] == []
    killed, blind = entries['mind_killed'], entries['lidar_nan']
    cut = entries['power_cut_while_latched']
    assert cut['latched'] is True and cut['collisions'] == 0 and cut['recovered'] is True, said
    for entry in (killed, blind):
        assert entry['expected'] == 'stop' and entry['repeats'] == 1
        assert entry['collisions'] == 0 and entry['recovered'] is True, said
        assert entry['verdict_named_the_cause'] is True, said
        assert 0 < entry['time_to_zero_s']['max'] < entry['time_to_stand_s']['max']
        assert 0 < entry['distance_after_m']['max'] < 0.6
        assert entry['outcomes'][0]['speed_at_strike_mps'] > 0.5
    assert killed['latched'] is True and blind['latched'] is False
    assert killed['time_to_zero_s']['p50'] > 0.1 > blind['time_to_zero_s']['p50']
    assert 0 < blind['tamper_ms']['p50'] < 50 and 'tamper_ms' not in killed
    was = report.read_text()
    assert cli.main([*words, 'mind_killed', 'power_cut_while_latched']) in (0, 1)
    assert f'mind_killed: is in {report} already' in capfd.readouterr().out
    assert report.read_text() == was
    assert cli.main([*words[:3], '--seed', '5', *words[5:], 'mind_killed']) == 1
    assert 'is of another campaign: seed 4, now 5' in capfd.readouterr().err
