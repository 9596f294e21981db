# SPDX-License-Identifier: Apache-2.0
"""Modes, arming, goals and how they end; the table of modes and the ladder say what is so."""

from ami_ros.configurator.configurator import Configurator, ConfiguratorSettings, LADDER, MODES
import pytest

MIND, CRITIC = '/mind', '/critic'
SETTLED_NS = round(ConfiguratorSettings().settled_s * 1e9)


class Robot:
    """A configurator with a mind that follows it; time passes in tenths of seconds."""

    def __init__(self, **settings):
        self.mine = Configurator(ConfiguratorSettings(**settings), 'me', (MIND,), CRITIC)
        self.now_s, self.state, self.pid, self.deaf, self.level = 0.0, 'unconfigured', 1, set(), 0
        self.message, self.thoughts, self.late, self.critic_pid = '', 0, 0, 9
        self.knows, self.latched, self.permitted = ('', '0'), '', ''
        self.run()

    def beat(self):
        if MIND not in self.deaf:
            values = {'state': self.state, 'pid': str(self.pid), 'run': self.knows[0],
                      'goal': self.knows[1], 'thoughts': str(self.thoughts),
                      'late': str(self.late)}
            self.mine.on_beat(MIND, self.level, self.message, values, self.now_s)
        if CRITIC not in self.deaf:
            self.mine.on_beat(CRITIC, 0, '', {'state': 'active', 'pid': str(self.critic_pid),
                                              'latched': self.latched, 'mode': self.permitted},
                              self.now_s)

    def run(self, seconds=1.0):
        for _ in range(round(10 * seconds)):
            self.now_s += 0.1
            self.beat()
            for act in self.mine.tick(self.now_s):
                if act.what == 'end' or MIND in self.deaf:
                    continue
                self.state = {'configure': 'inactive', 'activate': 'active',
                              'deactivate': 'inactive'}[act.what]
                self.mine.supervisor.on_answer(MIND, True, self.now_s)
            if self.state == 'active':
                self.knows = self.mine.run, str(self.mine.goal)
                self.thoughts += 1

    def ask(self, mode):
        return self.mine.ask(mode, self.now_s)

    def status(self):
        return self.mine.status(self.now_s)

    def driving(self):
        assert self.ask('autonomous')[0]
        self.run()
        assert self.mine.give(self.now_s)
        self.run(0.5)
        assert self.status()['task'] == 'driving'
        return self

    def verdict(self, action='go', rule='', reason='', source='mind', latch=False, lost=()):
        self.mine.on_verdict(action, rule, reason, source, self.now_s, latch, lost)


def test_it_comes_up_idle_and_ready_with_the_mind_configured_and_asleep():
    robot = Robot()
    assert robot.status()['mode'] == 'idle' and robot.status()['ready'] == '1'
    assert robot.state == 'inactive'


@pytest.mark.parametrize('mode', MODES)
def test_each_mode_has_the_mind_in_the_state_that_the_table_says(mode):
    robot = Robot()
    if mode != 'idle':
        assert robot.ask(mode) == (True, f'mode is {mode}')
    robot.run()
    assert robot.state == MODES[mode].minds and robot.status()['mode'] == mode


@pytest.mark.parametrize('missing, says, mode', [
    (MIND, '/mind gives no sign of life', 'autonomous'),
    (MIND, '/mind gives no sign of life', 'dry_run'),
    (CRITIC, '/critic gives no sign of life', 'autonomous')])
def test_it_is_not_armed_without_mind_and_critic(missing, says, mode):
    robot = Robot()
    robot.deaf.add(missing)
    robot.run(2)
    worked, why = robot.ask(mode)
    assert not worked and says in why and robot.status()['ready'] == '0'
    assert robot.status()['mode'] == 'idle' and robot.ask('manual')[0]


@pytest.mark.parametrize('mode, takes', [('idle', False), ('manual', False), ('stopped', False),
                                         ('autonomous', True), ('dry_run', True)])
def test_goals_are_taken_only_where_plans_are_made(mode, takes):
    robot = Robot()
    robot.ask(mode)
    robot.run()
    assert robot.mine.give(robot.now_s) == takes
    status = robot.status()
    assert (status['goal'], status['task']) == (('1', 'driving') if takes else ('0', 'none'))
    if not takes:
        assert f'it is {mode}; call configurator/arm' in status['reason']


