# SPDX-License-Identifier: Apache-2.0
"""Filters every command: all rules in order over a Situation; no answer is a stop.

Nothing upstream can talk it out of a stop, and no broken rule can: one that raises, answers
nonsense or asks for more than it was given stops the robot as well.
"""

from collections import Counter
from dataclasses import replace
import math

import numpy as np

from ami_ros.core.types import (
    Command,
    Imu,
    Odometry,
    Plan,
    Scan,
    Situation,
    STILL,
    Switch,
    Verdict,
    View,
)
from ami_ros.critic.command_source_selector import CommandSourceSelector, Limits
from ami_ros.critic.history import History
from ami_ros.critic.rule_interface import no_plan, Rule, Stop, twist
from ami_ros.critic.rules.input_timeout import ages, young
from ami_ros.critic.safety_policy.policy_loader import build_rules, Policy
from ami_ros.critic.sensor_age_limits import needs
from ami_ros.critic.stamp_order import StampOrder
from ami_ros.critic.stop_hold import StopHold
from ami_ros.critic.stop_latch import Latch
from ami_ros.robots.robot import Robot

# slow motions that are tried to say which are allowed: m/s, rad/s
PROBES = {'forward': (0.05, 0.0), 'back': (-0.05, 0.0), 'left': (0.0, 0.2), 'right': (0.0, -0.2)}
# differences between commands up to this are rounding
ROUNDING = 1e-9


def guard(situation: Situation, rules: tuple[Rule, ...],
          wanted: tuple[float, float] | None = None) -> Verdict:
    """Judge what the plan says for now, or another wanted (v, w). Never raises.

    A wanted twist is judged in the same situation, with the same inputs.
    """
    try:
        return judged(situation, rules, wanted)
    except Exception as bug:    # not even the question can be read: that is no permission
        return Verdict(still(0), 'stop', 'guard', f'the situation cannot be read: {bug!r}')


def judged(situation: Situation, rules: tuple[Rule, ...],
           wanted: tuple[float, float] | None) -> Verdict:
    """Run the rules; whatever goes wrong in them is a stop with their name."""
    name, reason, touched, latch, rule = 'guard', '', [], False, None
    try:
        command = asked(situation, wanted)
        if not rules:
            raise Stop('the policy has no rules')
        last_word, was = '', tuple(command.values.tolist())
        for rule in rules:
            name = rule.name
            answer = rule.limit(command, situation)
            now = twist(answer.command)
            if now == was:      # most rules, most of the time
                continue
            if not all(map(weaker, now, was)):
                raise Stop(f'the rule made {list(was)} stronger: {list(now)}')
            if max(abs(n - w) for n, w in zip(now, was, strict=True)) > ROUNDING:
                touched.append(name)
                last_word, reason = name, answer.reason
            was, command = now, Command(np.array(now), situation.now_ns)
        command = Command(np.array(was) + 0.0, situation.now_ns)    # + 0.0: no -0.0
        action = 'go' if not touched else 'slow' if command.values.any() else 'stop'
        return verdict(situation, command, action, last_word, reason, touched)
    except Stop as why:
        reason, latch = str(why), why.latch
    except Exception as bug:    # a broken rule is not a permission
        reason = f'crashed: {bug!r}'
    return replace(verdict(situation, still(situation.now_ns), 'stop', name, reason, touched),
                   latch=latch, release=getattr(rule, 'release', ''))


def asked(situation: Situation, wanted: tuple[float, float] | None) -> Command:
    """Return what is to be judged; Stop where nobody asks for anything."""
    if wanted is None:
        if situation.plan is None:
            raise no_plan(situation)
        wanted = situation.plan.at(situation.now_ns)
    v, w = wanted
    return Command(np.array((float(v), float(w))), situation.now_ns)


def wish(situation: Situation, wanted: tuple[float, float] | None) -> tuple[float, float] | None:
    """Return the (v, w) that is judged; None where nobody asks for anything that can be read."""
    try:
        return tuple(asked(situation, wanted).values.tolist())
    except Exception:
        return None


def limits(policy: Policy) -> Limits:
    """Collect what its rules say about plans and permits; a policy without one limits nothing."""
    said = {name: getattr(policy.rules.get(rule), name, None) for rule, name in (
        ('input_timeout', 'max_plan_lead_s'), ('input_validity', 'max_knots'),
        ('motion_enable', 'max_permit_age_s'))}
    return Limits(**{name: value for name, value in said.items() if value is not None})


def weaker(now: float, was: float) -> bool:
    """Tell whether an axis is no faster than it was and has not changed direction."""
    return abs(now) <= abs(was) + ROUNDING and (now * was >= 0 or abs(now) <= ROUNDING)


def still(now_ns: int) -> Command:
    """Return the command that never needs a permission."""
    return Command(np.array(STILL), now_ns)


