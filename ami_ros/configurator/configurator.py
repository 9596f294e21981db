# SPDX-License-Identifier: Apache-2.0
"""
Selects the mode, the goal and the compute budget, and handles failures of the nodes.

Time comes in as seconds of the steady clock; messages, processes and images are the node's.
No goal is kept across a restart, and the robot is never armed automatically.
"""

from dataclasses import dataclass
from typing import ClassVar

from ami_ros.configurator.supervisor import number, Supervisor, Transition
from ami_ros.core.compute_budget import Budget
from ami_ros.core.settings import setting, Settings


@dataclass(frozen=True)
class Mode:
    """What holds in one mode."""

    minds: str          # wanted lifecycle state of the planner nodes
    plan: str           # what plans do
    teleop: str         # what a teleop command does
    entered: str        # what enters the mode


MODES = {
    'idle': Mode('inactive', 'no plan is made', 'moves the robot and sets mode `manual`',
                 'node start; service `disarm`; loss of a planner node'),
    'manual': Mode('inactive', 'no plan is made', 'moves the robot',
                   'service `manual`; a teleop command in `idle` or `autonomous`'),
    'autonomous': Mode('active', 'moves the robot within the limits of the critic',
                       'overrides the plan and sets mode `manual`', 'service `arm`'),
    'dry_run': Mode('active', 'is published and never moves the robot', 'moves the robot',
                    'service `dry_run`'),
    'stopped': Mode('inactive', 'no plan is made', 'does not move the robot',
                    'service `stop`; only `reset` leaves it, also after a restart'),
}


@dataclass(frozen=True)
class FailureMode:
    """One failure: its detection, its effect and its recovery."""

    fails: str
    noticed: str            # what detects it, and by what
    runs: str               # what still runs
    may: str                # what the robot may do
    back: str               # how the robot recovers


LADDER = (
    FailureMode('the computer is too slow',
                'configurator: more than half of ten plans are late',
                'all nodes, with fewer candidates, then a shorter horizon, then fewer plans per '
                'second',
                'drive; a plan that is too old stops the robot',
                'automatic: one level after 5 s without a late plan'),
    FailureMode('the surprise of the world model is high', 'critic: the surprise in the plan',
                'all nodes', 'drive at a fraction of the speed',
                'automatic: when the surprise is low again'),
    FailureMode('the images are unlike the training data',
                'critic: `out_of_distribution` in the plan', 'all nodes',
                'drive at a fraction of the speed',
                'automatic: when the images are like the training data again'),
    FailureMode('a required sensor times out', 'critic: age limit of the sensor', 'all nodes',
                'stand still',
                'automatic: when the sensor publishes again; if `resume_after_sensor_timeout` is '
                'false, a person arms the robot again; the goal fails after '
                '`blocked_goal_timeout_s`'),
    FailureMode('an optional sensor times out', 'critic: age limit of the sensor', 'all nodes',
                'drive without the data of that sensor',
                'automatic: when the sensor publishes again'),
    FailureMode('the camera publishes no images',
                'planner: no image to plan on; critic: the plan is too old', 'all nodes',
                'stand still; teleop moves the robot',
                'automatic: when the camera publishes again; the goal fails after '
                '`planner_error_timeout_s`'),
    FailureMode('the node `mind`, or one of the separate planner nodes, is killed or hangs',
                'configurator: no heartbeat for `heartbeat_timeout_s`', 'critic, configurator',
                'stand still; teleop moves the robot',
                'the node is restarted and configured; a person arms the robot again'),
    FailureMode('the configurator is killed or hangs', 'critic: the motion enable is too old',
                'critic, planner nodes', 'stand still; teleop moves the robot',
                'the configurator is restarted in `idle`, or in `stopped` if that was its mode; '
                'a person arms the robot again'),
    FailureMode('the critic is killed or hangs',
                'command timeout of the robot base; configurator: no heartbeat for '
                '`heartbeat_timeout_s`', 'configurator, planner nodes',
                'stand still: no process commands the wheels',
                'the critic is restarted and latched; a person calls `critic/reset` and arms the '
                'robot again'),
    FailureMode('an emergency stop or another rule latches', 'critic: immediately',
                'all nodes; the robot is disarmed', 'stand still',
                'a person calls `critic/reset` when the cause is gone, and arms the robot again'),
    FailureMode('a person calls the service `stop`', 'configurator, critic',
                'critic, configurator', 'stand still',
                'a person calls `configurator/reset` and arms the robot again'),
)


