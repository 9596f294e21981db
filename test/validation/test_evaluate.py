# SPDX-License-Identifier: Apache-2.0
"""Episodes in one process: they end well, they are reported, and they are the same twice."""

from dataclasses import replace
import json
import pickle

from ami_ros.cli.main import main
from ami_ros.core.share_directory import share
from ami_ros.modules.module import Module, open_module
from ami_ros.robots.find_robot import find
import numpy as np
import pytest

pytest.importorskip('pybullet', reason='needs pybullet')
from ami_ros.sim.loopback import Loopback  # noqa: E402
from ami_ros.validation.evaluate import (
    drive,
    EPISODES_AT_ONCE,
    evaluate,
    frame_of,
    home,
    parts,
    PLANNERS,
    policy,
    scan_of,
    setting,
    settings,
    Trial,
)

ROVER = find('rover')
SEED = 500


@pytest.fixture(scope='module')
def driven():
    """Four episodes of the shipped module in its own room, and what progress was told."""
    told = []
    return evaluate(Trial('world_model', 10, 4, SEED), told.append), told


def test_the_shipped_module_drives_there_declares_it_and_touches_nothing(driven):
    got, told = driven
    assert got['success_rate'] >= 0.75 and got['collision_rate'] == 0.0
    assert [e['seed'] for e in got['episodes']] == list(range(SEED, SEED + 4)) == [
        e.seed for e in told]
    for episode in got['episodes']:
        assert episode['final_distance_m'] < 0.5 and episode['steps'] <= 25 + 4


def test_the_report_says_what_was_asked_and_is_json(driven):
    got, module = json.loads(json.dumps(driven[0])), open_module()
    assert got['protocol'] == got['protocol'] | {
        'planner': 'world_model', 'goal_steps': 10, 'seed': SEED, 'furniture_moved': False,
        'world_seed': home(module), 'lock_step': True, 'frame_s': 0.1,
        'module': module.manifest['name'], 'latent_space': module.manifest['latent_space']}
    assert set(got['episodes'][0]) >= {
        'seed', 'reached', 'success', 'steps', 'collisions', 'final_distance_m',
        'final_yaw_error_rad', 'duration_s'}
    assert got['seconds'] > 0


def test_the_same_evaluation_twice_is_the_same_to_the_bit(driven):
    again = evaluate(Trial('world_model', 10, 4, SEED))
    assert again['episodes'] == driven[0]['episodes']
    alone = evaluate(Trial('world_model', 10, 1, SEED + 1))     # whatever was driven before
    assert alone['episodes'] == driven[0]['episodes'][1:2]


def test_the_oracle_succeeds():
    got = evaluate(Trial('oracle', 10, 2, SEED))
    assert got['success_rate'] == 1.0 and got['collision_rate'] == 0.0


@pytest.mark.parametrize('planner', ['random', 'retrieval'])
def test_the_others_drive_and_touch_nothing(planner):
    got = evaluate(Trial(planner, 10, 1, SEED))
    assert got['collision_rate'] == 0.0         # the critic lets nobody into a wall
    assert got['protocol']['planner'] == planner and got['episodes'][0]['steps'] > 0


def test_another_room_and_moved_furniture_are_said():
    got = evaluate(Trial('oracle', 10, 1, SEED, world_seed=3, moved=True))
    assert got['protocol']['world_seed'] == 3 and got['protocol']['furniture_moved'] is True


def test_no_such_planner_names_those_there_are():
    with pytest.raises(ValueError, match="no planner 'wrold_model'; there are: "
                                         + ', '.join(PLANNERS)):
        evaluate(Trial('wrold_model'))


def test_nothing_to_drive_is_an_error():
    with pytest.raises(ValueError, match='0 episodes'):
        evaluate(Trial(episodes=0))


@pytest.mark.parametrize('lineage', [{}, {'collected': 'by its owner'}, {'collected': '3'},
                                     {'collected': '{}'}, None])
def test_a_module_of_no_simulated_room_asks_for_one(tmp_path, lineage):
    with pytest.raises(ValueError, match='own did not learn a simulated room; .*--world-seed'):
        home(Module(tmp_path / 'own', {'lineage': lineage}, {}))


def test_the_policy_is_stricter_than_the_robot_never_looser():
    critic = policy().shared
    assert critic.max_speed_mps <= ROVER.max_speed_mps
    assert critic.max_turn_radps <= ROVER.max_turn_radps