def verdict(situation: Situation, command: Command, action: str, rule: str, reason: str,
            touched: list[str]) -> Verdict:
    """Put on record what was decided, about which plan, on how old a view."""
    plan, seconds = situation.plan, []
    named = (('' if plan is None else plan.called, plan), ('permit', situation.permit),
             *((value.name, value) for value in situation.sensed))
    for what, value in named:
        if value is not None:
            by_stamp, by_arrival = ages(value, situation)
            seconds += [(what, by_stamp), (f'{what}_arrival', by_arrival)]
    mode = '' if situation.permit is None else situation.permit.mode
    of = ((0, 0, 0, '', '') if plan is None
          else (plan.number, plan.start_ns, plan.goal, plan.run, plan.source))
    return Verdict(command, action, rule, reason, tuple(touched), tuple(seconds), *of, mode=mode,
                   silent=situation.silent)


class Critic:
    """Remembers the newest of each input and the last command, so that a tick can be judged.

    Real time: `steady_ns` is the steady clock. Lock-step: pass ROS time for both, or the
    machine's pace decides what is stale.
    """

    def __init__(self, policy: Policy, robot: Robot, latch: Latch | None = None):
        self.policy, self.rules = policy, build_rules(policy, robot)
        self.scale = robot.odometry_scale       # true over told: forward, turning
        self.needs = needs(policy.shared, robot)
        self.holding = StopHold(self.rules)
        self.latch = Latch() if latch is None else latch
        self.keeper = History(robot, getattr(policy.rules.get('tilt'), 'filter_s', 0.0))
        self.counts: Counter[str] = Counter()   # inputs taken and ignored, verdicts by action
        self.drivers = CommandSourceSelector(policy.shared, self.counts, limits(policy))
        self.on_teleop, self.on_permit = self.drivers.on_teleop, self.drivers.on_permit
        self.other = ''                         # which other critic commands the wheels
        self.scans: dict[str, Scan] = {}        # the newest of each sensor, by its name
        self.imus: dict[str, Imu] = {}
        self.switches: dict[str, Switch] = {}
        self.views: dict[str, View] = {}
        self.odometry: Odometry | None = None
        self.order = StampOrder(self.counts)
        self.last, self.last_steady_ns = still(0), 0
        self._before = self.last, self.last_steady_ns   # what went out before this instant

    def on_plan(self, plan: Plan, steady_ns: int, now_ns: int | None = None) -> bool:
        """Take a plan; return whether it was. Without `now_ns` none is from the future."""
        taken = self.drivers.on_plan(plan, steady_ns, now_ns)
        if taken:
            self.keeper.on_plan(plan, steady_ns)
        return taken

    def on_twist(self, wish: Command, steady_ns: int, now_ns: int | None = None) -> bool:
        """Take a foreign twist in the place of a plan; return whether it was taken."""
        taken = self.drivers.on_twist(wish, steady_ns, now_ns)
        if taken:
            assert self.drivers.plan is not None    # the twist, as a plan of one knot
            self.keeper.on_plan(self.drivers.plan, steady_ns)
        return taken

    def on_scan(self, scan: Scan) -> None:
        if self.order.overtaken(scan):
            return
        self.scans[scan.name] = scan
        self.keeper.on_scan(scan)
        self.counts[scan.name] += 1

    def on_odometry(self, odometry: Odometry) -> None:
        """Take it; how fast it says the robot is, is made true by what was measured."""
        if self.order.overtaken(odometry):
            return
        if self.scale != (1.0, 1.0):
            odometry = replace(odometry, twist=np.asarray(odometry.twist, float) * self.scale)
        self.odometry = odometry
        self.keeper.on_odometry(odometry)
        self.counts[odometry.name] += 1

    def on_imu(self, imu: Imu) -> None:
        if self.order.overtaken(imu):
            return
        self.imus[imu.name] = imu
        self.keeper.on_imu(imu)
        self.counts[imu.name] += 1

    def on_switch(self, switch: Switch) -> None:
        self.switches[switch.name] = switch
        self.counts[switch.name] += 1
        if switch.kind == 'e_stop' and switch.active is not False:
            # here: when it is judged another rule may stop it first, and later it may be free
            self.latch.close('bumper_cliff_estop', f'e_stop {switch.name} is active')

    def on_view(self, view: View) -> None:
        if self.order.overtaken(view):
            return
        self.views[view.name] = view
        self.keeper.on_view(view)
        self.counts[view.name] += 1

    def forget(self, name: str) -> None:
        """Have nothing of a sensor, as if it had never spoken; what a switch said stands.

        What it said is still remembered: else one that is frozen would look new each time.
        """
        self.scans.pop(name, None)
        self.views.pop(name, None)
        self.imus.pop(name, None)
        if self.odometry is not None and self.odometry.name == name:
            self.odometry = None

    def forget_permit(self) -> None:
        """Have no permit: what the configurator said could not be read."""
        self.drivers.permit = None

    def suspended(self, seconds: float, steady_ns: int) -> None:
        """Note that nothing was read and judged for a while: what waited may be old."""
        self.keeper.pauses.append((steady_ns, seconds))
        self.counts['suspended'] += 1

    def stand_by(self, other: str) -> None:
        """Stop while another critic commands the wheels; '' where none does."""
        self.other = other

    def sensed(self) -> dict[str, Scan | Odometry | Imu | Switch | View]:
        """Return the newest of each sensor, by its name."""
        told = {} if self.odometry is None else {self.odometry.name: self.odometry}
        return {**self.scans, **told, **self.imus, **self.switches, **self.views}

    def renew(self, now_ns: int) -> None:
        """Let permit and switches have just come: in lock-step no time passes between frames."""
        if self.drivers.permit is not None:
            self.drivers.permit = replace(self.drivers.permit, stamp_ns=now_ns,
                                          received_steady_ns=now_ns)
        self.switches = {name: replace(s, stamp_ns=now_ns, received_steady_ns=now_ns)
                         for name, s in self.switches.items()}

    def judge(self, now_ns: int, steady_ns: int,
              wanted: tuple[float, float] | None = None) -> Verdict:
        """Say what goes out now. A second answer at the same instant replaces the first."""
        self.order.forget_later_than(now_ns + round(self.policy.shared.max_future_s * 1e9))
        if now_ns != self.last.stamp_ns:
            self._before = self.last, self.last_steady_ns
        situation = self.situation(now_ns, steady_ns)
        plan = situation.plan
        asks = wish(situation, wanted)      # once: plan and clock stay what they are
        answer = guard(situation, self.rules, wanted if asks is None else asks)
        answer = self.held(answer, situation, asks, True)
        speed = 0.0 if self.odometry is None else self.odometry.twist[0]
        self.keeper.judged(answer, steady_ns, speed, asks)
        self.last, self.last_steady_ns = answer.command, steady_ns
        self.counts[answer.action] += 1
        if (answer.rule == 'input_timeout' and plan is not None and plan is self.drivers.plan
                and plan.start_ns > now_ns):
            # it lies ahead (or the clock jumped back): it must not pass for the newest for ever
            self.drivers.forget_ahead(now_ns)
            self.counts['plan_from_the_future'] += 1
        return answer

    def situation(self, now_ns: int, steady_ns: int) -> Situation:
        """Freeze what is known now."""
        plan, arrived_ns = self.drivers.pick(now_ns, steady_ns)
        memory = self.keeper.look(now_ns, steady_ns, *self._before)
        return Situation(now_ns, steady_ns, plan, arrived_ns, tuple(self.scans.values()),
                         self.odometry, *self._before, self.drivers.permit,
                         tuple(self.switches.values()), tuple(self.imus.values()),
                         self._silent(now_ns, steady_ns), memory, tuple(self.views.values()),
                         self.drivers.refused_plan, self.drivers.refused_permit)

    def held(self, answer: Verdict, situation: Situation, asks: tuple[float, float] | None,
             note: bool) -> Verdict:
        """Stop what a latch or a rule holds beyond its cause; `note` what is held from now on.

        `asks` is the (v, w) that was judged; None where it cannot be read.
        """
        if self.other:
            answer = replace(answer, command=still(situation.now_ns), action='stop', rule='guard',
                             reason=f'{self.other} commands the wheels too; a robot has one '
                             'critic: end one of the two', release='the other critic ends')
        if note and answer.latch:
            self.latch.close(answer.rule, answer.reason)
        if self.latch.closed:
            rule, reason = next(iter(self.latch.closed.items()))
            if answer.action == 'stop' and answer.rule == rule:
                return answer
            return replace(answer, command=still(situation.now_ns), action='stop', rule=rule,
                           reason=f'{reason}; latched until critic/reset', latch=True,
                           release='somebody calls critic/reset')
        if asks is None:        # what cannot be read was stopped for that
            return answer
        why = self.holding.hold(answer, asks, situation.now_steady_ns, note)
        if not why:
            return answer
        return replace(answer, command=still(situation.now_ns), action='stop', rule=why[0],
                       reason=why[1], release='a moment without the cause')

    def allowed(self, now_ns: int, steady_ns: int) -> tuple[str, ...]:
        """Return which motions would be let through now, of slow ones in four directions."""
        situation = self.situation(now_ns, steady_ns)
        return tuple(name for name, way in PROBES.items() if self.held(
            guard(situation, self.rules, way), situation, way, False).command.values.any())

    def reset(self, now_ns: int, steady_ns: int) -> str:
        """Open the latch; return why not while a cause lasts, or ''.

        Plans move the robot again when it is armed anew.
        """
        situation = self.situation(now_ns, steady_ns)
        for rule in self.rules:
            if rule.name in self.latch.closed:
                try:
                    rule.limit(still(now_ns), situation)
                except Exception as why:        # also a rule that crashed: no answer is a stop
                    return f'{rule.name}: {why}'
        if self.latch.closed:       # to let go is not to start: that is asked for by itself
            self.drivers.disarm('reset')
            self.keeper.scan_motions.forget()
        self.latch.open()
        return ''

    def _silent(self, now_ns: int, steady_ns: int) -> tuple[str, ...]:
        said, ahead_s = self.sensed(), self.policy.shared.max_future_s
        return tuple(need.name for need in self.needs if need.name not in said or not (
            need.oldest_s == math.inf
            or young(said[need.name], now_ns, steady_ns, need.oldest_s, ahead_s)))
