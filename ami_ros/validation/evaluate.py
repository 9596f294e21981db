# SPDX-License-Identifier: Apache-2.0
"""Episodes in one process, lock-step: the body, a planner, the critic; no ROS, no waiting."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, ExitStack
from dataclasses import dataclass, replace
import itertools
import json
from pathlib import Path
from tempfile import TemporaryDirectory
import time

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.core.image_stats import view_of
from ami_ros.core.settings import ActorSettings, build, EnergySettings, unknown, WorldModelSettings
from ami_ros.core.share_directory import share
from ami_ros.core.types import Command, Frame, Odometry, Permit, Plan, Scan, Verdict
from ami_ros.critic.critic import Critic
from ami_ros.critic.safety_policy.policy_loader import Policy, read
from ami_ros.inference import Options
from ami_ros.inference.encoder_and_dynamics import mind
from ami_ros.modules.module import Module, open_module
from ami_ros.parallel.pool import outcomes
from ami_ros.robots.find_robot import find, Robot
from ami_ros.sim import furnished_room as worlds
from ami_ros.sim.camera_model import presets
from ami_ros.sim.furnished_room import World
from ami_ros.sim.scenes import protocol_room, scene_changes
from ami_ros.sim.scenes.scene import Scene
from ami_ros.sim.scenes.styles import LIGHTS
from ami_ros.sim.simulator import Simulator
from ami_ros.validation import evaluation_protocol as protocol
from ami_ros.validation import planners
from ami_ros.validation.evaluation_protocol import Episode, goal_drive, GoalDrive, Judge
from ami_ros.validation.oracle_planner import OraclePlanner
from ami_ros.validation.report_fingerprint import measured

PLANNERS = ('world_model', 'random', 'retrieval', 'oracle')
FRAME_S = 0.1           # the camera's period, and so the mind's and the critic's
LOOK_S = 0.05           # how often the truth is looked at
REMEMBERED = 20         # commands
EPISODES_AT_ONCE = 5    # on a cluster: opening networks and room takes half as long as one


@dataclass(frozen=True)
class Trial:
    """What to evaluate."""

    planner: str = 'world_model'
    blocks: int = 10
    episodes: int = 20
    seed: int = 0
    world_seed: int | None = None   # the module's own where None
    moved: bool = False             # a third of the furniture stands elsewhere
    camera: str = 'clean'           # preset of the camera while the robot drives
    world_changes: str = ''         # of the scene, as `changes.parse` reads them
    module: str = ''
    robot: str = 'rover'
    changes: tuple[tuple[str, str], ...] = ()   # of the settings: ('energy.time_to_goal', '0')
    backend: str = 'onnx'
    precision: str = 'float32'
    engine: str = 'pybullet'


@dataclass(frozen=True)
class Setting:
    """What the episodes of a trial share; it has the bytes of files, so it can be sent."""

    module: Module
    robot: Robot
    urdf: bytes
    policy: Policy
    world_seed: int

    @contextmanager
    def robot_here(self) -> Iterator[Robot]:
        """Lend the robot with a URDF file of this machine."""
        path = Path(self.robot.urdf)
        if path.is_file() and path.read_bytes() == self.urdf:
            yield self.robot
            return
        with TemporaryDirectory() as folder:
            path = Path(folder) / path.name
            path.write_bytes(self.urdf)
            yield replace(self.robot, urdf=str(path))


def settings(changes: tuple[tuple[str, str], ...] = ()
             ) -> tuple[WorldModelSettings, ActorSettings, EnergySettings]:
    """Lock-step: nothing is late, so nothing is planned for lateness. ValueError: see `build`."""
    chosen = {'world_model': {'latency_s': 0.0}, 'actor': {}, 'energy': {}}
    for name, text in changes:
        group, _, key = name.partition('.')
        if group not in chosen:
            raise AmiError(f'{name}: {unknown(group, chosen)}')
        try:
            chosen[group][key] = json.loads(text)
        except ValueError:
            raise AmiError(f'{name} = {text!r} is no number and neither true nor '
                           'false') from None
    kinds = (WorldModelSettings, ActorSettings, EnergySettings)
    return tuple(build(kind, chosen[group], group) for kind, group in zip(kinds, chosen))


def policy(name: str = 'rover') -> Policy:
    """Read the critic's rules and numbers."""
    return read(share(f'config/safety_policy/{name}.yaml'))