def test_a_goal_is_acknowledged_and_an_arrival_may_be_taken_back():
    robot = Robot().driving()
    assert robot.status()['acknowledged'] == '1'
    run = robot.status()['run']
    robot.mine.on_plan(True, 2, run, 0)
    robot.mine.on_plan(True, 1, 'another', 0)
    assert robot.status()['task'] == 'driving'
    robot.mine.on_plan(True, 1, run, 0)
    assert robot.status()['task'] == 'arriving'
    robot.mine.on_plan(False, 1, run, SETTLED_NS - 1)   # it turned out to be elsewhere
    assert robot.status()['task'] == 'driving'
    robot.mine.on_plan(True, 1, run, SETTLED_NS)        # and has to settle anew
    assert robot.status()['task'] == 'arriving'
    assert robot.mine.cancel() == 'goal 1 is cancelled'
    assert robot.status()['reason'] == 'cancelled' and robot.mine.cancel() == 'there was no goal'


def test_an_arrival_that_lasts_ends_the_goal_so_that_nothing_drives_on():
    robot = Robot().driving()
    run = robot.status()['run']
    for start_ns in (7, SETTLED_NS + 6):
        robot.mine.on_plan(True, 1, run, start_ns)
        assert robot.status()['task'] == 'arriving' and robot.status()['goal'] == '1'
    robot.mine.on_plan(True, 1, run, SETTLED_NS + 7)
    assert robot.mine.changed
    status = robot.status()
    assert (status['goal'], status['task'], status['reason']) == ('0', 'arrived', 'goal 1 arrived')
    robot.mine.on_plan(False, 1, run, 2 * SETTLED_NS)   # of a mind that has not heard of it yet
    robot.run(2.0)
    assert robot.status()['task'] == 'arrived' and robot.status()['mode'] == 'autonomous'
    assert robot.mine.give(robot.now_s) and robot.status()['goal'] == '2'
    robot.mine.on_plan(True, 2, run, 3 * SETTLED_NS)    # the next one settles by itself
    assert robot.status()['task'] == 'arriving'


def test_time_that_goes_back_settles_nothing():
    robot = Robot().driving()
    run = robot.status()['run']
    robot.mine.on_plan(True, 1, run, 5 * SETTLED_NS)
    robot.mine.on_plan(True, 1, run, 0)
    robot.mine.on_plan(True, 1, run, SETTLED_NS - 1)
    assert robot.status()['task'] == 'arriving'


def test_a_dry_run_keeps_its_goal_and_goes_on_looking():
    robot = Robot()
    assert robot.ask('dry_run')[0]
    robot.run()
    assert robot.mine.give(robot.now_s)
    run = robot.status()['run']
    for start_ns in (0, SETTLED_NS):
        robot.mine.on_plan(True, 1, run, start_ns)
    assert (robot.status()['goal'], robot.status()['task']) == ('1', 'arrived')
    robot.mine.on_plan(False, 1, run, 2 * SETTLED_NS)
    assert robot.status()['task'] == 'driving'


def test_a_goal_that_is_arriving_can_still_fail():
    robot = Robot().driving()
    robot.mine.on_plan(True, 1, robot.status()['run'], 0)
    robot.run(ConfiguratorSettings().goal_timeout_s + 1)
    assert robot.status()['task'] == 'failed'


@pytest.mark.parametrize('mode', ['idle', 'manual', 'dry_run', 'stopped'])
def test_leaving_a_mode_ends_its_goal(mode):
    robot = Robot().driving()
    assert robot.ask(mode)[0]
    assert robot.status()['goal'] == '0' and 'goal 1 is over' in robot.status()['reason']
    robot.ask('autonomous')
    assert robot.status()['goal'] == '0'


def test_what_is_stopped_moves_only_after_a_reset():
    robot = Robot().driving()
    assert robot.ask('stopped')[0]
    for mode in set(MODES) - {'stopped'}:
        worked, why = robot.ask(mode)
        assert not worked and 'configurator/reset' in why
    robot.verdict('stop', 'bumper_cliff_estop', 'bumper front is pressed')
    assert robot.mine.reset() == (False,
                                  'still stopped by bumper_cliff_estop: bumper front is pressed')
    robot.verdict('stop', 'motion_enable', 'mode is stopped')
    assert robot.mine.reset() == (True, 'mode is idle')
    assert not robot.mine.reset()[0]


def test_a_stop_of_before_is_a_stop_again():
    robot = Robot()
    robot.mine.restore('stopped was requested')
    assert robot.status()['mode'] == 'stopped'
    assert robot.status()['reason'] == 'stopped was requested'
    assert not robot.ask('autonomous')[0] and robot.mine.reset()[0]