@dataclass(frozen=True)
class ConfiguratorSettings(Settings):
    """Nodes that are watched, and timeouts."""

    LIVE: ClassVar[str] = 'read ten times a second'
    NAMED: ClassVar[tuple[str, ...]] = ('robot',)

    robot: str = setting('', 'name', reason='Robot file (required); sets the image size of goals')
    use_composition: bool = setting(
        True, '-',
        reason='Run the planner as one node; false runs perception, world_model and actor as '
               'separate nodes')
    autostart: bool = setting(
        True, '-', reason='Activate the node at start without a lifecycle request')
    heartbeat_timeout_s: float = setting(
        1.0, 's', 0.3, 30.0, 'Terminate a node whose heartbeat is older than this', live=True)
    processing_timeout_s: float = setting(
        2.0, 's', 0.2, 60.0, 'Restart the planner if one frame takes longer than this', live=True)
    blocked_goal_timeout_s: float = setting(
        20.0, 's', 1.0, 3600.0,
        'Fail the goal if the critic stops the robot for this long', live=True)
    planner_error_timeout_s: float = setting(
        3.0, 's', 0.5, 600.0,
        'Fail the goal if the planner reports errors for this long', live=True)
    goal_timeout_s: float = setting(
        600.0, 's', 1.0, 86400.0, 'Fail the goal if it takes longer than this', live=True)
    settled_s: float = setting(
        2.0, 's', 0.0, 60.0,
        'Complete the goal after its arrival has been declared for this long; the '
        'arrival may be revoked before that', live=True)
    resume_after_sensor_timeout: bool = setting(
        True, '-',
        reason='Resume driving when a required sensor recovers from a timeout; false '
               'disarms the robot instead', live=True)
    state_dir: str = setting(
        '', 'folder',
        reason='Folder that keeps a latched stop across a restart; empty means ~/.ros/ami_ros '
               'and the namespace')
    adaptive_compute: bool = setting(
        True, '-', reason='Reduce the planning effort when the machine cannot keep up', live=True)


UNDER_WAY = 'driving', 'arriving'     # tasks of a goal that is not over