def home(module: Module) -> int:
    """World seed of the room that a module learned; ValueError when it was not a simulated one."""
    try:
        return int(json.loads(module.manifest['lineage']['collected'])['world_seed'])
    except (ValueError, KeyError, TypeError):
        raise AmiError(f'{module.path.name} did not learn a simulated room; '
                       'say which with --world-seed') from None


def planner(trial: Trial, module: Module, sim: Simulator):
    """Make a planner by its name; ValueError lists those there are."""
    if trial.planner not in PLANNERS:
        raise AmiError(f'no planner {trial.planner!r}; there are: {", ".join(PLANNERS)}')
    world, actor, energy = settings(trial.changes)
    if trial.planner == 'oracle':
        return OraclePlanner(sim.world, sim.robot, actor, energy, sim.truth_pose)
    own = mind(module, sim.robot, world, actor, energy, time.monotonic_ns, trial.backend,
               Options(trial.precision))
    return {'world_model': lambda: planners.WorldModelPlanner(own),
            'random': lambda: planners.RandomPlanner(own),
            'retrieval': lambda: planners.RetrievalPlanner(own, module)}[trial.planner]()


def scan_of(sim: Simulator, stamp_ns: int) -> Scan:
    """Take a scan as the critic wants it: what is invalid is NaN."""
    low, high = sim.robot.lidar_range_m
    ranges = sim.scan()
    ranges = np.where(ranges < low, np.nan, np.where(ranges > high, np.inf, ranges))
    x, y, _, _, _, yaw = sim.robot.body.mount(sim.robot.lidar.link)
    return Scan(ranges, sim.angles, (x, y, yaw), stamp_ns, stamp_ns, sim.robot.lidar.name)


def frame_of(sim: Simulator, number: int, run: str) -> Frame:
    """Take a frame: picture and body readings of one instant."""
    pose, twist = sim.odometry()
    spin, _ = sim.imu()
    return Frame(sim.camera(), np.array([*twist, spin[2]], np.float32), pose, sim.time_ns,
                 number, run)


def episode(sim: Simulator, who, critic: Critic, drive: GoalDrive, seed: int,
            watch: Callable | None = None, photographer: Simulator | None = None) -> Episode:
    """Drive one episode. `watch` sees (frame, plan, verdict, truth) of every tick.

    `photographer` takes the goal picture; the driven simulator does where there is none.
    """
    taking = photographer or sim
    taking.reset(drive.goal, seed + 1_000_000)
    picture = taking.camera()
    sim.reset(drive.start, seed)
    if isinstance(who, OraclePlanner):
        who.goal_pose = drive.goal
    who.begin(seed, picture)
    judge, over = Judge(drive, seed), False
    commands: tuple[Command, ...] = ()
    for number in itertools.count(1):
        frame, plan, verdict = decide(sim, who, critic, commands, number, str(seed))
        commands = (*commands, verdict.command)[-REMEMBERED:]
        for _ in range(round(FRAME_S / LOOK_S)):
            sim.step(LOOK_S)
            truth = sim.truth()
            over = over or judge.watch(truth, plan.arrived, sim.time_ns / 1e9)
        if watch is not None:
            watch(frame, plan, verdict, truth)
        if over:
            break
    return judge.episode()


def decide(sim: Simulator, who, critic: Critic, commands: tuple[Command, ...], number: int,
           run: str) -> tuple[Frame, Plan, Verdict]:
    """Look, plan and judge once, and command the body; the verdict has the command."""
    now = sim.time_ns
    critic.on_scan(scan_of(sim, now))
    frame = frame_of(sim, number, run)
    critic.on_odometry(Odometry(frame.odometry, frame.body[:2].astype(float), now, now,
                                sim.robot.odometry.name))
    critic.on_view(view_of(frame.image, sim.robot.camera.name, now, now))
    plan = who.decide(frame, commands)
    critic.on_permit(Permit('autonomous', run, now, now))
    critic.on_plan(plan, now)
    verdict = critic.judge(now, now)
    sim.command(*verdict.command.values)
    return frame, plan, replace(verdict, command=Command(verdict.command.values, now))