def test_a_latch_of_the_critic_disarms_and_is_armed_anew_after_its_reset_alone():
    robot = Robot().driving()
    robot.latched = 'bumper_cliff_estop'
    robot.verdict('stop', 'bumper_cliff_estop', 'e_stop button is active', latch=True)
    status = robot.status()
    assert (status['mode'], status['goal']) == ('idle', '0')
    assert status['reason'] == ('the critic latched bumper_cliff_estop: e_stop button is active; '
                                'call '
                                'critic/reset, arm again and give the goal again; goal 1 is over')
    robot.run()
    assert robot.ask('autonomous') == (
        False,
        'autonomous is not possible: /critic is latched by bumper_cliff_estop; call critic/reset')
    assert robot.ask('dry_run')[0]
    robot.verdict('stop', 'bumper_cliff_estop', 'e_stop button is active', latch=True)
    assert robot.status()['mode'] == 'dry_run'      # which moves nothing anyway
    robot.latched = ''
    robot.run()
    robot.driving()                                 # nobody had to reset the configurator


@pytest.mark.parametrize('resume', [True, False])
def test_a_required_sensor_that_comes_back_is_a_choice(resume):
    robot = Robot(resume_after_sensor_timeout=resume)
    assert robot.ask('autonomous')[0]
    robot.run()
    # it never drove
    robot.verdict('stop', 'input_timeout', 'no scan has come', lost=('scan',))
    robot.driving()
    robot.verdict('stop', 'input_timeout', 'the scan is 0.3 s old', lost=('scan',))
    assert robot.status()['mode'] == 'autonomous'
    robot.verdict('go')
    robot.verdict('stop', 'input_timeout', 'the plan is 0.5 s old')
    assert robot.status()['mode'] == 'autonomous'
    robot.verdict('stop', 'input_timeout', 'the scan is 0.3 s old', lost=('scan',))
    assert robot.status()['mode'] == ('autonomous' if resume else 'idle')
    assert ('scan timed out; arm again' in robot.status()['reason']) == (not resume)


@pytest.mark.parametrize('before, after', [('idle', 'manual'), ('autonomous', 'manual'),
                                           ('manual', 'manual'), ('dry_run', 'dry_run'),
                                           ('stopped', 'stopped')])
def test_a_hand_on_the_stick_takes_over(before, after):
    robot = Robot()
    robot.ask(before)
    robot.run()
    robot.mine.give(robot.now_s)
    robot.verdict('go', source='teleop')
    assert robot.status()['mode'] == after
    assert (robot.status()['goal'] == '1') == (before == 'dry_run')


@pytest.mark.parametrize('who', [MIND, CRITIC])
def test_when_somebody_is_lost_nothing_resumes_unarmed(who):
    robot = Robot().driving()
    robot.deaf.add(who)
    robot.run(1.5)
    status = robot.status()
    assert (status['mode'], status['goal'], status['task']) == ('idle', '0', 'none')
    assert f'{who} was lost' in status['reason'] and status['ready'] == '0'
    robot.deaf.clear()
    robot.pid, robot.state, robot.knows = 2, 'unconfigured', ('', '0')
    robot.run(3)
    assert robot.status()['mode'] == 'idle' and robot.status()['ready'] == '1'
    assert robot.state == 'inactive'
    robot.driving()
    assert robot.status()['goal'] == '2'


def test_a_critic_that_restarts_sooner_than_it_is_missed_disarms_all_the_same():
    robot = Robot().driving()
    robot.critic_pid = 10
    robot.run(0.2)
    status = robot.status()
    assert (status['mode'], status['goal'], status['ready']) == ('idle', '0', '1')
    assert '/critic ended and was started again' in status['reason']
    robot.driving()
    dry = Robot()
    dry.ask('dry_run')
    dry.critic_pid = 10
    dry.run(0.5)
    assert dry.status()['mode'] == 'dry_run'


def test_a_configurator_that_slept_disarms_nobody_for_it():
    robot = Robot().driving()
    robot.now_s += 30.0
    robot.mine.tick(robot.now_s)
    robot.deaf.add(CRITIC)      # what it said meanwhile comes late
    robot.run(2.0)
    robot.deaf.discard(CRITIC)
    robot.run(0.5)
    assert robot.status()['mode'] == 'autonomous' and robot.status()['goal'] == '1'


