# SPDX-License-Identifier: Apache-2.0
"""Processes of a session are started as they are asked for, and again when they may be."""

import time

from ami_ros.robots import parameter_file_nodes
from ami_ros.validation.stack.processes import ChildEnded, NODES, Processes, RECORDER
import pytest

PATIENCE_S = 20.0


def test_remaps_and_parameters_are_said_to_ros(tmp_path):
    with Processes(1, tmp_path, {'mind': ['-c', 'pass']}) as processes:
        child = processes.start('mind', {'lock_step': True}, ('a.yaml',),
                                (('actor/plan', 'actor/plan_raw'),))
    said = ' '.join(child.args)
    assert said.endswith(f'--ros-args --params-file {tmp_path}/rover.yaml --params-file a.yaml '
                         '-p lock_step:=true -r actor/plan:=actor/plan_raw')


def test_who_may_is_started_again_after_a_while_and_who_may_not_ends_all(tmp_path):
    with Processes(1, tmp_path, {'mind': ['-c', 'print("well")']}) as processes:
        processes.respawn, processes.respawn_s = {'mind'}, 0.3
        child = processes.start('mind', {})
        child.wait(PATIENCE_S)
        processes.check()
        found_s = time.monotonic()
        while processes.running['mind'] is child:
            assert time.monotonic() - found_s < PATIENCE_S
            processes.check()
        assert time.monotonic() - found_s >= 0.29
        processes.running['mind'].wait(PATIENCE_S)
        assert processes.log('mind').read_text() == 'well\nwell\n'
        processes.respawn = set()
        with pytest.raises(ChildEnded, match='mind ended with code 0: well'):
            processes.check()


def test_a_trial_names_the_rover_to_every_node_and_a_person_s_file_wins(tmp_path):
    processes = Processes(1, tmp_path)
    for name in (*NODES, RECORDER):
        given = parameter_file_nodes.parameters(processes.rover)[f'/**/{name}']
        assert given['robot'] == 'rover' and ('safety_policy' in given) == (name == 'critic')
