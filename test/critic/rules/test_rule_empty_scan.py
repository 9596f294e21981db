# SPDX-License-Identifier: Apache-2.0
"""A lidar that meets nothing for too long, or never did, stops the robot."""

from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules.empty_scan import EmptyScan, make
import pytest
from rule_contract import (
    around,
    CHOSEN,
    command,
    memory,
    ns,
    ROBOT,
    RuleContract,
    situation,
    STEADY,
)


class TestEmptyScan(RuleContract):

    rule = EmptyScan(1.0, ('scan',))

    @pytest.mark.parametrize('passed_s', around(1.0))
    def test_for_how_long(self, passed_s):
        seen = situation(memory=memory(met=(('other', STEADY), ('scan', STEADY - ns(passed_s)))))
        if ns(passed_s) <= ns(1.0):
            assert self.rule.limit(command(0.3), seen).reason == ''
        else:
            with pytest.raises(Stop, match='the scan has met nothing within its range for 1.* s, '
                                           'limit 1.000 s'):
                self.rule.limit(command(0.3), seen)

    def test_before_it_met_anything_nothing_moves(self):
        with pytest.raises(Stop, match='the scan has met nothing within its range yet'):
            self.rule.limit(command(0.3), situation(memory=memory(met=(('other', STEADY),))))

    def test_each_of_two_lidars_must_meet_something(self):
        with pytest.raises(Stop, match='the rear has met nothing'):
            EmptyScan(1.0, ('scan', 'rear')).limit(command(0.3), situation())


def test_what_it_is_made_of():
    own = CHOSEN.rules['empty_scan']
    assert make(own, CHOSEN.shared, ROBOT) == EmptyScan(own.max_empty_s, ('scan',))
