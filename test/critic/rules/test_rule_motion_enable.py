# SPDX-License-Identifier: Apache-2.0
"""A plan needs a permit of its run that was said just now; a hand may but for a stop."""

from ami_ros.core.types import MODES
from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules.motion_enable import MotionEnable
import pytest
from rule_contract import command, NOW, ns, permit, plan, RuleContract, situation, STEADY

OLDEST, FUTURE = 0.35, 0.05
HANDS = ('teleop', 'twist')


class TestPermitted(RuleContract):

    rule = MotionEnable(OLDEST, FUTURE)

    def check(self, said, fine=False, match='', source='mind'):
        asked, seen = command(0.1), situation(plan=plan(source=source), permit=said)
        if fine:
            assert self.rule.limit(asked, seen) == (asked, '')
        else:
            with pytest.raises(Stop, match=match):
                self.rule.limit(asked, seen)

    @pytest.mark.parametrize('mode', [*MODES, 'teleop', 'reset', '', 'AUTONOMOUS', 'armed'])
    def test_a_plan_goes_in_one_mode_alone(self, mode):
        self.check(permit(mode), mode == 'autonomous', 'autonomous|armed|reset')

    @pytest.mark.parametrize('source', HANDS)
    @pytest.mark.parametrize('mode', [*MODES, 'teleop', 'reset', ''])
    @pytest.mark.parametrize('age', [0, ns(1e6), -ns(1e6)])
    def test_a_hand_goes_but_for_a_stop_of_any_age(self, source, mode, age):
        said = permit(mode, run='b', stamp_ns=NOW - age, received_steady_ns=STEADY - age)
        self.check(said, mode != 'stopped', 'until configurator/reset', source)

    @pytest.mark.parametrize('source', HANDS)
    def test_a_hand_needs_no_permit(self, source):
        self.check(None, True, source=source)

    def test_a_plan_needs_one(self):
        self.check(None, match='^no motion enable received; is the configurator running')

    @pytest.mark.parametrize('run', ['', 'b', 'A', 'a '])
    def test_the_permit_of_another_run_is_none(self, run):
        self.check(permit(run=run),
                   match=f"the plan is of run 'a', the motion enable of run '{run}'")

    @pytest.mark.parametrize('more', [-ns(0.1), -1, 0, 1, 1000, ns(0.1), ns(1e6)])
    def test_oldest(self, more):
        age = ns(OLDEST) + more
        self.check(permit(stamp_ns=NOW - age), more <= 0, 'permit is .* s old by its stamp')
        self.check(permit(received_steady_ns=STEADY - age), more <= 0,
                   'permit is .* s old by its arrival, limit 0.350')

    @pytest.mark.parametrize('more', [-ns(0.02), -1, 0, 1, 1000, ns(0.1), ns(1e6)])
    def test_future(self, more):
        ahead = ns(FUTURE) + more
        self.check(permit(stamp_ns=NOW + ahead), more <= 0, 'permit is .* future by its stamp')
        self.check(permit(received_steady_ns=STEADY + ahead), more <= 0,
                   'permit is .* from the future by its arrival, limit 0.050')

    def test_an_old_stop_stays_one_for_plans(self):
        self.check(permit('stopped', stamp_ns=0, received_steady_ns=0), match='is stopped')

    def test_after_a_hand_it_says_what_to_do(self):
        self.check(permit('teleop'), match='teleop took over; .* armed again')

    def test_after_a_reset_it_says_what_to_do(self):
        self.check(permit('reset'), match='a latch was reset; .* armed again')

    @pytest.mark.parametrize('source', ['', 'Mind', 'nobody', None])
    def test_somebody_else_may_not(self, source):
        self.check(permit(), match='is not allowed; mind, teleop and twist are', source=source)

    def test_without_a_plan_nobody_may(self):
        with pytest.raises(Stop, match='no plan'):
            self.rule.limit(command(0.1), situation(plan=None))
