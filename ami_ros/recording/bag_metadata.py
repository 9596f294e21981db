# SPDX-License-Identifier: Apache-2.0
"""The metadata.yaml of a rosbag2 bag, version 9: its files, its topics, how many, from when."""

from dataclasses import dataclass
from pathlib import Path

import yaml

NAME = 'metadata.yaml'


@dataclass(frozen=True)
class TopicMetadata:
    """One topic of a bag."""

    name: str
    type: str                       # 'package/msg/Type'
    digest: str                     # RIHS01 hash of the type
    qos: tuple[dict, ...] = ()      # offered profiles, as version 9 has them


@dataclass(frozen=True)
class Part:
    """What one MCAP file of a bag holds; times are 0 where it holds nothing."""

    path: str
    start_ns: int
    end_ns: int
    counts: dict[str, int]          # by topic


def write_metadata(folder: Path, topics: list[TopicMetadata], parts: list[Part]) -> None:
    """Write metadata.yaml, whole or not at all."""
    filled = [p for p in parts if any(p.counts.values())]
    start = min((p.start_ns for p in filled), default=0)
    total = {t.name: sum(p.counts.get(t.name, 0) for p in parts) for t in topics}
    info = {
        'version': 9, 'storage_identifier': 'mcap',
        'duration': {'nanoseconds': max((p.end_ns for p in filled), default=0) - start},
        'starting_time': {'nanoseconds_since_epoch': start},
        'message_count': sum(total.values()),
        'topics_with_message_count': [
            {'topic_metadata': {'name': t.name, 'type': t.type, 'serialization_format': 'cdr',
                                'offered_qos_profiles': list(t.qos),
                                'type_description_hash': t.digest},
             'message_count': total[t.name]} for t in topics],
        'compression_format': '', 'compression_mode': '',
        'relative_file_paths': [p.path for p in parts],
        'files': [{'path': p.path, 'starting_time': {'nanoseconds_since_epoch': p.start_ns},
                   'duration': {'nanoseconds': p.end_ns - p.start_ns},
                   'message_count': sum(p.counts.values())} for p in parts],
        'custom_data': None, 'ros_distro': 'jazzy',
    }
    text = yaml.dump({'rosbag2_bagfile_information': info}, Dumper=Plain, sort_keys=False)
    temporary = folder / f'{NAME}.partial'
    temporary.write_text(text)
    temporary.rename(folder / NAME)


class Plain(yaml.SafeDumper):
    """Writes what occurs twice twice: rosbag2 shall meet no anchors."""

    def ignore_aliases(self, data) -> bool:
        """Never refer."""
        return True
