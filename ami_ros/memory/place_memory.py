# SPDX-License-Identifier: Apache-2.0
"""
The memory of one place: views of a tour, joined to a pose graph, and the ground that is free.

A tour adds views and scans; `solve` joins views that show the same place and optimises the poses;
after it the memory tells where an image was taken.
"""

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.core.geometry import between, compose
from ami_ros.core.types import Scan
from ami_ros.memory.free_ground import carve, Ground
from ami_ros.memory.keyframes import Keyframes
from ami_ros.memory.pose_graph import Edges, joined, optimise
from ami_ros.memory.readings import apart, Cluster, clusters, PairNetworks, whole
from ami_ros.memory.scan_matching import points_of, ScanMatcher

ALIKE, NEAR = 8, 8          # keyframes that each one is compared with: alike, and near it
SUCCESSIVE = 8              # keyframes of a tour that odometry joins better than images do
SURE_SAME, SURE_M = 0.95, 0.06          # of a reading that becomes an edge
NEAR_M = 1.2                # poses this near are compared once the graph was optimised
HEAVIEST = 256              # readings of an image that are grouped by place
NO_POINTS = np.zeros((0, 2))
CHUNK = 512                 # pairs that are compared at once


class PlaceMemory:
    """Keyframes, scans, and what was made of them."""

    def __init__(self, networks: PairNetworks):
        self.networks, self.keyframes, self.matcher = networks, Keyframes(), ScanMatcher()
        self.scans: list[np.ndarray] = []
        self.scan_keyframe: list[int] = []          # the keyframe before each scan
        self.scan_offset: list[np.ndarray] = []     # pose of the scan seen from that keyframe
        self.lidar: Scan | None = None
        self.ground: Ground | None = None
        self.closures = 0           # readings that became edges and kept their weight

    def see(self, image: np.ndarray, odometry: np.ndarray, scan: Scan | None = None) -> None:
        """Take a view of the tour, (H, W, 3) uint8 rgb, with odometry (3,) and scan.

        Scans are matched with those before, which takes most of the drift of odometry away.
        """
        frames = self.keyframes
        odometry = self.matcher.update(odometry, NO_POINTS if scan is None else points_of(
            scan.ranges, scan.angles, scan.mount))
        if frames.is_new(odometry):
            tokens, descriptors = self.networks.encode(image[None])
            pose = np.zeros(3) if not len(frames) else compose(
                frames.pose[-1], between(frames.odometry[-1], odometry))
            frames.add(tokens[0], descriptors[0], odometry, pose)
        if scan is not None:
            self.lidar = scan
            self.scans.append(scan.ranges.astype(np.float32))
            self.scan_keyframe.append(len(frames) - 1)
            self.scan_offset.append(between(frames.odometry[-1], odometry))

    def solve(self) -> None:
        """Optimise the poses of all keyframes; carve the ground.

        Where nearly all scans matched, their poses are better than any comparison of images.
        """
        frames = self.keyframes
        if not len(frames):
            raise AmiError('the memory has no keyframes; drive the robot around first')
        if not self.matcher.consistent:
            self._optimise()
        if self.lidar is not None:
            at = compose(frames.pose[np.array(self.scan_keyframe)], np.array(self.scan_offset))
            self.ground = carve(at, np.array(self.scans), self.lidar.angles, self.lidar.mount)

    def _optimise(self) -> None:
        """Join keyframes that show the same place, and find the poses that fit best."""
        frames = self.keyframes
        steps = odometry_edges(frames.odometry)
        poses = frames.pose.copy()
        found = self._closures(poses, by_pose=False)
        for _ in range(2):
            poses, _ = optimise(poses, joined(steps, *found))
            found = (*found[:1], *self._closures(poses, by_pose=True))
        edges = joined(steps, *found)
        frames.pose[:], weight = optimise(poses, edges)
        self.closures = int((weight[edges.may_be_wrong] > 0.3).sum())

    def _closures(self, poses: np.ndarray, by_pose: bool) -> tuple[Edges, ...]:
        """Compare each keyframe with others that look alike, or that lie near; keep sure ones."""
        frames, n = self.keyframes, len(self.keyframes)
        pairs = set()
        for row in range(n):
            if by_pose:
                value = -apart(poses, poses[row])
                value[value < -NEAR_M] = -np.inf
            else:
                value = frames.descriptors @ frames.descriptors[row]
            value[max(0, row - SUCCESSIVE):row + SUCCESSIVE + 1] = -np.inf
            for other in np.argsort(-value, kind='stable')[:NEAR if by_pose else ALIKE]:
                if np.isfinite(value[other]):
                    pairs.add((int(other), row))
        if not pairs:
            return ()
        a, b = np.array(sorted(pairs)).T
        kept = []
        for k in range(0, len(a), CHUNK):
            i, j = a[k:k + CHUNK], b[k:k + CHUNK]
            got = self.networks.compare(frames.tokens[i], frames.tokens[j])
            sure = (got.same > SURE_SAME) & (got.error_m < SURE_M)
            # the expected error is small where the image is easy; readings err alike
            error_m = np.maximum(0.15, 4 * got.error_m[sure])
            kept.append(Edges(i[sure], j[sure], got.pose[sure].astype(float), error_m,
                              0.7 * error_m, np.ones(int(sure.sum()), bool)))
        return (joined(*kept),)

    def locate(self, tokens: np.ndarray, most: int = 3) -> list[Cluster]:
        """Return where an image (T, D) may have been taken, heaviest first.

        It is compared with all keyframes: descriptors alone miss many that would tell.
        """
        frames = self.keyframes
        read = whole([self.networks.compare(frames.tokens[k:k + CHUNK], tokens[None])
                      for k in range(0, len(frames), CHUNK)])
        heavy = np.argsort(-read.weight, kind='stable')[:HEAVIEST]
        return clusters(frames.pose[heavy], read.some(heavy), most)


def odometry_edges(odometry: np.ndarray) -> Edges:
    """Return the edges between successive keyframes, with the errors of ordinary odometry."""
    relative = between(odometry[:-1], odometry[1:])
    away = np.hypot(relative[:, 0], relative[:, 1])
    error = 0.5 * (0.01 + 0.03 * away + 0.02 * np.abs(relative[:, 2]))
    first = np.arange(len(odometry) - 1)
    return Edges(first, first + 1, relative, error, 0.7 * error,
                 np.zeros(len(first), bool))
