# SPDX-License-Identifier: Apache-2.0
"""Health of a planner node: how many inputs it worked on, how late, and what it waits for."""

from collections import deque
import math
import time

import numpy as np

from ami_ros.core.rate_monitor import HealthSettings, Pulse
from ami_ros.core.types import Belief
from ami_ros.mind import Mind
from ami_ros.modules.ordinary_surprise import ordinary
from ami_ros.nodes.message_conversions import Health
from ami_ros.nodes.sensor_inputs import SensorInputs
from ami_ros.nodes.type_narrowing import present

LATELY = 100            # beliefs whose surprise is told


class WorkerHealth:
    """Counters since the process started, and the current input; written by the worker thread."""

    def __init__(self):
        self.thoughts = 0
        self.late = 0                   # of these: took longer than the time available
        self.cut = 0                    # of these: stopped before the last iteration
        self.pulse = Pulse()
        self.stages_s: dict[str, float] = {}    # of the last input, where it has several
        self.afresh()

    def afresh(self) -> None:
        """Reset the state of the last activation."""
        self.busy_s: float | None = None        # start of processing of the current input
        self.surprises: deque[float] = deque(maxlen=LATELY)     # of the last beliefs
        self.unfamiliar: deque[float] = deque(maxlen=LATELY)    # likewise, out_of_distribution

    def began(self) -> None:
        """Record the start of processing of an input."""
        self.busy_s, self.stages_s = time.monotonic(), {}

    def ended(self, age_s: float) -> None:
        """Record the end of processing of an input of this age at its start."""
        begun_s, self.busy_s = present(self.busy_s), None
        self.pulse.beat(begun_s, age_s, time.monotonic() - begun_s, self.stages_s)

    def forget(self) -> None:
        """Forget the beliefs: another run began."""
        self.surprises.clear()
        self.unfamiliar.clear()

    def believed(self, belief: Belief) -> None:
        """Record what a belief says of its own certainty."""
        self.surprises.append(belief.surprise)
        self.unfamiliar.append(belief.out_of_distribution)

    def values(self, mind: Mind | None, limits: HealthSettings | None) -> dict[str, str]:
        """Return the counters, and the limits that are exceeded."""
        busy_s = self.busy_s
        return {'module': getattr(getattr(mind, 'encoder', None), 'module', ''),
                'thoughts': str(self.thoughts), 'late': str(self.late), 'cut': str(self.cut),
                'busy_s': f'{0.0 if busy_s is None else time.monotonic() - busy_s:.2f}',
                **self.surprised(mind), **self.pulse.said(time.monotonic(), limits)}

    def surprised(self, mind: Mind | None) -> dict[str, str]:
        """Return how certain recent beliefs were, and the ordinary surprise of the module."""
        lately, unfamiliar = list(self.surprises), list(self.unfamiliar)
        # another thread fills one after the other
        if mind is None or not lately or not unfamiliar:
            return {}
        manifest = getattr(mind.encoder, 'made_of', {}).get('manifest', {})
        half, most = np.percentile(lately, (50, 95))
        newest = unfamiliar[-1]
        largest = max((value for value in unfamiliar if value == value), default=math.nan)
        return {'out_of_distribution': f'{newest:.2f}',
                'out_of_distribution_largest': f'{largest:.2f}',
                'surprise': f'half below {half:.2f}, 95 % below {most:.2f}',
                'surprise_ordinary': ordinary(manifest)}


def verdict(sensors: SensorInputs, active: bool) -> Health:
    """Return the state of the node: working, unusable inputs, or the awaited input; no values."""
    queue, heard = sensors.queue, sensors.heard
    if not active:
        return Health('', 0, 'waiting to be activated')
    if sensors.troubles.now:
        return Health('', 2, '; '.join(sensors.troubles.now.values()))
    if not queue.silent:
        return Health('', 0, 'working')
    if queue.inputs.full:
        others = ', '.join(row.name for row in heard[:-1])
        return Health('', 2, f'{heard[-1].name} waits for messages of its time on {others}')
    return Health('', 2, f'waiting for {heard[-1].name}')
