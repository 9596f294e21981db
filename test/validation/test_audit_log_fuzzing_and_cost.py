# SPDX-License-Identifier: Apache-2.0
"""The tools that try the audit log try it: a spoilt log is told, and what it costs is measured."""

import json
import os

import pytest


@pytest.fixture
def tools(monkeypatch):
    from ami_ros.critic.audit import event_selection
    from ami_ros.critic.audit import log as audit_log
    for owner, name in ((audit_log, 'GATHER_S'), (os, 'fsync'), (os, 'write'),
                        (event_selection, 'BURST'),
                        (event_selection, 'A_SECOND')):
        monkeypatch.setattr(owner, name, getattr(owner, name))      # the tools change them
    return monkeypatch


def test_a_spoilt_log_is_told_and_gone_on_with(tools, tmp_path):
    from ami_ros.validation.fuzzing import audit_log as fuzz_audit
    assert fuzz_audit.main([str(tmp_path / 'r.json'), '--count', '200', '--seed', '501']) == 0
    said = json.loads((tmp_path / 'r.json').read_text())
    assert said['bad'] == 0 and sum(said['came'].values()) == 200 and len(said['came']) > 10


def test_a_reader_that_sees_nothing_would_be_found_out(tools, tmp_path):
    from ami_ros.validation.fuzzing import audit_log as fuzz_audit
    tools.setattr(fuzz_audit, 'said_of', lambda folder: (False, False))
    assert fuzz_audit.main([str(tmp_path / 'r.json'), '--count', '20']) == 1


def test_a_tick_is_measured_in_each_condition(tools, tmp_path):
    from ami_ros.validation.benchmarks import audit_log_cost
    tools.setattr(audit_log_cost, 'BLOCK', 12)
    tools.setattr(audit_log_cost, 'take_priority', lambda: 'not here')
    assert audit_log_cost.main([str(tmp_path / 'r.json'), '--rounds', '1']) == 0
    said = json.loads((tmp_path / 'r.json').read_text())
    assert {name: took['n'] for name, took in said['took_ms'].items()} == dict.fromkeys(
        ('none', 'log', 'slow disk', 'full disk'), 12)
    assert said['findings'] == [] and 12 <= said['noted'] <= 14
    assert 0.3 < said['share_of_stops'] < 0.8