class Configurator:
    """Mode, run, goal and budget. Every method takes `now_s`, seconds of the steady clock."""

    def __init__(self, settings: ConfiguratorSettings, me: str, wards: tuple[str, ...],
                 critic: str):
        self.settings, self.me, self.critic = settings, me, critic
        self.supervisor = Supervisor(wards, settings.heartbeat_timeout_s,
                                     settings.processing_timeout_s)
        self.planner = wards[-1]            # it has run and goal, and acknowledges them
        self.budget = Budget()
        self.mode, self.reason = 'idle', ''
        self.runs, self.numbers, self.run, self.goal, self.task = 0, 0, '', 0, 'none'
        self.acknowledged = False
        self.changed = True                 # something that others should hear of
        self._critic_s = -1e9
        self._critic_life: tuple[str, ...] | None = None
        self._latched = ''                  # by which rules, as the critic says
        self._went = False                  # it drove towards this goal
        self._verdict = '', '', ''          # action, rule, reason
        self._stop_s: float | None = None   # since when the critic stops it
        self._trouble_s: float | None = None
        self._goal_s = 0.0
        self._arrived_ns: int | None = None     # start of the first plan that declared it
        self.begin()

    def tune(self, settings: ConfiguratorSettings) -> None:
        """Take other timeouts."""
        self.settings = settings
        self.supervisor.heartbeat_timeout_s, self.supervisor.processing_timeout_s = (
            settings.heartbeat_timeout_s, settings.processing_timeout_s)
        if not settings.adaptive_compute and self.budget.level:
            self.budget, self.changed = Budget(), True

    # what people ask for

    def ask(self, mode: str, now_s: float) -> tuple[bool, str]:
        """Go to a mode, if that may be; say why not."""
        if self.mode == 'stopped' and mode != 'stopped':
            return False, 'the robot was stopped; call configurator/reset first'
        why = {'autonomous': self.obstacle(now_s),      # a dry run moves nothing: no critic needed
               'dry_run': self.supervisor.missing()}.get(mode, '')
        if why:
            return False, f'{mode} is not possible: {why}'
        self._enter(mode, f'{mode} was requested')
        return True, f'mode is {mode}'

    def reset(self) -> tuple[bool, str]:
        """Leave `stopped`, unless what stopped it is still so."""
        if self.mode != 'stopped':
            return False, f'nothing to reset: mode is {self.mode}'
        action, rule, reason = self._verdict
        if action == 'stop' and rule == 'bumper_cliff_estop':
            return False, f'still stopped by {rule}: {reason}'
        self._enter('idle', 'reset')
        return True, 'mode is idle'

    def restore(self, reason: str) -> None:
        """Be stopped, as the configurator before this one was."""
        self._enter('stopped', reason)

    def obstacle(self, now_s: float) -> str:
        """Say what keeps the mind from being armed; '' for nothing."""
        missing = self.supervisor.missing()
        if missing:
            return missing
        if now_s - self._critic_s > self.settings.heartbeat_timeout_s:
            return f'{self.critic} gives no sign of life; is it running?'
        if self._latched:
            return f'{self.critic} is latched by {self._latched}; call critic/reset'
        return ''

    def begin(self) -> str:
        """Begin another run: the robot may be anywhere, and has no goal. The mode remains."""
        self.runs += 1
        self.run = f'{self.me}-{self.runs}'
        self._want(0, 'none', '')
        return self.run

    def give(self, now_s: float) -> bool:
        """Take a goal; only where plans are made. The node keeps the picture."""
        if MODES[self.mode].minds != 'active':
            self._want(0, 'none', f'a goal needs mode autonomous or dry_run, it is {self.mode}; '
                       'call configurator/arm')
            return False
        self.numbers += 1
        self._goal_s = now_s
        self._want(self.numbers, 'driving', '')
        return True

    def refuse(self, reason: str) -> None:
        """Have no goal, since what came cannot be one."""
        self._want(0, 'none', reason)

    def cancel(self) -> str:
        """Have no goal; return what was cancelled."""
        was = self.goal
        self._want(0, 'none', 'cancelled')
        return f'goal {was} is cancelled' if was else 'there was no goal'

    # what is heard

    def on_beat(self, name: str, level: int, message: str, values: dict[str, str],
                now_s: float) -> None:
        """Take a sign of life of a node."""
        if name == self.critic:
            life = tuple(values.get(key, '') for key in ('pid', 'host', 'started'))
            if self._critic_life not in (None, life) and self.mode == 'autonomous':
                self._enter('idle', f'{name} ended and was started again; arm again and give the '
                            'goal again')
            self._critic_s, self._critic_life = now_s, life
            self._latched = values.get('latched', '')
            # armed in the moment in which it latched, or was reset: that arming does not count
            if self.mode == 'autonomous' and (self._latched or values.get('mode') == 'reset'):
                self._enter('idle', f'{name} is or was latched; arm again and give the goal again')
        self.supervisor.on_beat(name, level, message, values, now_s)
        if name != self.planner:
            return
        if level < 2 or not self.goal:
            self._trouble_s = None
        elif self._trouble_s is None:
            self._trouble_s = now_s
        self._compare(values.get('run'), values.get('goal'))
        if self.settings.adaptive_compute and values.get('state') == 'active' \
                and self.budget.on_count(
                int(number(values.get('thoughts'))), int(number(values.get('late'))), now_s):
            self.changed = True

    def _compare(self, run: str | None, goal: str | None) -> None:
        follows = (run, goal) == (self.run, str(self.goal))
        if follows != self.acknowledged:
            self.acknowledged, self.changed = follows, True

    def on_plan(self, arrived: bool, goal: int, run: str, start_ns: int) -> None:
        """See whether the robot declares that it is there, and whether it stays so.

        An arrival that has settled ends the goal: from then on nothing makes the robot drive on. A
        dry run goes on looking. `start_ns` of the plan is the time, as that of its pictures.
        """
        if (goal, run) != (self.goal, self.run) or goal == 0:
            return
        if not arrived:
            self._arrived_ns, task = None, 'driving'
        else:
            if self._arrived_ns is None or start_ns < self._arrived_ns:
                self._arrived_ns = start_ns
            settled = start_ns - self._arrived_ns >= self.settings.settled_s * 1e9
            if settled and self.mode == 'autonomous':
                self._want(0, 'arrived', f'goal {goal} arrived')
                return
            task = 'arrived' if settled else 'arriving'
        if task != self.task:
            self.task, self.changed = task, True

    def on_verdict(self, action: str, rule: str, reason: str, source: str, now_s: float,
                   latch: bool = False, lost: tuple[str, ...] = ()) -> None:
        """See what the critic does: who drives, and whether it lets nothing through.

        `latch`: until somebody resets it. `lost`: required sensors that are silent.
        """
        self._verdict = action, rule, reason
        if self.mode == 'autonomous' and latch:
            self._enter('idle', f'the critic latched {rule}: {reason}; call critic/reset, arm '
                        'again and give the goal again')
        elif (self.mode == 'autonomous' and self._went and lost
              and not self.settings.resume_after_sensor_timeout):
            self._enter('idle', f'{" and ".join(lost)} timed out; arm again and give the goal '
                        'again')
        self._went = self._went or (action != 'stop' and self.task in UNDER_WAY)
        if action != 'stop' or self.task not in UNDER_WAY or self.mode != 'autonomous':
            self._stop_s = None
        elif self._stop_s is None:
            self._stop_s = now_s
        if source == 'teleop' and self.mode in ('idle', 'autonomous'):
            self._enter('manual', 'a teleop command arrived')

    def tick(self, now_s: float) -> list[Transition]:
        """Watch over everybody; return what is to be done."""
        acts = self.supervisor.tick(MODES[self.mode].minds, now_s)
        self._critic_s += self.supervisor.slept_s       # who slept judges nobody by it
        fallen, self.supervisor.fallen = self.supervisor.fallen, []
        armed = MODES[self.mode].minds == 'active'
        if fallen and armed:
            self._enter('idle', f'{" and ".join(fallen)} was lost; arm again and give the goal '
                        'again')
        elif self.mode == 'autonomous' \
                and now_s - self._critic_s > self.supervisor.patience_s(now_s):
            self._enter('idle', f'{self.critic} was lost; arm again and give the goal again')
        if self.task in UNDER_WAY:
            self._despair(now_s)
        return acts

    def _despair(self, now_s: float) -> None:
        """Give a goal up that cannot be reached any more."""
        s, (_, rule, reason) = self.settings, self._verdict
        if self._stop_s is not None and now_s - self._stop_s > s.blocked_goal_timeout_s:
            self._fail(f'the critic stopped the robot for {s.blocked_goal_timeout_s:g} s: {rule}: '
                       f'{reason}')
        elif self._trouble_s is not None and now_s - self._trouble_s > s.planner_error_timeout_s:
            message = self.supervisor.wards[self.planner].message
            self._fail(f'the planner reported an error for {s.planner_error_timeout_s:g} s: '
                       f'{message}')
        elif now_s - self._goal_s > s.goal_timeout_s:
            self._fail(f'it was not reached within {s.goal_timeout_s:g} s')

    def _fail(self, reason: str) -> None:
        self._want(0, 'failed', f'goal {self.goal} failed: {reason}')

    def _enter(self, mode: str, reason: str) -> None:
        if mode == self.mode:
            return
        lost = f'; goal {self.goal} is over' if self.goal else ''
        self.mode = mode
        self._want(0, 'none', f'{reason}{lost}')
        self.budget.restart()

    def _want(self, goal: int, task: str, reason: str) -> None:
        self.goal, self.task, self.reason = goal, task, reason
        self.acknowledged, self.changed, self._went = False, True, False
        self._stop_s = self._trouble_s = self._arrived_ns = None

    def status(self, now_s: float) -> dict[str, str]:
        """Say how it stands."""
        level = self.budget.now
        return {
            'mode': self.mode, 'run': self.run, 'goal': str(self.goal), 'task': self.task,
            'acknowledged': str(int(self.acknowledged)), 'goals': str(self.numbers),
            'reason': self.reason, 'ready': str(int(not self.obstacle(now_s))),
            'waits_for': self.obstacle(now_s), 'budget': str(self.budget.level),
            'budget.candidates': str(level.candidates), 'budget.horizon': str(level.horizon),
            'budget.every': str(level.every)}
