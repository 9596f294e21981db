# SPDX-License-Identifier: Apache-2.0
"""Cuts a recording into drives and drives into training windows."""

from dataclasses import dataclass, fields, replace

import numpy as np

from ami_ros.training.bag_reader import Recording
from ami_ros.training.topic_choice import BagError

GAP_NS = 1_000_000_000      # frames further apart belong to different drives
LEAST_NS, MOST_NS = 80_000_000, 450_000_000     # between the frames of a window
PIECE_NS = 120_000_000_000  # a longer stretch of a fast camera is cut into several
PIECES, SHORTEST_NS = 8, 12_000_000_000     # a shorter one as well, if its pieces last so long
LONG = 480              # frames of a slow camera; a drive that is longer is cut into several
TIMEOUT_NS = 250_000_000    # a command holds for so long, then the base rests
STEPS_MS = (100, 200, 250, 250, 250, 300, 400)  # how a fast camera is thinned


@dataclass
class Drives:
    """Frames in chains about 0.25 s apart, with what was done and what the body said between.

    All arrays have one row a frame; `step` values belong to the way to the next frame.
    """

    frame: np.ndarray       # (M,) int64 index into the recording's images
    drive: np.ndarray       # (M,) int64, which drive
    last: np.ndarray        # (M,) int64, index of the last row of the chain
    pose: np.ndarray        # (M, 3) float32: x m, y m, yaw rad, odom frame
    body: np.ndarray        # (M, 3) float32: v m/s, w rad/s, gyro yaw rate rad/s
    action: np.ndarray      # (M, 2) float32: mean command until the next frame
    dt: np.ndarray          # (M,) float32 s until the next frame
    clearance: np.ndarray   # (M,) float32 m, NaN where unknown


def mean_command(stamps: np.ndarray, values: np.ndarray, begin: np.ndarray,
                 end: np.ndarray) -> np.ndarray:
    """Average (N, 2) of a held command over [begin, end), zero once it has timed out."""
    if len(stamps) == 0:
        return np.zeros((len(begin), 2))
    until = np.minimum(np.append(stamps[1:], stamps[-1] + TIMEOUT_NS), stamps + TIMEOUT_NS)
    held = ((until - stamps) / 1e9)[:, None] * values
    total = np.vstack([np.zeros((1, 2)), np.cumsum(held, 0)])

    def integral(at: np.ndarray) -> np.ndarray:
        index = np.searchsorted(stamps, at, 'right') - 1
        inside = np.maximum(index, 0)
        part = np.clip(at - stamps[inside], 0, until[inside] - stamps[inside]) / 1e9
        out = total[inside] + part[:, None] * values[inside]
        return np.where((index >= 0)[:, None], out, 0.0)

    return (integral(end) - integral(begin)) / ((end - begin) / 1e9)[:, None]


