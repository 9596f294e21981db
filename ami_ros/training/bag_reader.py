# SPDX-License-Identifier: Apache-2.0
"""Reads any rosbag2 bag of a driving robot: its topics, as arrays; what is bad is left out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.perception.camera_contract import HFOV_TOLERANCE_RAD
from ami_ros.perception.images import image_message_fields as fields
from ami_ros.perception.images.rectify import fitted, Pinhole, Rectifier
from ami_ros.recording import mcap_reader, message_reader
from ami_ros.recording.attached_robot_file import recorded_robot
from ami_ros.recording.in_use import refuse_while_written
from ami_ros.recording.mcap_reader import Channel
from ami_ros.recording.message_definitions import STORE
from ami_ros.recording.recording_files import kind_of, listing, MCAP
from ami_ros.robots.robot import Robot
from ami_ros.training.reading_validation import row_of, Tally
from ami_ros.training.topic_choice import BagError, choose, INFO, WANTED

__all__ = ['BagError', 'Recording', 'read']


@dataclass
class Recording:
    """What a bag says, as arrays; stamps are int64 ns, in order."""

    images: np.ndarray              # (F, H, W, 3) uint8 rgb, at the network's size
    image_ns: np.ndarray            # (F,)
    odom_ns: np.ndarray             # (O,)
    odom: np.ndarray                # (O, 5): x m, y m, yaw rad (odom frame), v m/s, w rad/s
    command_ns: np.ndarray          # (C,)
    command: np.ndarray             # (C, 2): v m/s, w rad/s
    gyro_ns: np.ndarray             # (G,), empty without an IMU
    gyro: np.ndarray                # (G,) yaw rate rad/s
    clearance: np.ndarray           # (F,) m to the nearest lidar return, NaN without a lidar
    topics: dict[str, str] = field(default_factory=dict)
    hfov_rad: float | None = None   # from camera_info, where there is one
    source_size: tuple[int, int] = (0, 0)   # width, height of the camera
    notes: tuple[str, ...] = ()     # what was left out, what is lacking, what was taken for what


@dataclass(frozen=True)
class Bag:
    """A recording that is going to be read."""

    path: Path
    files: tuple[Path, ...]
    counts: dict[Channel, int]          # what the files have
    promised: dict[str, int]            # what metadata.yaml says that they have, by topic
    damage: list[str]                   # what cannot be read, as far as it was met
    notes: tuple[str, ...] = ()

    def messages(self, needs: dict[str, str]) -> Iterator[tuple[str, Channel, int, bytes]]:
        """Yield (need, channel, time of reception, cdr) of topics; `needs` is need by topic."""
        def wanted(channel: Channel) -> bool:
            need = needs.get(channel.topic)
            kinds = WANTED[need][0] if need in WANTED else (INFO,)
            return (need is not None and channel.encoding == message_reader.CDR
                    and channel.kind in kinds)

        for path in self.files:
            for channel, received, data in message_reader.entries(path, wanted,
                                                                      damage=self.damage):
                yield needs[channel.topic], channel, received, data

    def should_have(self, topics: dict[str, str]) -> dict[str, int]:
        """Return how many messages there should be for each need."""
        there: dict[str, int] = {}
        for channel, count in self.counts.items():
            there[channel.topic] = there.get(channel.topic, 0) + count
        return {need: max(self.promised.get(topic, 0), there.get(topic, 0))
                for need, topic in topics.items()}


def opened(path: Path) -> Bag:
    """Look at what a bag has; BagError says what is there in its place."""
    if not path.exists():
        raise BagError(f'there is no bag at {path}')
    try:
        refuse_while_written(path, 'do this again')
        found = listing(path)
        damage: list = []
        counts: dict = {}
        if not found.said:
            closed(path, found.files)
        for file in found.files:
            for channel, count in message_reader.counted(file, damage).items():
                counts[channel] = counts.get(channel, 0) + count
    except ValueError as why:
        raise BagError(str(why)) from why
    return Bag(path, found.files, counts, found.promised, damage,
               (f'{found.wrong}; its files are read without it',) if found.wrong else ())


def closed(path: Path, files: tuple[Path, ...]) -> None:
    """Refuse files that their recorder never closed and of which nothing says what is lacking."""
    cut = [file for file in files if not file.stat().st_size
           or kind_of(file) == MCAP and not mcap_reader.ended(file)]
    if cut and path.is_dir():
        raise BagError(f'{path} has no metadata.yaml that can be read, and {cut[0].name} has no '
                       'end, as a recorder leaves it that was killed: '
                       f'`ami-ros record --repair {path}` makes both')
    if cut:
        raise BagError(f'{path} has no end, as a recorder leaves it that was killed; put it into '
                       'a folder of its own, and `ami-ros record --repair FOLDER` mends it')


def line(error: Exception) -> str:
    """What an error says, on one line, with its kind where it says nothing."""
    return ' '.join(str(error).split()) or type(error).__name__


def picture_of(message, size: tuple[int, int],
               rectifier: Rectifier | None) -> tuple[np.ndarray, tuple[int, int]]:
    """Decode an Image or CompressedImage to (H, W, 3) uint8 rgb of the network's (width, height).

    The way is that of the robot. Also returns the camera's size. ValueError says what is
    wrong with the picture.
    """
    picture = fields.picture_of(message)
    seen = fitted(picture, size) if rectifier is None else rectifier(picture)
    return seen, (picture.shape[1], picture.shape[0])


def look_through(bag: Bag, camera: str, infos: tuple[str, ...], size: tuple[int, int],
                 wanted_rad: float | None) -> tuple[Rectifier | None, float | None]:
    """Make what pictures go through of the first camera_info, and its field of view in rad.

    None each where the bag does not say what the camera sees. BagError where that is too little.
    """
    for _, channel, _, data in bag.messages(dict.fromkeys(infos, 'info')):
        try:
            info = STORE.deserialize_cdr(data, channel.kind)
        except Exception:       # rosbags lets through whatever a broken message provokes
            continue
        if not info.k[0] > 0:
            break       # never calibrated
        hfov = float(2 * np.arctan(info.width / 2 / info.k[0]))
        if wanted_rad is None:
            return None, hfov
        try:
            made = Rectifier(fields.lens_of(info, fields.is_rectified(camera)),
                             Pinhole(size, wanted_rad), HFOV_TOLERANCE_RAD)
        except ValueError as why:
            raise BagError(f'topic {channel.topic}: {why}') from why
        return made, hfov if made.plain else made.pinhole.hfov_rad
    return None, None


def read(path: Path, size: tuple[int, int], topics: dict[str, str] | None = None,
         progress=lambda done, total: None, hfov_rad: float | None = None,
         robot: Robot | None = None, pictures: int | None = None) -> Recording:
    """Read a bag. Raises BagError.

    `size` is (width, height) of the network input, `hfov_rad` the field of view that it shall
    have where the bag holds a camera_info; None: as the camera has it. `robot` is the robot file
    that decides which topic is what and how the IMU is mounted; None: the one in the recording,
    if there is one. With `pictures` about so many are kept; all are judged.
    """
    bag = opened(Path(path))
    robot = robot or robot_in(bag.path)
    chosen = choose(bag.counts, topics or {}, robot, lacking(bag))
    rectifier, hfov = look_through(bag, chosen.topics['camera'], chosen.infos, size, hfov_rad)
    tally, should = Tally(chosen.topics), bag.should_have(chosen.topics)
    step = 1 if pictures is None else max(1, should['camera'] // pictures)
    rows: dict[str, list] = {need: [] for need in WANTED}
    images, stamps, source, total = [], set(), (0, 0), sum(should.values())
    needs = {topic: need for need, topic in chosen.topics.items()}
    for done, (need, channel, received, data) in enumerate(bag.messages(needs)):
        if done % 1000 == 0:
            progress(done, total)
        tally.see(need, received)
        try:
            message = STORE.deserialize_cdr(data, channel.kind)
            row = row_of(need, received, message, robot)
            if need == 'camera':
                if row[0] in stamps:
                    raise AmiError('its stamp is that of an earlier image')
                kept = len(rows[need]) % step == 0
                picture, source = picture_of(message, size, rectifier)
                if kept:
                    images.append(picture)
                stamps.add(row[0])
        except Exception as why:    # rosbags lets through whatever a broken message provokes
            tally.leave_out(need, received, line(why))
            continue
        rows[need].append(row)
    progress(total, total)
    notes = (*bag.notes, *chosen.notes, *tally.lines(should, bag.damage))
    return assemble(np.array(images), rows, chosen.topics, hfov, source, notes)


def robot_in(path: Path) -> Robot | None:
    """Return the robot that a recording was made with; BagError where its file cannot be used."""
    if not path.exists():
        raise BagError(f'there is no bag at {path}')
    try:
        return recorded_robot(path)
    except ValueError as why:
        raise BagError(line(why)) from why


def lacking(bag: Bag) -> str:
    """Say what a bag lacks of what it promises, to be added where a topic is missing."""
    there = {channel.topic for channel, count in bag.counts.items() if count}
    gone = [f'{topic} ({count})' for topic, count in sorted(bag.promised.items())
            if count and topic not in there]
    return ((f'; its metadata.yaml promises messages that are not in the files, on: '
             f'{", ".join(gone)}' if gone else '')
            + (f'; {bag.damage[0]}; copy it again from where it was recorded' if bag.damage
               else ''))


def assemble(images: np.ndarray, rows: dict[str, list], topics: dict[str, str],
             hfov: float | None, source: tuple[int, int], notes: tuple[str, ...] = ()
             ) -> Recording:
    """Sort what was read and give every picture its clearance.

    Pictures are sorted with their stamps where there are as many; else they are a few of them.
    """
    def table(need: str) -> tuple[np.ndarray, np.ndarray]:
        values = rows[need]
        if not values:
            return np.zeros(0, np.int64), np.zeros((0, 1))
        stamps = np.array([r[0] for r in values], np.int64)
        order = np.argsort(stamps, kind='stable')
        return stamps[order], np.array([r[1:] for r in values], float)[order]

    image_ns, _ = table('camera')
    if len(images) == len(image_ns):
        images = images[np.argsort([r[0] for r in rows['camera']], kind='stable')]
    odom_ns, odom = table('odom')
    command_ns, command = table('command')
    gyro_ns, gyro = table('imu')
    near: np.ndarray = np.full(len(image_ns), np.nan)
    if rows['scan']:
        scan_ns, scan = table('scan')
        at: np.ndarray = np.clip(np.searchsorted(scan_ns, image_ns), 1, len(scan_ns) - 1) if len(
            scan_ns) > 1 else np.zeros(len(image_ns), int)
        before = np.maximum(at - 1, 0)
        at = np.where(np.abs(scan_ns[at] - image_ns) < np.abs(scan_ns[before] - image_ns),
                      at, before)
        fresh = np.abs(scan_ns[at] - image_ns) < 150_000_000
        near = np.where(fresh, scan[at, 0], np.nan)
    return Recording(images, image_ns, odom_ns, odom, command_ns, command, gyro_ns,
                     gyro[:, 0], near, topics, hfov,
                     (source[0], source[1]), notes)
