# SPDX-License-Identifier: Apache-2.0
"""What fuzzing found in the critic: each bug once, in the smallest form."""

from ami_ros.critic.critic import Critic
import pytest
from rule_contract import (
    CHOSEN,
    NOW,
    ns,
    odometry,
    permit,
    plan,
    ROBOT,
    scan,
    STEADY,
    switch,
    view,
)


def ready(*plans) -> Critic:
    made = Critic(CHOSEN, ROBOT)
    made.on_scan(scan())
    made.on_odometry(odometry())
    made.on_view(view())
    made.on_permit(permit())
    for p in plans:
        made.on_plan(p, STEADY)
    return made


@pytest.mark.parametrize('other', ['no plan', 'no permit', 'a stale scan'])
def test_an_emergency_stop_latches_also_while_another_rule_stops(other):
    """It was pressed and let go while the robot stood for another reason, and nothing latched."""
    c = ready(*(() if other == 'no plan' else (plan(0.1),)))
    if other == 'no permit':
        c.on_permit(permit('idle'))
    if other == 'a stale scan':
        c.on_scan(scan(stamp_ns=NOW - ns(1)))
    c.on_switch(switch(True, kind='e_stop', name='button'))
    c.judge(NOW, STEADY)
    c.on_switch(switch(False, kind='e_stop', name='button'))
    c.on_scan(scan())
    c.on_permit(permit())
    c.on_plan(plan(0.1), STEADY)
    verdict = c.judge(NOW, STEADY)
    assert verdict.action == 'stop' and verdict.rule == 'bumper_cliff_estop' and verdict.latch
    assert verdict.reason == 'e_stop button is active; latched until critic/reset'
    assert c.reset(NOW, STEADY) == ''


def test_a_permit_that_cannot_be_read_is_none():
    c = ready(plan(0.1))
    assert c.judge(NOW, STEADY).rule != 'motion_enable'
    c.forget_permit()
    assert c.drivers.permit is None and c.judge(NOW, STEADY).mode == ''
