# SPDX-License-Identifier: Apache-2.0
"""Finds how long it takes from a picture to the command that came of it, from verdicts alone."""

from collections.abc import Iterable

import numpy as np

from ami_ros.operator.calibration.measurement import Measurement, said, Unclear

FEWEST = 30             # pictures that were answered
LONGEST_S = 1.0         # a later answer is no answer to a picture
SHARE, LEAST_S = 1.0, 0.03      # of the middle, and at least: up to the 95th percentile


def answered(verdicts: Iterable[tuple[int, int]]) -> np.ndarray:
    """(stamp of the picture ns, stamp of the command ns) to seconds, one a picture.

    A verdict that is told again names its picture once more; the first is the answer.
    """
    first: dict[int, int] = {}
    for picture_ns, command_ns in verdicts:
        if picture_ns > 0:
            first[picture_ns] = min(command_ns, first.get(picture_ns, command_ns))
    took = np.array([(c - p) / 1e9 for p, c in sorted(first.items())])
    return took[(took > 0) & (took < LONGEST_S)] if len(took) else took


def latency(verdicts: Iterable[tuple[int, int]]) -> Measurement:
    """Take what all but one in twenty of the pictures waited; Unclear where too few were answered.

    A plan is made for the instant at which it may act: one that is late has lost its beginning,
    one that is early waits.
    """
    took = answered(verdicts)
    if len(took) < FEWEST:
        raise Unclear(f'{len(took)} images were answered by a plan, {FEWEST} are needed; is the '
                      'planner running in mode dry_run or autonomous, with a goal?')
    middle, late, last = np.percentile(took, (50, 95, 100))
    return Measurement('latency', {'latency_s': round(float(late), 3)}, 's',
                 tuple(np.round(took, 4).tolist()), float(late - middle),
                 max(LEAST_S, SHARE * middle),
                 f'from the stamp of an image to that of its command, 95th percentile of '
                 f'{len(took)}; the middle is {said(middle)} s, the longest {said(last)} s')
