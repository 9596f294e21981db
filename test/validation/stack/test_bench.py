# SPDX-License-Identifier: Apache-2.0
"""The benchmark says what it measured, where, and how noisy it was there."""

import argparse
import json
import os
import time

from ami_ros.cli import bench as verb
from ami_ros.validation.stack import bench, timer_jitter
import pytest


@pytest.fixture(autouse=True)
def own_environment():
    """Forget afterwards what a session sets for itself."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def test_the_median_over_blocks_is_taken_of_every_figure():
    blocks = [{'a': {'p50': value, 'max': None if value == 2 else value}, 'n': 3}
              for value in (5, 1, 2)]
    assert bench.median(blocks) == {'a': {'p50': 2.0, 'max': 3.0}, 'n': 3.0}
    assert bench.median([None, None]) is None


def test_a_bare_timer_is_late_and_never_early():
    with timer_jitter.Probe() as probe:
        time.sleep(0.5)
    assert probe.late_ms and min(probe.late_ms) >= 0


def test_the_command_line_knows_every_mode():
    assert verb.MODES == tuple(bench.MODES)


def test_every_mode_and_stage_is_in_the_table():
    row = dict.fromkeys(bench.SAY, 1.5)
    stages = {stage: {**row, 'noise': row} for stage in bench.STAGES}
    said = {mode: {'latency_ms': stages} for mode in bench.MODES}
    said['composed'] |= {'ros_overhead_ms': row, 'plans': {'missed': 1, 'periods': 100}}
    said['life'] = {'cold_start': [{'first_plan_s': 1.25}], 'revival_s': {'killed': [0.7]},
                    'idle': {'cores': {'critic': 0.02}, 'cores_together': 0.03}}
    text = bench.table(said)
    assert all(title in text for title in bench.MODES.values())
    assert '1.25' in text and 'killed' in text and '0.03' in text
    assert text.count('camera_to_command') == len(bench.MODES) and '1 of 100' in text
    assert max(map(len, text.split('\n'))) <= 120


@pytest.mark.slow
def test_it_measures(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(bench, 'BLOCKS', 1)
    path = tmp_path / 'new' / 'report.json'
    said = []
    assert bench.main(argparse.Namespace(
        backend='onnx', precision='float32',
        report=path, module='', seconds=2.0, repeats=1, idle_seconds=3.0,
        modes=list(bench.MODES)), said.append) == 0
    report = json.loads(path.read_text())
    line = json.loads(capfd.readouterr().out.strip().split('\n')[-1])
    assert line['latency_ms'] == report['latency_ms']
    life = report['life']
    assert 0 < life['cold_start'][0]['ready_s'] < life['cold_start'][0]['first_plan_s'] < 60
    assert set(life['revival_s']) == {'killed', 'frozen'}
    assert min(min(took) for took in life['revival_s'].values()) > 0.5
    assert set(life['idle']['cores']) == {'critic', 'configurator', 'mind'}
    assert 0 < life['idle']['cores_together'] < 2
    assert set(report['composed_640']['processes']) >= {'critic', 'configurator', 'mind', 'sim'}
    for where in (report, report['separate'], report['composed_640']):
        for stage in ('encode', 'plan', 'encode_plan', 'critic', 'camera_to_command'):
            took = where['latency_ms'][stage]
            assert 0 < took['p50'] <= took['p95'] <= took['p99'] <= took['max']
            assert set(took['noise']) == {'p50', 'p95', 'p99', 'max'}
    assert {'p50', 'p99'} <= set(report['ros_overhead_ms'])
    assert {'cpu', 'cores', 'kernel'} <= set(report['machine'])
    assert {'python', 'numpy', 'onnxruntime', 'rclpy'} <= set(report['versions'])
    assert report['threads']['OMP_NUM_THREADS'] == '1'