def chains(stamps: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Split into drives at gaps; thin a fast camera into several chains, so that none is lost."""
    out = []
    for rows in np.split(np.arange(len(stamps)), np.flatnonzero(np.diff(stamps) > GAP_NS) + 1):
        if len(rows) < 8:
            continue
        usual = max(1.0, np.median(np.diff(stamps[rows])) / 1e6)    # ms
        phases = min(max(1, round(250 / usual)), len(rows)) if usual < 150 else 1
        if phases == 1:         # whole drives are kept apart to check with: there must be several
            out.extend(np.array_split(rows, -(-len(rows) // LONG)))
            continue
        for piece in pieces(rows, stamps):
            out.extend(thinned(piece, stamps, phase, usual, rng)
                       for phase in range(min(phases, len(piece))))
    return out


def pieces(rows: np.ndarray, stamps: np.ndarray) -> list[np.ndarray]:
    """Cut a stretch of a fast camera in time.

    Its chains interleave: a chain shows what the others show a moment later. Only a part of the
    time that no chain of training sees can tell what a model has learned.
    """
    lasts_ns = int(stamps[rows[-1]] - stamps[rows[0]])
    return np.array_split(rows, max(1, min(PIECES, lasts_ns // SHORTEST_NS),
                                    -(-lasts_ns // PIECE_NS)))


def thinned(rows: np.ndarray, stamps: np.ndarray, phase: int, usual_ms: float,
            rng: np.random.Generator) -> np.ndarray:
    """Return every few frames, about 0.25 s apart, from the frame `phase` on."""
    chain = [rows[phase]]
    while True:
        target = stamps[chain[-1]] + int(rng.choice(STEPS_MS)) * 1_000_000
        target = max(target - usual_ms * 5e5, stamps[chain[-1]] + LEAST_NS)
        following = rows[np.searchsorted(stamps[rows], target):]
        following = following[following > chain[-1]]
        if len(following) == 0:
            return np.array(chain)
        chain.append(following[0])


def span(stamps: np.ndarray) -> str:
    """How many there are, and from when to when."""
    return f'{len(stamps)} from {stamps[0] / 1e9:.3f} to {stamps[-1] / 1e9:.3f} s'


def with_odometry(recording: Recording, at: np.ndarray) -> np.ndarray:
    """Tell of each stamp whether odometry spoke before and after it, not further apart than a gap.

    Across a gap nobody knows where the robot was: a straight line there would be invented.
    """
    stamps = recording.odom_ns
    before, after = np.searchsorted(stamps, at, 'right') - 1, np.searchsorted(stamps, at)
    inside = (before >= 0) & (after < len(stamps))
    gap = stamps[np.minimum(after, len(stamps) - 1)] - stamps[np.maximum(before, 0)]
    return inside & (gap <= GAP_NS)


def cut(recording: Recording, rng: np.random.Generator) -> Drives:
    """Make drives; BagError when nothing in the bag can be learned from."""
    r = recording
    if not np.any((r.command_ns > r.image_ns[0] - TIMEOUT_NS) & (r.command_ns < r.image_ns[-1])):
        raise BagError(f'no command was sent while images were taken: {span(r.command_ns)} '
                       f'against {span(r.image_ns)}; do their stamps come from the same clock?')
    parts = []
    yaw = np.unwrap(r.odom[:, 2])
    for number, rows in enumerate(chains(r.image_ns, rng)):
        at = r.image_ns[rows]
        inside = with_odometry(r, at)
        rows, at = rows[inside], at[inside]
        if len(rows) < 8:
            continue
        columns = [np.interp(at, r.odom_ns, c)
                   for c in (r.odom[:, 0], r.odom[:, 1], yaw, r.odom[:, 3], r.odom[:, 4])]
        columns.append(np.interp(at, r.gyro_ns, r.gyro) if len(r.gyro_ns) else columns[4])
        end = np.append(at[1:], at[-1] + 1)
        action = mean_command(r.command_ns, r.command, at, end)
        parts.append((rows, np.full(len(rows), number), np.stack(columns, 1), action,
                      np.append(np.diff(at), 0) / 1e9))
    if not parts:
        raise BagError(f'no drive of 8 frames in the bag: frames: {span(r.image_ns)}; odometry: '
                       f'{span(r.odom_ns)}; do their stamps come from the same clock?')
    lengths = [len(p[0]) for p in parts]
    last = np.repeat(np.cumsum(lengths) - 1, lengths)
    frame, drive, state, action, dt = (np.concatenate([p[i] for p in parts]) for i in range(5))
    return Drives(frame, drive, last, state[:, :3].astype(np.float32),
                  state[:, 3:].astype(np.float32), action.astype(np.float32),
                  dt.astype(np.float32), r.clearance[frame].astype(np.float32))


def joined(parts: list[Drives], frames: list[int]) -> Drives:
    """Put the drives of several recordings one after another; `frames`: pictures of each."""
    pictures = np.cumsum([0, *frames])
    rows = np.cumsum([0, *(len(part.frame) for part in parts)])
    names = np.cumsum([0, *(part.drive.max() + 1 for part in parts)])
    moved = [replace(part, frame=part.frame + picture, drive=part.drive + name,
                     last=part.last + row)
             for part, picture, name, row in zip(parts, pictures, names, rows)]
    return Drives(*(np.concatenate([getattr(part, column.name) for part in moved])
                    for column in fields(Drives)))


def split(drives: Drives, length: int, held_out: float, seed: int
          ) -> tuple[np.ndarray, np.ndarray]:
    """Return the window starts to learn from, and those of the drives that are kept apart."""
    rows = starts(drives, length)
    names, stretch = stretches(drives)
    count = stretch[-1] + 1
    rng = np.random.default_rng([seed, 0x401D])
    held = rng.permutation(count)[:max(1, round(held_out * count))]
    mask = np.isin(drives.drive[rows], names[np.isin(stretch, held)])
    return rows[~mask], rows[mask]


def stretches(drives: Drives) -> tuple[np.ndarray, np.ndarray]:
    """Return the drives, and for each the number of its stretch of time.

    Drives that a fast camera was thinned into interleave; they are one stretch.
    """
    names, begin = np.unique(drives.drive, return_index=True)
    first, last = (drives.frame[at] for at in (begin, drives.last[begin]))
    apart = first[1:] > np.maximum.accumulate(last)[:-1]
    return names, np.concatenate([[0], np.cumsum(apart)])


def starts(drives: Drives, length: int) -> np.ndarray:
    """Rows from which a window of `length` frames with sound spacing begins."""
    ok = (drives.dt >= LEAST_NS / 1e9) & (drives.dt <= MOST_NS / 1e9)
    bad = np.concatenate([[0], np.cumsum(~ok)])
    rows = np.arange(len(ok))
    fits = rows + length - 1 <= drives.last
    end = np.minimum(rows + length - 1, len(ok))
    return rows[fits & (bad[end] - bad[rows] == 0)]