@pytest.mark.parametrize('more', [{'latched': 'lidar_displaced'}, {'permitted': 'reset'}])
def test_who_was_armed_in_the_moment_of_a_latch_is_to_be_armed_again(more):
    robot = Robot().driving()       # it heard of the latch before it was armed, or never
    for key, value in more.items():
        setattr(robot, key, value)
    robot.run(0.2)
    assert robot.status()['mode'] == 'idle' and 'arm again' in robot.status()['reason']
    robot.latched, robot.permitted = '', 'idle'
    robot.run(0.2)
    assert robot.ask('autonomous')[0]
    robot.permitted = 'autonomous'
    robot.run(0.5)
    assert robot.status()['mode'] == 'autonomous'


def test_a_dry_run_needs_no_critic():
    robot = Robot()
    robot.deaf.add(CRITIC)
    robot.run(2)
    assert robot.ask('dry_run')[0]
    robot.run(2)
    assert robot.status()['mode'] == 'dry_run' and robot.state == 'active'


def test_a_mind_that_restarts_unnoticed_gets_no_goal_unasked():
    robot = Robot().driving()
    robot.pid, robot.state, robot.knows = 2, 'unconfigured', ('', '0')
    robot.run(0.3)
    assert robot.status()['mode'] == 'idle' and robot.status()['goal'] == '0'


def test_a_goal_fails_when_the_critic_stops_the_robot_for_long():
    robot = Robot(blocked_goal_timeout_s=5.0).driving()
    robot.verdict('stop', 'stop_zone', '0.03 m free')
    robot.run(4)
    robot.verdict('slow')
    robot.verdict('stop', 'stop_zone', '0.03 m free')
    robot.run(4.9)
    assert robot.status()['task'] == 'driving'
    robot.run(0.3)
    assert robot.status()['task'] == 'failed' and robot.status()['mode'] == 'autonomous'
    assert robot.status()['reason'] == ('goal 1 failed: the critic stopped the robot for 5 s: '
                                        'stop_zone: 0.03 m free')


def test_a_goal_fails_when_the_mind_cannot_think():
    robot = Robot(planner_error_timeout_s=3.0).driving()
    robot.level, robot.message = 2, 'waiting for camera/image_raw'
    robot.run(2)
    robot.level = 0
    robot.run(0.5)
    robot.level = 2
    robot.run(2.9)
    assert robot.status()['task'] == 'driving'
    robot.run(0.4)
    assert 'the planner reported an error for 3 s: waiting for camera' in robot.status()['reason']


def test_a_goal_fails_after_its_time():
    robot = Robot(goal_timeout_s=10.0).driving()
    robot.run(9)
    assert robot.status()['task'] == 'driving'
    robot.run(1)
    assert robot.status()['reason'] == 'goal 1 failed: it was not reached within 10 s'


def test_its_patience_may_change_while_it_drives():
    robot = Robot(goal_timeout_s=10.0).driving()
    robot.mine.tune(ConfiguratorSettings(goal_timeout_s=20.0, heartbeat_timeout_s=3.0))
    robot.run(12)
    assert robot.status()['task'] == 'driving'
    robot.deaf.add(MIND)
    robot.run(2.5)
    assert robot.status()['mode'] == 'autonomous'
    robot.run(1.0)
    assert robot.status()['mode'] == 'idle'


def test_the_budget_shrinks_with_late_plans_and_is_whole_again_after_a_new_start():
    robot = Robot().driving()
    for _ in range(20):
        robot.late += 1
        robot.run(0.1)
    assert robot.status()['budget'] != '0'
    robot.mine.tune(ConfiguratorSettings(adaptive_compute=False))
    assert robot.status()['budget'] == '0' and robot.mine.changed
    unmoved = Robot(adaptive_compute=False).driving()
    for _ in range(20):
        unmoved.late += 1
        unmoved.run(0.1)
    assert unmoved.status()['budget'] == '0'


def test_a_new_run_keeps_the_mode_and_forgets_the_goal():
    robot = Robot().driving()
    before = robot.status()['run']
    assert robot.mine.begin() != before
    assert robot.status()['mode'] == 'autonomous' and robot.status()['goal'] == '0'


def test_no_two_runs_or_goals_have_the_same_name():
    robot, runs, goals = Robot().driving(), set(), set()
    for _ in range(5):
        runs.add(robot.mine.begin())
        robot.mine.give(robot.now_s)
        goals.add(robot.status()['goal'])
    assert len(runs) == len(goals) == 5


def test_the_ladder_names_every_rung_once_and_leaves_no_cell_empty():
    assert len({rung.fails for rung in LADDER}) == len(LADDER)
    assert all(all(vars(rung).values()) for rung in LADDER)
