# SPDX-License-Identifier: Apache-2.0
"""Every wrong parameter of every node is refused with what is right, and leaves nothing behind."""

from collections import Counter
import dataclasses

from ami_ros.nodes import parameters
from ami_ros.validation.stack.processes import NODES
import pytest
from rcl_interfaces.msg import SetParametersResult
from rclpy.exceptions import ParameterNotDeclaredException
from rclpy.node import Node


@pytest.fixture(scope='module')
def wrong():
    from ami_ros.validation.fuzzing import parameters as wrong_parameters
    return wrong_parameters


def test_all_are_refused(wrong):
    tried, failed = Counter(), []
    for node, when, what, complaint in wrong.everything():
        tried[node, when] += 1
        tried[what.way] += 1
        failed += [f'{node}, {when}: {complaint}'] if complaint else []
    assert not failed, '\n'.join(failed[:10])
    fields = {name: len(parameters.names(groups)) for name, groups in wrong.GROUPS.items()}
    assert set(fields) == set(NODES)
    for name, count in fields.items():
        assert min(tried[name, 'start'], tried[name, 'running']) >= 7 * count
    assert tried['critic', 'policy file'] > 200
    assert {'nan', 'inf', '-inf', 'just below', 'just above', 'type', 'unknown', 'read-only',
            'clash', 'clash with what is', 'missing', 'no such thing'} <= set(tried)


def failures(wrong):
    return [what for *_, what in wrong.everything() if what]


def test_it_would_find_a_range_that_is_not_looked_at(wrong, monkeypatch):
    monkeypatch.setattr(wrong.parameters, 'build', lambda kind, values, where: kind(
        **{f.name: values.get(f.name, f.default) for f in dataclasses.fields(kind)}))
    assert any('does not say' in what or 'let through' in what for what in failures(wrong))


def test_it_would_find_a_change_that_is_taken_by_half(wrong, monkeypatch):
    def watch(node, made):
        def one_by_one(changes):
            try:
                return [Node.set_parameters_atomically(node, [one]) for one in changes][-1]
            except ParameterNotDeclaredException as why:
                return SetParametersResult(successful=False, reason=str(why))

        node.set_parameters_atomically = one_by_one
        node.set_parameters = lambda changes: [one_by_one(changes)]

    monkeypatch.setattr(wrong.parameters, 'watch', watch)
    assert any('half applied' in what for what in failures(wrong))
