# SPDX-License-Identifier: Apache-2.0
"""A module's networks as the encoder and the dynamics that the mind asks for."""

from dataclasses import replace
from functools import partial
from re import fullmatch

import numpy as np

from ami_ros.actor.cem import Actor
from ami_ros.actor.cost_to_go import Map
from ami_ros.core.errors import AmiError
from ami_ros.core.interfaces import Imagined
from ami_ros.core.settings import ActorSettings, EnergySettings, WorldModelSettings
from ami_ros.inference import backend, Network, Options
from ami_ros.mind import Mind
from ami_ros.modules import golden_inputs
from ami_ros.modules.module import fits, Module, ModuleError, NETWORKS
from ami_ros.robots.robot import Robot
from ami_ros.world_model.belief_filter import WorldModel
from ami_ros.world_model.out_of_distribution import of_module


def planar(place: np.ndarray) -> np.ndarray:
    """(..., 4) x, y, cos, sin -> (..., 3) x m, y m, yaw rad, float64."""
    place = np.asarray(place, np.float64)
    return np.stack([place[..., 0], place[..., 1],
                     np.arctan2(place[..., 3], place[..., 2])], -1)


SHORTER = 'imagine_'         # imagine_4.onnx: the same rollout, cut after 4 knots
SHORTER_FILE = SHORTER + r'[1-9][0-9]?\.onnx'
PLAIN = Options()


def accept(module: Module, name: str, precision: str, network: Network) -> None:
    """Hold one network to what the module says of it; ModuleError where it says something else."""
    golden_inputs.check(module, {name: network}, precision)


class Networks:
    """Encoder and Dynamics of the ports, by one backend."""

    def __init__(self, module: Module, backend_name: str = 'onnx', options: Options = PLAIN):
        opened = {}
        for file in sorted(module.files, reverse=True):
            name = file.removesuffix('.onnx')
            if name in NETWORKS or fullmatch(SHORTER_FILE, file):
                # one that is built while another serves is held to the same when it is there
                told = replace(options, accept=partial(accept, module, name, options.precision))
                try:
                    opened[name] = backend(backend_name, told)(module.files[file])
                except ValueError as why:
                    raise ModuleError(f'{module.path / file} cannot be opened: {why}') from why
        self._see, self._step = opened['see'], opened['step']
        # by horizon, the longest first; shorter ones where the module has them
        self._imagine = {module.manifest['horizon']: opened['imagine']} | {
            int(name.removeprefix(SHORTER)): network for name, network in opened.items()
            if name.startswith(SHORTER)}
        # as they will serve, they say what they said when the module was made
        self.off = golden_inputs.check(module, opened, options.precision)
        self.opened = opened
        self.module = module.said
        self.contract = module.camera       # it learned from
        self.made_of = named(module)        # for whoever wants to know it by parts
        self.size = self.contract.size
        self._read: dict[bytes, tuple[np.ndarray, float]] = {}

    def encode(self, image: np.ndarray) -> np.ndarray:
        """See a picture (H, W, 3) uint8; ValueError when it is of another size."""
        if image.shape != (*self.size[::-1], 3) or image.dtype != np.uint8:
            raise AmiError(f'image of shape {image.shape} {image.dtype}; this module sees '
                           f'{(*self.size[::-1], 3)} uint8')
        z, place, _, doubt = self._see(picture=image[None].astype(np.float32))
        self._remember(z[0], place[0], doubt[0])
        return z[0]

    def place(self, z: np.ndarray) -> np.ndarray:
        """Read the place (3,) of a latent."""
        return self._reading(z)[0].copy()

    def doubt(self, z: np.ndarray) -> float:
        """Say how far off that place may be, m."""
        return self._reading(z)[1]

    def _reading(self, z: np.ndarray) -> tuple[np.ndarray, float]:
        """Recall what came with a latent; any other latent is read by a step of no time."""
        key = z.tobytes()
        if key not in self._read:
            still = np.zeros((1, 3), np.float32)
            _, _, place, doubt, _ = self._step(z=np.asarray(z, np.float32)[None], body=still,
                                               twist=still[:, :2], dt=still[:, :1])
            self._remember(z, place[0], doubt[0])
        return self._read[key]

    def _remember(self, z: np.ndarray, place: np.ndarray, doubt: float) -> None:
        if len(self._read) > 64:
            self._read.pop(next(iter(self._read)))
        self._read[z.tobytes()] = planar(place), float(doubt)

    def step(self, z: np.ndarray, body: np.ndarray, twist: np.ndarray,
             dt_s: float) -> tuple[np.ndarray, np.ndarray, float]:
        """Advance one belief."""
        z, body, place, doubt, spread = self._step(
            z=np.asarray(z, np.float32)[None], body=np.asarray(body, np.float32)[None],
            twist=np.asarray(twist, np.float32)[None], dt=np.array([[dt_s]], np.float32))
        self._remember(z[0], place[0], doubt[0])
        return z[0], body[0], float(spread[0])

    @property
    def about(self) -> str:
        """Say what each network runs on, and why that was chosen."""
        said: dict[str, list[str]] = {}
        for name, network in sorted(self.opened.items()):
            said.setdefault(getattr(network, 'about', 'unknown'), []).append(name)
        return '; '.join(f'{", ".join(names)}: {what}' for what, names in said.items())

    @property
    def horizons(self) -> tuple[int, ...]:
        """For how many knots it can imagine, the most first."""
        return tuple(sorted(self._imagine, reverse=True))

    def imagine(self, z: np.ndarray, body: np.ndarray, knots: np.ndarray,
                goal_z: np.ndarray) -> Imagined:
        """Roll candidates (N, H, 2) forward, one call; H is one of `horizons`."""
        place, latent, clearance, spread = self._imagine[knots.shape[1]](
            z=np.asarray(z, np.float32)[None], body=np.asarray(body, np.float32)[None],
            knots=knots.astype(np.float32), goal=np.asarray(goal_z, np.float32)[None])
        return Imagined(planar(place), latent, clearance, spread)


def named(module: Module) -> dict:
    """Say which module this is: name, version, hash, who signed it, and its manifest."""
    said = module.manifest
    return {'name': said['name'], 'version': str(said['version']), 'path': str(module.path),
            'hash': module.id, 'signer': module.signer or '', 'manifest': said}


def mind(module: Module, robot: Robot, world: WorldModelSettings, actor: ActorSettings,
         energy: EnergySettings, steady_ns, backend_name: str = 'onnx',
         options: Options = PLAIN) -> Mind:
    """Put a mind together from a module; ModuleError when it does not fit the robot."""
    fits(module, robot)
    networks = Networks(module, backend_name, options)
    if actor.horizon != module.manifest['horizon']:
        raise AmiError(f'horizon {actor.horizon}: {module.path.name} was exported for '
                       f'{module.manifest["horizon"]} knots')
    ground = Map(module.array('map_cost'), module.array('map_origin'),
                 module.manifest['map_cell_m'])
    return Mind(networks, WorldModel(networks, networks, world,
                                     module.manifest['surprise_scale'],
                                     of_module(module.manifest, module.array, module.files)),
                Actor(networks, networks.place, ground, robot.limits, actor, energy, steady_ns,
                      float(module.manifest['gates'].get('latent_tolerance', 0.0))))