def test_what_the_lidar_says_wrongly_is_nan_to_the_critic():
    class Odd(Loopback):
        def scan(self):
            return np.array([0.05, 0.08, 1.0, 8.0, 8.5, np.inf])

    got = scan_of(Odd(ROVER), 7)
    assert np.array_equal(got.ranges, [np.nan, 0.08, 1.0, 8.0, np.inf, np.inf], equal_nan=True)
    assert got.mount[0] == ROVER.body.mounts['laser'][0] and got.stamp_ns == 7


def test_a_frame_is_what_the_sensors_say_at_once():
    body = Loopback(ROVER)
    body.command(0.4, 0.5)
    body.step(0.1)
    got = frame_of(body, 3, 'run')
    assert got.stamp_ns == 100_000_000 and (got.number, got.run) == (3, 'run')
    assert got.body == pytest.approx([0.4, 0.5, 0.5]) and got.odometry[0] > 0.03
    assert got.image.shape == (64, 64, 3)


@pytest.mark.parametrize(('changes', 'words'), [
    ((('enrgy.way', '0'),), "unknown key 'enrgy'; did you mean 'energy'"),
    ((('energy.tiem_to_goal', '0'),), "unknown key 'tiem_to_goal'; did you mean 'time_to_goal'"),
    ((('energy.time_to_goal', '-1'),), 'time_to_goal = -1.0 is outside'),
    ((('energy.time_to_goal', 'NaN'),), 'time_to_goal = nan is outside'),
    ((('actor.candidates', '2.5'),), 'candidates = 2.5 is not of type int'),
    ((('energy.time_to_goal', 'none'),), 'is no number and neither true nor false'),
])
def test_a_setting_that_cannot_be_is_named(changes, words):
    with pytest.raises(ValueError, match=words):
        settings(changes)


def test_settings_are_changed_where_asked_and_only_there():
    world, actor, energy = settings((('energy.time_to_goal', '0'), ('actor.candidates', '24')))
    plain = settings()
    assert (energy.time_to_goal == 0.0 != plain[2].time_to_goal
            and actor.candidates == 24 != plain[1].candidates)
    assert world == plain[0] and world.latency_s == 0.0


def test_a_robot_is_driven_where_its_urdf_is_not(tmp_path):
    trial = Trial('oracle', 6, 2, SEED)
    given = setting(trial)
    away = replace(given, robot=replace(given.robot, urdf=str(tmp_path / 'rover.urdf')))
    assert drive(pickle.loads(pickle.dumps(away)), trial)[0] == drive(given, trial)[0]
    assert list(tmp_path.iterdir()) == []


def test_a_urdf_with_meshes_is_not_sent(tmp_path):
    robot = share('config/robots/rover.yaml').read_text()
    (tmp_path / 'rover.yaml').write_text(robot.replace('urdf/rover.urdf', 'own.urdf'))
    (tmp_path / 'own.urdf').write_text(share('urdf/rover.urdf').read_text().replace(
        '</robot>', '<link name="hat"><visual><geometry><mesh filename="hat.stl"/></geometry>'
        '</visual></link></robot>'))
    trial = Trial('oracle', robot=str(tmp_path / 'rover.yaml'))
    assert setting(trial).robot.name == 'rover'
    with pytest.raises(ValueError, match='own.urdf names mesh files, which --cluster does not'):
        evaluate(trial, cluster='head:6379')


def test_the_parts_of_a_trial_have_each_episode_once():
    trial = Trial(episodes=2 * EPISODES_AT_ONCE + 1, seed=SEED)
    assert [(p.seed, p.episodes) for p in parts(trial)] == [
        (SEED, EPISODES_AT_ONCE), (SEED + EPISODES_AT_ONCE, EPISODES_AT_ONCE),
        (SEED + 2 * EPISODES_AT_ONCE, 1)]
    assert all(replace(p, seed=SEED, episodes=trial.episodes) == trial for p in parts(trial))


@pytest.mark.parametrize('other', ['--carried', '--counterfactual'])
def test_another_engine_is_refused_where_it_is_not_used(other, capsys):
    assert main(['evaluate', other, '--engine', 'mujoco']) == 1
    assert 'run in pybullet' in capsys.readouterr().err
