# SPDX-License-Identifier: Apache-2.0
"""How surprised a module is on drives that it was not trained on, measured as the robot would be.

The same filter runs as on the robot, over the pictures of the held-out drives at their own rate.
What is ordinary differs from module to module: a room that looks alike everywhere surprises more.
"""

from collections.abc import Iterator

import numpy as np
import torch

from ami_ros.core.settings import WorldModelSettings
from ami_ros.core.types import Command, Frame, Latent
from ami_ros.inference.encoder_and_dynamics import planar
from ami_ros.training import cost_map_and_memory
from ami_ros.training.bag_reader import Recording
from ami_ros.training.networks import Jepa
from ami_ros.training.training_windows import Drives
from ami_ros.world_model.belief_filter import HOLD_NS, WorldModel

MOST = 3000             # pictures; more say nothing new
LEAST = 20              # surprises; a percentile of fewer is none
APART_NS = 80_000_000   # between two pictures: a faster camera is thinned, as the mind does
UNSEEN = np.zeros((0, 0, 3), np.uint8)


class Networks:
    """Places and Steps of a model in torch; latents are encoded beforehand."""

    def __init__(self, model: Jepa):
        self.model = model

    @torch.no_grad()
    def _readings(self, z: np.ndarray):
        place, _, doubt = self.model.readings(torch.from_numpy(np.asarray(z, np.float32))[None])
        return place[0].numpy(), float(doubt[0])

    def place(self, z: np.ndarray) -> np.ndarray:
        """Read the place (3,) of a latent."""
        return planar(self._readings(z)[0])

    def doubt(self, z: np.ndarray) -> float:
        """Say how far off that place may be, m."""
        return self._readings(z)[1]

    @torch.no_grad()
    def step(self, z, body, twist, dt_s):
        """Advance one belief."""
        z, body, twist = (torch.from_numpy(np.asarray(x, np.float32))[None]
                          for x in (z, body, twist))
        z, body, spread = self.model.dynamics.step(z, body, twist, torch.tensor([[dt_s]]).float())
        return z[0].numpy(), body[0].numpy(), float(spread[0])


def surprise(model: Jepa, images: np.ndarray, drives: Drives, held: np.ndarray,
             recordings: tuple[Recording, ...], scale: float) -> dict[str, float] | None:
    """Measure it, for the manifest; None where the held-out drives are too short to tell."""
    model.eval()
    networks, found, left = Networks(model), [], MOST
    steps: list[float] = []
    for number, (recording, rows, begin) in enumerate(spans(drives, held, recordings)):
        rows = rows[:left]
        left -= len(rows)
        if len(rows) < 2:
            continue
        latents, _ = cost_map_and_memory.look(model, images, rows + begin)
        filtered = WorldModel(networks, networks, WorldModelSettings(), scale)
        for z, frame, commands in frames(recording, rows, latents, str(number)):
            belief = filtered.update(Latent(z, frame), commands)
            if frame.number:            # the first one is believed as it is
                found.append(belief.surprise)
        steps.extend(np.diff(recording.image_ns[rows]) / 1e9)
    if len(found) < LEAST:
        return None
    p50, p95, p99 = np.percentile(found, (50, 95, 99))
    return {'p50': round(float(p50), 3), 'p95': round(float(p95), 3), 'p99': round(float(p99), 3),
            'frames': len(found), 'period_s': round(float(np.median(steps)), 3)}


def spans(drives: Drives, held: np.ndarray, recordings: tuple[Recording, ...]
          ) -> Iterator[tuple[Recording, np.ndarray, int]]:
    """Yield the pictures (P,) of each held-out drive, by recording, and where its pictures begin.

    A fast camera makes several drives of one way; each picture counts once.
    """
    ends = np.cumsum([len(recording.image_ns) for recording in recordings])
    used = np.zeros(ends[-1], bool)
    for name in np.unique(drives.drive[held]):
        frame = drives.frame[drives.drive == name]
        which = int(np.searchsorted(ends, frame[0], 'right'))
        recording, begin = recordings[which], int(ends[which] - len(recordings[which].image_ns))
        rows = np.arange(frame[0], frame[-1] + 1)
        rows = rows[~used[rows]] - begin
        used[rows + begin] = True
        rows = thinned(rows, recording.image_ns)
        at = recording.image_ns[rows]
        yield recording, rows[(at >= recording.odom_ns[0]) & (at <= recording.odom_ns[-1])], begin


def thinned(rows: np.ndarray, stamps: np.ndarray) -> np.ndarray:
    """Leave out pictures that come sooner than the mind looks."""
    kept, last = [], -APART_NS
    for row in rows:
        if stamps[row] - last >= APART_NS:
            kept.append(row)
            last = stamps[row]
    return np.array(kept, int)


def frames(recording: Recording, rows: np.ndarray, latents: np.ndarray, run: str
           ) -> Iterator[tuple[np.ndarray, Frame, tuple[Command, ...]]]:
    """Yield what the robot would have known at each picture."""
    r, before_ns = recording, int(recording.image_ns[rows[0]])
    at = r.image_ns[rows]
    columns = [np.interp(at, r.odom_ns, c) for c in
               (r.odom[:, 0], r.odom[:, 1], np.unwrap(r.odom[:, 2]), r.odom[:, 3], r.odom[:, 4])]
    gyro = np.interp(at, r.gyro_ns, r.gyro) if len(r.gyro_ns) else columns[4]
    for index, (now_ns, z) in enumerate(zip(at.tolist(), latents)):
        low, high = np.searchsorted(r.command_ns, (before_ns - HOLD_NS, now_ns))
        commands = tuple(Command(values, int(stamp)) for values, stamp in
                         zip(r.command[low:high], r.command_ns[low:high]))
        yield z, Frame(UNSEEN, np.array([columns[3][index], columns[4][index], gyro[index]],
                                        np.float32),
                       np.array([columns[axis][index] for axis in range(3)]), now_ns, index,
                       run), commands
        before_ns = now_ns
