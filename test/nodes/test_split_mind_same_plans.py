# SPDX-License-Identifier: Apache-2.0
"""One process a node plans what one process plans, bit for bit, over the same topics."""

from fake_mind_peers import Minded, NS, picture, same_plan
import pytest

FRAMES = 8


@pytest.fixture(scope='module')
def driven():
    return {}


@pytest.mark.parametrize('nodes', [('mind',), ('perception', 'world_model', 'actor')])
def test_the_same_frames_make_the_same_plans(bench, driven, nodes):
    mind = Minded(bench, nodes, lock_step=True)
    mind.order(None, 0)
    plans = mind.drive(1)
    for number in (1, 2):                       # the second goal replaces the first
        mind.order(picture(1000 + number), number)
        plans += mind.drive(FRAMES, begin=(10 + number) * NS)
    mind.order(None, 0, 'b')
    mind.order(picture(1003), 3, 'b')
    plans += mind.drive(FRAMES, begin=20 * NS)
    assert [plan.goal for plan in plans] == [0] + FRAMES * [1] + FRAMES * [2] + FRAMES * [3]
    assert all(plan.knots.any() for plan in plans[1:])
    driven[nodes] = plans
    for other in driven.values():
        assert all(map(same_plan, plans, other))
        assert [(p.number, p.start_ns, p.run) for p in plans] == [
            (p.number, p.start_ns, p.run) for p in other]