def places(trial: Trial, world_seed: int) -> tuple[World, World | Scene, presets.Preset]:
    """Return the room for starts, goals and goal pictures, the place to drive in, the camera.

    Goal pictures are taken by a clean camera in ordinary light, with the furniture as it stands
    while the robot drives.
    """
    world, preset = worlds.draw(world_seed), presets.find(trial.camera)
    if trial.moved:
        world = worlds.rearranged(world, 1)
    if lights := [c.name for c in scene_changes.parse(trial.world_changes) if c.name in LIGHTS]:
        raise AmiError(f'--changes {lights[0]} is a light; --camera changes the light, so that '
                       'goal images are taken in ordinary light')
    scene = scene_changes.apply(protocol_room.of_world(world), trial.world_changes, 1)
    assert scene.world is not None      # only another light takes it away
    lit = scene_changes.apply(scene, preset.change, 1)
    # a World cannot hold people
    return scene.world, lit if lit.people or lit.world is None else lit.world, preset


def setting(trial: Trial, cluster: str = '') -> Setting:
    """Open what a trial names; ValueError where it cannot be driven or sent."""
    if trial.episodes < 1 or trial.blocks < 1:
        raise AmiError(f'{trial.episodes} episodes of {trial.blocks} actions cannot be driven; '
                       'at least one of each is needed')
    module, robot = open_module(trial.module), find(trial.robot)
    urdf = Path(robot.urdf).read_bytes()
    if cluster and b'<mesh' in urdf:
        raise AmiError(f'{robot.urdf} names mesh files, which --cluster does not send; use '
                       'boxes and cylinders, or leave out --cluster')
    return Setting(module, robot, urdf, policy(),
                   home(module) if trial.world_seed is None else trial.world_seed)


def parts(trial: Trial) -> list[Trial]:
    """Divide a trial for a cluster into some of a few episodes, which together are the same."""
    return [replace(trial, seed=trial.seed + k, episodes=min(EPISODES_AT_ONCE, trial.episodes - k))
            for k in range(0, trial.episodes, EPISODES_AT_ONCE)]


def drive(given: Setting, trial: Trial, progress=lambda episode: None
          ) -> tuple[list[Episode], float]:
    """Drive the episodes of a trial in this process; return them and how many seconds it took."""
    begun, episodes = time.monotonic(), []
    with ExitStack() as stack:
        robot = stack.enter_context(given.robot_here())
        world, driven, preset = places(trial, given.world_seed)
        sim = stack.enter_context(Simulator(
            driven, robot, trial.seed, engine=trial.engine, camera=preset.camera))
        clean = sim if driven is world and not preset.camera.on else stack.enter_context(
            Simulator(world, robot, trial.seed, engine=trial.engine))
        who = planner(trial, given.module, sim)
        for index in range(trial.episodes):
            seed = trial.seed + index
            goal = goal_drive(world, robot, trial.blocks, seed)
            episodes.append(episode(sim, who, Critic(given.policy, robot), goal, seed,
                                    photographer=clean))
            progress(episodes[-1])
    return episodes, time.monotonic() - begun


def evaluate(trial: Trial, progress=lambda episode: None, cluster: str = '') -> dict:
    """Run a trial, in this process or on a Ray cluster at HOST:PORT; returns the report."""
    given = setting(trial, cluster)
    if not cluster:
        return report(given, trial, [drive(given, trial, progress)])
    work = [(part,) for part in parts(trial)]
    done: dict[int, tuple[list[Episode], float]] = {}
    for index, result in outcomes(drive, work, cluster=cluster, common=(given,)):
        done[index] = result
        for one in result[0]:
            progress(one)
    return report(given, trial, [done[index] for index in range(len(work))])


def report(given: Setting, trial: Trial, done: list[tuple[list[Episode], float]]) -> dict:
    """Make the report of a trial from its parts; `seconds` is the sum of theirs."""
    said = given.module.manifest
    asked = {'planner': trial.planner, 'goal_steps': trial.blocks, 'seed': trial.seed,
             'world_seed': given.world_seed, 'furniture_moved': trial.moved, 'frame_s': FRAME_S,
             'lock_step': True, 'backend': trial.backend, 'precision': trial.precision,
             'module': said['name'], 'module_version': said['version'],
             'latent_space': said['latent_space'],
             'camera': trial.camera, 'world_changes': trial.world_changes,
             'engine': trial.engine,
             **({'changes': dict(trial.changes)} if trial.changes else {})}
    episodes = [one for some, _ in done for one in some]
    return {**protocol.report(asked, episodes, seconds=sum(seconds for _, seconds in done)),
            'measured': measured('evaluate', given.policy.hash, given.module)}
