# SPDX-License-Identifier: Apache-2.0
"""A zone that stands wants more room for the like of what it stopped, and for nothing else."""

from ami_ros.critic.zone_hysteresis import alike, more
import pytest
from rule_contract import memory, situation

AHEAD, BACK, LEFT, RIGHT = (0.1, 0.0), (-0.2, 0.0), (0.0, 0.3), (0.0, -0.4)


@pytest.mark.parametrize(('one', 'other', 'same'), [
    (AHEAD, AHEAD, True), (AHEAD, BACK, False), (AHEAD, LEFT, False), (LEFT, LEFT, True),
    (LEFT, RIGHT, False), ((0.1, 0.3), AHEAD, True), ((0.1, 0.3), LEFT, True),
    ((0.1, -0.3), (-0.1, -0.2), True), ((0.1, -0.3), (-0.1, 0.2), False),
    ((0.0, 0.0), AHEAD, False), (AHEAD, (0.0, 0.0), True), ((0.0, 0.0), (0.0, 0.0), True),
    (BACK, BACK, True), (RIGHT, RIGHT, True), (BACK, AHEAD, False)])
def test_what_is_alike(one, other, same):
    assert alike(one, other) is same


@pytest.mark.parametrize(('standing', 'room'), [
    ((), 0.0), ((('stop_zone', AHEAD),), 0.07), ((('stop_zone', BACK),), 0.0),
    ((('slow_zone', AHEAD),), 0.0), ((('slow_zone', AHEAD), ('stop_zone', BACK)), 0.0),
    ((('stop_zone', BACK), ('stop_zone', AHEAD)), 0.07)])
def test_how_much_more_room_it_wants(standing, room):
    seen = situation(memory=memory(standing=standing))
    assert more('stop_zone', AHEAD, seen, 0.07) == room
