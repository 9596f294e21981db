# SPDX-License-Identifier: Apache-2.0
"""A person hears once, and rightly, what became of the goal that they gave."""

from ami_ros.operator.goal_client import AGAIN_S, GoalClient, PATIENCE_S, SILENT_S, STALE_S
import pytest

IDLE = {'mode': 'idle', 'goal': '0', 'goals': '4', 'task': 'none', 'reason': '',
        'acknowledged': '1'}
ARMED = {**IDLE, 'mode': 'autonomous'}
TAKEN = {**ARMED, 'goal': '5', 'goals': '5', 'task': 'driving', 'acknowledged': '0'}
FOLLOWED = {**TAKEN, 'acknowledged': '1'}
ARRIVING = {**FOLLOWED, 'task': 'arriving'}
OVER = {**ARMED, 'goals': '5', 'task': 'arrived', 'reason': 'goal 5 arrived'}
LOOKED = {**FOLLOWED, 'mode': 'dry_run', 'task': 'arrived'}


def given(before=ARMED, wait=False) -> GoalClient:
    """Return an errand whose picture went out at 1 s."""
    errand = GoalClient(0.0, wait)
    assert not errand.may_give(0.5)             # nobody knows yet whether it may be given
    errand.on_status(before, 1.0)
    assert errand.may_give(1.0)
    errand.given(1.0)
    assert not errand.may_give(1.0 + AGAIN_S)
    return errand


def after(errand, *statuses, at_s=1.1) -> tuple[str, str]:
    for said in statuses:
        errand.on_status(said, at_s)
    return errand.over, errand.why


@pytest.mark.parametrize('wait, statuses, over, why', [
    (False, [TAKEN], '', ''),                   # the mind does not have it yet
    (False, [ARMED, TAKEN, FOLLOWED], 'taken', 'goal 5: taken'),
    (False, [{**FOLLOWED, 'mode': 'dry_run'}], 'taken', 'goal 5: taken; nothing moves in dry_run'),
    (True, [TAKEN, FOLLOWED], '', ''),
    (True, [TAKEN, FOLLOWED, ARRIVING], '', ''),        # it may be taken back
    (True, [TAKEN, ARRIVING, FOLLOWED, ARRIVING, OVER], 'arrived', 'goal 5: arrived'),
    (True, [TAKEN, LOOKED], 'arrived', 'goal 5: arrived'),
    (True, [FOLLOWED, {**OVER, 'reason': 'goal 4 arrived'}], 'failed', 'goal 5: goal 4 arrived'),
    (False, [ARRIVING], 'taken', 'goal 5: taken'),
    (True, [FOLLOWED, {**FOLLOWED, 'goal': '6', 'goals': '6'}], 'failed',
     'goal 5: goal 6 took its place'),
    (True, [FOLLOWED, {**ARMED, 'goals': '5', 'reason': 'cancelled'}], 'failed',
     'goal 5: cancelled'),
    (True, [FOLLOWED, {**ARMED, 'goals': '5', 'task': 'failed', 'reason':
                       'goal 5 failed: it was not reached within 600 s'}], 'failed',
     'goal 5: it was not reached within 600 s'),
    (True, [FOLLOWED, {**IDLE, 'goals': '5'}], 'failed', 'goal 5: it is over'),
    (False, [{**ARMED, 'reason': 'too dark'}], 'failed', 'refused: too dark'),
    (False, [ARMED, ARMED], '', ''),
])
def test_what_becomes_of_a_goal(wait, statuses, over, why):
    assert after(given(wait=wait), *statuses) == (over, why)


@pytest.mark.parametrize('mode', ['idle', 'manual', 'stopped'])
def test_who_plans_for_nobody_is_given_nothing(mode):
    errand = GoalClient(0.0, False)
    errand.on_status({**IDLE, 'mode': mode}, 1.0)
    assert errand.over == 'failed' and not errand.may_give(1.0)
    assert f'the mode is {mode}' in errand.why and 'ami-ros mode autonomous' in errand.why


def test_the_same_reason_as_before_counts_only_when_it_can_be_of_this_picture():
    errand = given({**ARMED, 'reason': 'too dark'})
    old = {**ARMED, 'reason': 'too dark'}
    assert after(errand, old, at_s=1.0 + STALE_S) == ('', '')
    assert after(errand, old, at_s=1.1 + STALE_S) == ('failed', 'refused: too dark')


def test_a_lost_picture_is_given_again_and_may_count_twice():
    errand = given(wait=True)
    assert errand.may_give(1.1 + AGAIN_S)
    errand.given(1.1 + AGAIN_S)
    after(errand, FOLLOWED, {**FOLLOWED, 'goal': '6', 'goals': '6'})
    assert (errand.over, errand.news) == ('', 'goal 6: driving')
    assert after(errand, {**FOLLOWED, 'goal': '7', 'goals': '7'}) == (
        'failed', 'goal 6: goal 7 took its place')


def test_nobody_waits_for_ever():
    errand = GoalClient(0.0, True)
    errand.tick(PATIENCE_S)
    assert not errand.over
    errand.tick(PATIENCE_S + 0.1)
    assert 'no message came on configurator/status' in errand.why

    errand = given(wait=True)
    errand.tick(1.0 + SILENT_S)
    assert not errand.over
    errand.tick(1.1 + SILENT_S)
    assert 'sent no status' in errand.why

    errand = given()                            # nobody hears the picture
    after(errand, ARMED, at_s=2 * PATIENCE_S)
    errand.tick(2 * PATIENCE_S + 0.1)
    assert errand.why == 'goal/image has no subscriber'

    for wait, over in ((False, 'failed'), (True, '')):
        errand = given(wait=wait)
        after(errand, TAKEN, at_s=1.1 + 2 * PATIENCE_S)
        errand.tick(1.1 + 2 * PATIENCE_S)
        assert errand.over == over              # with --wait the configurator gives it up


def test_what_is_over_stays_so():
    errand = given()
    after(errand, FOLLOWED, {**IDLE, 'reason': 'lost'})
    errand.tick(1e9)
    assert (errand.over, errand.why, errand.news) == ('taken', 'goal 5: taken', '')
