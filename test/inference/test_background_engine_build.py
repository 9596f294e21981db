# SPDX-License-Identifier: Apache-2.0
"""What serves goes on until something quicker is there, and for good where it never is."""

import threading

from ami_ros.inference.background_engine_build import Growing
import pytest

PATIENCE_S = 20.0


def serves(value):
    def network(**_):
        return [value]
    network.about = f'says {value}'
    return network


def test_the_old_one_serves_until_the_new_one_is_accepted_and_who_waits_is_told():
    go_on, told, accepted = threading.Event(), [], []

    def make(progress):
        assert progress(0.5, 'half') is True
        go_on.wait(PATIENCE_S)
        return serves(2)
    network = Growing(serves(1), 'two', make, accepted.append)
    network.then(lambda new: told.append(new()))
    assert network() == [1] and 'says 1, while two is built' in network.about
    go_on.set()
    assert network.done.wait(PATIENCE_S)
    network._thread.join(PATIENCE_S)
    assert network() == [2] and network.about == 'says 2' and told == [[2]]
    assert [a.about for a in accepted] == ['says 2']
    network.then(lambda new: told.append('late'))
    assert told[-1] == 'late'


@pytest.mark.parametrize('accept', [None, lambda network: 1 / 0])
def test_a_failure_leaves_things_as_they_are_and_tells_nobody(accept):
    told = []

    def make(progress):
        if accept is None:
            raise MemoryError
        return serves(2)
    network = Growing(serves(1), 'two', make, accept)
    network.then(told.append)
    assert network.done.wait(PATIENCE_S) and network() == [1] and not told
    assert 'since two failed: ' in network.about
    assert ('MemoryError' if accept is None else 'division') in network.failed


def test_who_is_told_to_end_is_told_so_at_the_next_step():
    steps, begun = [], threading.Event()

    def make(progress):
        begun.set()
        while progress(0.1, 'on and on'):
            pass
        steps.append('ended')
        raise InterruptedError('ended')
    network = Growing(serves(1), 'two', make)
    assert begun.wait(PATIENCE_S)
    network.end()
    assert steps == ['ended'] and network() == [1]
