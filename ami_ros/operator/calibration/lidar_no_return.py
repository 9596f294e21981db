# SPDX-License-Identifier: Apache-2.0
"""
Finds what a lidar says of a beam that met nothing: +inf as REP-117 asks, 0.0, or some number.

Taken wrongly this is dangerous: a value that also means "too near" or "failed" would pass for
free space. So it wants several beams, lasting, of one kind, with nothing near beside them.
"""

import math

import numpy as np

from ami_ros.operator.calibration.measurement import Measurement, said, Unclear

FEWEST = 3          # beams that met nothing
LASTING = 0.8       # of the scans that say so of such a beam
ONE_KIND = 0.95     # of what is no distance is of one kind
FAR_SHARE = 0.25    # of the range: what is beside an empty beam is no nearer than this
SCANS = 10


def kinds(ranges: np.ndarray, reach: tuple[float, float]) -> dict[str, np.ndarray]:
    """Tell by kind which readings (N, R) are no distance within reach; (N, R) bool each."""
    low, high = np.float32(reach[0]), np.float32(reach[1])
    ranges = np.asarray(ranges, np.float32)
    return {'0.0': ranges == 0.0, '+inf': ranges == np.inf, 'NaN': np.isnan(ranges),
            'above range_max': np.isfinite(ranges) & (ranges > high),
            'below range_min': (ranges < low) & (ranges != 0.0)}


def shares(ranges: np.ndarray, reach: tuple[float, float]) -> dict[str, float]:
    """Return how much of all readings is of each kind."""
    return {kind: float(np.mean(which)) for kind, which in kinds(ranges, reach).items()}


def no_return(ranges: np.ndarray, reach: tuple[float, float]) -> Measurement:
    """Decide from (N, R) raw ranges as the driver says them; Unclear says what to do instead."""
    ranges = np.asarray(ranges, np.float32)
    if len(ranges) < SCANS:
        raise Unclear(f'{len(ranges)} scans came; {SCANS} at least are needed')
    which = kinds(ranges, reach)
    beams = {kind: np.mean(each, 0) >= LASTING for kind, each in which.items()}
    told = ', '.join(f'{kind} {share:.1%}' for kind, share in shares(ranges, reach).items())
    odd = {kind: int(np.count_nonzero(each)) for kind, each in beams.items()}
    kind = max(odd, key=odd.__getitem__)
    if odd[kind] < FEWEST:
        raise Unclear(f'every beam meets something ({told}); put it where a quarter of the beams '
                      f'at least has nothing within {said(reach[1])} m, as before an open door '
                      'or in a hall, and ask again')
    if odd[kind] < ONE_KIND * sum(odd.values()):
        raise Unclear(f'beams without a distance say different things ({told}); one of them '
                      'means that a reading failed. Cover nothing, keep off glass, ask again')
    if kind in ('NaN', 'below range_min'):
        raise Unclear(f'where nothing is in range this lidar says {kind} ({told}), as of a '
                      'reading that failed: the two cannot be told apart. Set its driver to say '
                      '+inf (REP-117), or leave the beams invalid')
    near = beside(ranges, beams[kind])
    if near < FAR_SHARE * reach[1]:
        raise Unclear(f'beside the beams that say {kind} something is {near:.2f} m away: they may '
                      f'be covered, or too near. Keep {FAR_SHARE * reach[1]:.1f} m free there and '
                      'ask again')
    value = {'0.0': 0.0, '+inf': math.inf}.get(kind)
    if value is None:
        heard = np.unique(ranges[:, beams[kind]][which[kind][:, beams[kind]]])
        if len(heard) != 1:
            raise Unclear(f'beyond its range this lidar says numbers from {heard[0]:.3f} to '
                          f'{heard[-1]:.3f} m: raise range_max of its driver, or have it say +inf')
        value = float(heard[0])
    lasting = np.mean(which[kind][:, beams[kind]], 0)
    return Measurement('no_return', {'lidar_no_return': value}, 'm', (value,), 0.0, 0.0,
                 f'{odd[kind]} of {ranges.shape[1]} beams said {kind} in {np.min(lasting):.0%} '
                 f'of {len(ranges)} scans at least; {told}')


def beside(ranges: np.ndarray, empty: np.ndarray) -> float:
    """Return the shortest distance, m, of the beams next to empty ones; inf where all are."""
    edge = (np.roll(empty, 1) | np.roll(empty, -1)) & ~empty
    seen = np.where(np.isfinite(ranges) & (ranges > 0), ranges, np.inf)[:, edge]
    return float(np.median(seen, 0).min()) if seen.size else math.inf
