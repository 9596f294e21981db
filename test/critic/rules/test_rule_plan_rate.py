# SPDX-License-Identifier: Apache-2.0
"""Plans come as often as they should."""

from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules.plan_rate import PlanRate, PlanRateParams
import pytest
from rule_contract import command, memory, ns, plan, RuleContract, situation, STEADY


class TestCadence(RuleContract):

    rule = PlanRate(5.0, 60.0, 1.0)

    def at(self, *ago, source='mind'):
        came = tuple(STEADY - ns(t) for t in sorted(ago, reverse=True))
        return self.rule.limit(command(0.1), situation(memory=memory(arrivals=came),
                                                       plan=plan(source=source)))

    def even(self, count, **more):
        return self.at(*(i / count * 0.999 for i in range(count)), **more)

    @pytest.mark.parametrize('source', ['mind', 'teleop', 'twist'])
    @pytest.mark.parametrize('count', [59, 60, 61, 500])
    def test_a_flood(self, count, source):
        if count <= 60:
            assert self.even(count, source=source).reason == ''
        else:
            with pytest.raises(Stop, match=rf'{count}\.0 plans a second come, limit 60.0'):
                self.even(count, source=source)

    @pytest.mark.parametrize('count', [0, 1, 4, 5, 6])
    def test_starving(self, count):
        ago = [*(0.2 * i for i in range(count)), 1.1]
        assert self.at(*ago, source='teleop').reason == ''
        assert self.at(*ago[:-1]).reason == ''              # it has just begun
        assert self.at(*ago[:-1], 2.1).reason == ''         # what went before was long ago
        if count >= 5:
            assert self.at(*ago).reason == ''
        else:
            with pytest.raises(Stop, match=rf'{count}\.0 plans a second come, 5.0 are needed'):
                self.at(*ago)

    def test_just_at_the_edge_of_a_window(self):
        with pytest.raises(Stop, match='4.0 plans a second come, 5.0'):
            self.at(0.0, 0.1, 0.2, 0.3, 1.0)        # a whole window ago is no more within it
        assert self.at(0.0, 2.0).reason == ''

    def test_without_a_plan_nobody_drives(self):
        with pytest.raises(Stop, match='no plan'):
            self.rule.limit(command(0.1), situation(plan=None))

    def test_some_number_is_right(self):
        with pytest.raises(ValueError, match='min_plans_hz = 9.0 must be less than max_plans_hz'):
            PlanRateParams(min_plans_hz=9.0, max_plans_hz=9.0, cadence_s=1.0)
