# SPDX-License-Identifier: Apache-2.0
"""Parameters of the planner nodes, composed or one per process, and how the planner is built."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
import time
from typing import cast, ClassVar

from ami_ros.core.compute_budget import Level, within
from ami_ros.core.ports import Dynamics
from ami_ros.core.rate_monitor import HealthSettings
from ami_ros.core.settings import (
    ActorSettings,
    EnergySettings,
    Needs,
    setting,
    Settings,
    WorldModelSettings,
)
from ami_ros.inference import Options
from ami_ros.inference.networks import mind
from ami_ros.mind import Mind
from ami_ros.modules import active_set
from ami_ros.modules.module import open_module
from ami_ros.nodes.narrowing import of_kind
from ami_ros.robots.find import find
from ami_ros.robots.robot import Robot


@dataclass(frozen=True)
class ModuleSettings(Settings):
    """What it thinks with."""

    NAMED: ClassVar[tuple[str, ...]] = ('robot',)

    robot: str = setting('', 'name', reason='Robot file (required)')
    module: str = setting(
        '', 'path',
        reason='Folder of the module; empty means the active set of the store, otherwise the '
               'shipped module')
    module_store_dir: str = setting(
        '', 'path',
        reason='Folder where ami-ros modules installs modules; empty means '
               '~/.ros/ami_ros/modules')
    require_signed: bool = setting(
        True, '-', reason='Refuse a module without a signature by a trusted key')
    backend: str = setting(
        'onnx', 'name',
        reason='Backend that runs the networks; auto selects the fastest available one')
    precision: str = setting(
        'float32', 'name',
        reason='Numeric precision, float32 or float16; float16 is faster only on a GPU')
    engine_cache_dir: str = setting(
        '', 'path', reason='Folder of engines built for this GPU; empty means ~/.cache/ami_ros')
    lock_step: bool = setting(
        False, '-', reason='Wait for all data of a frame; no deadline and no latency apply')
    max_camera_ahead_s: float = setting(
        0.05, 's', 0.0, 1.0,
        'Maximum time the camera clock may be ahead; a frame within it is stamped with the '
        'current time')
    min_spread: float = setting(
        8.0, 'levels', 0.0, 60.0,
        'Reject a compressed image if the standard deviation of its brightness (0 to 255) is '
        'lower than this; no plan is made')
    autoconfigure: bool = setting(
        True, '-',
        reason='Load the module at start without a lifecycle request; a restart becomes seconds '
               'faster')
    autostart: bool = setting(False, '-', reason='Activate the node without a supervisor')


@dataclass(frozen=True)
class CommandedSettings(ModuleSettings):
    """What it thinks with, and how it hears of the commands."""

    RELATIONS: ClassVar[tuple] = (Needs('lock_step', 'enable_stamped_cmd_vel',
                                        'a Twist does not name the frame that it belongs to'),)

    enable_stamped_cmd_vel: bool = setting(
        True, '-', reason='Use TwistStamped commands; false uses Twist')


@dataclass(frozen=True)
class BodySettings(CommandedSettings):
    """What it thinks with, and how it hears of the commands and of its body."""

    max_reading_age_s: float = setting(
        0.15, 's', 0.0, 1.0,
        'Maximum time difference between a camera frame and its odometry or IMU reading')


GROUPS = {
    'mind': {'': BodySettings, 'world_model': WorldModelSettings, 'actor': ActorSettings,
             'energy': EnergySettings, 'health': HealthSettings},
    'perception': {'': ModuleSettings, 'health': HealthSettings},
    'world_model': {'': BodySettings, 'world_model': WorldModelSettings,
                    'health': HealthSettings},
    'actor': {'': CommandedSettings, 'world_model': WorldModelSettings, 'actor': ActorSettings,
              'energy': EnergySettings, 'health': HealthSettings},
}


def world_settings(made: Mapping[str, Settings], robot: Robot) -> WorldModelSettings:
    """Settings of the world model; in lock-step nothing is late, else as late as was measured."""
    world = of_kind(made.get('world_model', WorldModelSettings()), WorldModelSettings)
    if of_kind(made[''], ModuleSettings).lock_step:
        return replace(world, latency_s=0.0)
    return replace(world, latency_s=robot.latency_s) if world.latency_s < 0 else world


def engines(folder: str) -> Path:
    """Return where engines are kept."""
    return Path(folder).expanduser() if folder else Path.home() / '.cache' / 'ami_ros'


def thinking_with(module: str) -> dict[str, object]:
    """Return what a mind of a trial is told, to think with this folder; '': what is active here.

    Whoever names a folder wants to try it, signed or not.
    """
    if module:
        return {'module': module, 'require_signed': False}
    here = active_set.folder()
    return {'module_store_dir': str(here)} if active_set.read(here).active is not None else {}


def open_mind(made: Mapping[str, Settings]) -> Mind:
    """Make a mind from what a node was told; ValueError when module and robot do not fit."""
    own = of_kind(made[''], ModuleSettings)
    robot = find(own.robot)
    return mind(open_module(own.module, own.require_signed, own.module_store_dir), robot,
                world_settings(made, robot),
                of_kind(made.get('actor', ActorSettings()), ActorSettings),
                of_kind(made.get('energy', EnergySettings()), EnergySettings),
                time.monotonic_ns, own.backend,
                Options(own.precision, cache=engines(own.engine_cache_dir)))


def within_budget(made: Mapping[str, Settings], level: Level,
                  mind: Mind) -> dict[str, Settings]:
    """Return the settings of a level of thought: fewer and shorter futures on a late machine."""
    if 'actor' not in made:
        return dict(made)
    actor = of_kind(made['actor'], ActorSettings)
    dynamics = cast(Dynamics, mind.actor.dynamics)      # the networks of a module
    return {**made, 'actor': within(level, actor, dynamics.horizons)}


def tune(mind: Mind, made: Mapping[str, Settings], robot: Robot) -> None:
    """Let a mind go on with what its node was told meanwhile; between two ticks, by who ticks."""
    actor, energy = made.get('actor'), made.get('energy')
    mind.tune(world_settings(made, robot),
              None if actor is None else of_kind(actor, ActorSettings),
              None if energy is None else of_kind(energy, EnergySettings))
