# SPDX-License-Identifier: Apache-2.0
"""The whole critic, through any inputs in any order: bounded answers, to who may drive alone."""

from dataclasses import replace
import math

from ami_ros.core.image_stats import view_of
from ami_ros.core.types import Command
from ami_ros.critic.critic import Critic
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, RuleBasedStateMachine
import numpy as np
from rule_contract import (
    ANGLES,
    CHOSEN,
    imu,
    odometry,
    permit,
    plan,
    ROBOT,
    scan,
    sensor,
    STRICT,
    switch,
)

NUMBER = st.one_of(st.floats(-1, 1), st.floats(allow_nan=True, allow_infinity=True))
AWAY_S = st.sampled_from((0.0, 0.0, 0.0, 0.02, 0.06, 0.26, 0.4, -0.04, -0.06, 3.0, -3.0))
MODES = st.sampled_from(('autonomous',) * 4 + ('idle', 'manual', 'stopped', 'dry_run'))
EQUIPPED = replace(ROBOT, sensors=(*ROBOT.sensors, sensor('Imu', 'gyro'),
                                   sensor('bumper', 'front', required=False)))


class TheCritic(RuleBasedStateMachine):
    """Sound inputs and others, in any order, at any pace; the clock may jump."""

    @initialize(strict=st.booleans())
    def begin(self, strict):
        self.policy = STRICT if strict else CHOSEN
        self.critic = Critic(self.policy, EQUIPPED if strict else ROBOT)
        self.now, self.steady = 10**12, 10**10
        self.verdict, self.asked = None, []
        self.mode, self.pressed = '', False

    def when(self, away_s=0.0):
        return {'stamp_ns': self.now - round(away_s * 1e9), 'received_steady_ns': self.steady}

    @rule(seconds=st.floats(0.0, 0.5))
    def passes(self, seconds):
        self.now += round(seconds * 1e9)
        self.steady += round(seconds * 1e9)

    @rule(seconds=st.sampled_from((-100.0, -0.3, -0.01, 0.3, 100.0)))
    def jumps(self, seconds):
        self.now += round(seconds * 1e9)

    @rule(v=st.floats(-0.6, 0.6), w=st.floats(-1.5, 1.5), ranges=st.floats(0.15, 4.0))
    def all_is_well(self, v, w, ranges):
        """A tenth of a second in which everybody does what he should."""
        for _ in range(5):
            self.passes(0.02)
            self.critic.on_odometry(odometry(v, w, pose=np.array([self.now / 1e13, 0, 0]),
                                             **self.when()))
            self.critic.on_imu(imu(name='gyro', acceleration=np.array([0, 0, 9.8]), **self.when()))
            self.critic.on_scan(scan(np.full(180, ranges) + self.steady % 97 / 1e4, **self.when()))
            picture = np.random.default_rng(self.steady).integers(0, 256, (8, 8, 3), np.uint8)
            self.critic.on_view(view_of(picture, ROBOT.camera.name, self.now, self.steady))
            self.permits('autonomous', 'a', 0.0)
            self.plans(v, w, 'a', 0.0)
            self.judged()

    @rule(v=NUMBER, w=NUMBER, run=st.sampled_from('aab'), away_s=AWAY_S)
    def plans(self, v, w, run, away_s):
        self.critic.on_plan(plan(v, w, start_ns=self.now - round(away_s * 1e9), run=run),
                            self.steady)
        self.asked.append((v, w))

    @rule(v=NUMBER, w=NUMBER, away_s=AWAY_S)
    def hand(self, v, w, away_s):
        self.critic.on_teleop(Command(np.array([v, w]), self.now - round(away_s * 1e9)), self.now,
                            self.steady)
        self.asked.append((v, w))

    @rule(mode=MODES, run=st.sampled_from('aab'), away_s=AWAY_S)
    def permits(self, mode, run, away_s):
        self.critic.on_permit(permit(mode, run=run, **self.when(away_s)))
        self.mode = mode

    @rule()
    def permit_cannot_be_read(self):
        self.critic.forget_permit()
        self.mode = ''

    @rule(number=NUMBER, share=st.floats(0, 1), away_s=AWAY_S, beams=st.sampled_from((180, 90)))
    def sees(self, number, share, away_s, beams):
        ranges = np.full(beams, 2.0)
        ranges[:int(share * beams)] = number
        self.critic.on_scan(scan(ranges, angles=ANGLES[:beams], **self.when(away_s)))

    @rule(x=NUMBER, v=NUMBER, away_s=AWAY_S)
    def reckons(self, x, v, away_s):
        self.critic.on_odometry(odometry(v, pose=np.array([x, 0.0, 0.0]), **self.when(away_s)))

    @rule(kind=st.sampled_from(('bumper', 'e_stop', 'cliff')), active=st.booleans(),
          side=st.sampled_from(('', 'front', 'left')))
    def touches(self, kind, active, side):
        self.critic.on_switch(switch(active, kind=kind, name=kind, side=side, **self.when()))
        self.pressed = self.pressed or (active and kind == 'e_stop')

    @rule(name=st.sampled_from(('scan', 'odom', 'gyro', 'camera')))
    def forgets(self, name):
        self.critic.forget(name)

    @rule()
    def resets(self):
        if not self.critic.reset(self.now, self.steady):
            self.pressed = False

    @rule()
    def judged(self):
        self.verdict = self.critic.judge(self.now, self.steady)

    @rule()
    def tells_what_is_allowed(self):
        assert set(self.critic.allowed(self.now, self.steady)) <= {'forward', 'back', 'left',
                                                                   'right'}

    @invariant()
    def the_answer_is_one(self):
        if self.verdict is None:
            return
        verdict, self.verdict = self.verdict, None
        v, w = verdict.command.values.tolist()
        shared, moves = self.policy.shared, v != 0 or w != 0
        assert math.isfinite(v) and math.isfinite(w)
        assert abs(v) <= shared.max_speed_mps and abs(w) <= shared.max_turn_radps
        assert verdict.action in ('go', 'slow', 'stop')
        assert not moves or verdict.action != 'stop'
        assert verdict.action == 'go' or verdict.rule and verdict.reason
        assert verdict.command.stamp_ns == self.now
        if moves:
            assert self.mode != 'stopped' and not self.critic.latch.closed and not self.pressed
            assert verdict.source == 'teleop' or self.mode == 'autonomous'
            assert any(abs(v) <= abs(a) + 1e-9 and abs(w) <= abs(b) + 1e-9 and v * a >= 0
                       and w * b >= 0 for a, b in self.asked)


TheCritic.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestTheCritic = TheCritic.TestCase


def test_it_does_move():
    """Else the sequences above would show nothing."""
    machine = TheCritic()
    machine.begin(False)
    went = []
    for _ in range(3):      # later its pose, which stays, contradicts its twist
        machine.all_is_well(0.3, 0.1, 3.0)
        went.append((machine.verdict.action, machine.verdict.command.values[0]))
    assert ('go', 0.3) in went
