# SPDX-License-Identifier: Apache-2.0
"""A switch forbids what is towards it, however old its word; an emergency stop everything."""

from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules.bumper_cliff_estop import BumperCliffEstop, TOWARDS
import pytest
from rule_contract import command, NOW, ns, RuleContract, situation, STEADY, switch

KINDS = ('bumper', 'cliff', 'e_stop')
WAYS = {'ahead': (0.1, 0.0), 'back': (-0.1, 0.0), 'left': (0.0, 0.5), 'right': (0.0, -0.5),
        'ahead left': (0.1, 0.5), 'back right': (-0.1, -0.5)}
TURNS = {'left', 'right', 'ahead left', 'back right'}
FORBIDDEN = {       # kind, side
    ('bumper', 'front'): {'ahead', 'ahead left'}, ('bumper', 'back'): {'back', 'back right'},
    ('bumper', 'left'): TURNS, ('bumper', 'right'): TURNS,
    ('cliff', 'front'): {'ahead', 'ahead left', 'left', 'right'},
    ('cliff', 'back'): {'back', 'back right', 'left', 'right'},
    ('cliff', 'left'): TURNS, ('cliff', 'right'): TURNS,
    **{(kind, side): set(WAYS) for kind in KINDS for side in ('', 'above')},
    **{('e_stop', side): set(WAYS) for side in TOWARDS},
}


class TestTouched(RuleContract):

    rule = BumperCliffEstop()

    def asked(self, way, *switches):
        return self.rule.limit(command(*way), situation(switches=switches))

    def stops(self, *switches, match=' is active$', way=(0.1, 0.0)):
        with pytest.raises(Stop, match=match) as stop:
            self.asked(way, *switches)
        return stop.value

    @pytest.mark.parametrize('way', WAYS)
    @pytest.mark.parametrize(('kind', 'side'), FORBIDDEN)
    def test_which_ways(self, kind, side, way):
        pressed = switch(True, kind=kind, side=side)
        if way in FORBIDDEN[kind, side]:
            assert self.stops(pressed, way=WAYS[way]).latch == (kind == 'e_stop')
        else:
            assert self.asked(WAYS[way], pressed).reason == ''
        assert self.asked(WAYS[way], switch(False, kind=kind, side=side)).reason == ''

    @pytest.mark.parametrize('kind', ['bumper', 'cliff'])
    def test_some_way_out_is_left_on_each_side(self, kind):
        for side in TOWARDS:
            assert FORBIDDEN[kind, side] < set(WAYS)
            assert self.asked((0.0, 0.0), switch(True, kind=kind, side=side)).reason == ''

    def test_an_emergency_stop_stops_a_standstill_as_well(self):
        """So a reset is refused while it is pulled."""
        self.stops(switch(True, kind='e_stop'), way=(0.0, 0.0))

    def test_both_ends_in_the_way(self):
        both = switch(True, side='front'), switch(True, side='back', name='rear')
        self.stops(*both, match='^bumper front, front is active')
        self.stops(*both, match='^bumper rear, back is active', way=(-0.1, 0.0))
        assert self.asked((0.0, 0.5), *both).reason == ''

    @pytest.mark.parametrize('index', range(3))
    def test_one_of_many(self, index):
        self.stops(*(switch(i == index, name=f's{i}', kind=k) for i, k in enumerate(KINDS)),
                   match=f'^{KINDS[index]} s{index}')

    @pytest.mark.parametrize('age', [0, ns(0.5), ns(1e6), -ns(1e6)])
    def test_what_said_stop_and_fell_silent_has_not_taken_it_back(self, age):
        self.stops(switch(True, stamp_ns=NOW - age, received_steady_ns=STEADY - age))

    @pytest.mark.parametrize('answer', [None, 0, '', 'no'])
    def test_what_is_neither_yes_nor_no_stops(self, answer):
        self.stops(switch(answer))
