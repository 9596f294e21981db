# SPDX-License-Identifier: Apache-2.0
"""A damaged database of rosbag2 is read as far as it is whole, whatever is asked of it."""

from pathlib import Path
import sqlite3

from ami_ros.recording import sqlite_reader
import pytest

COUNT = 300


@pytest.fixture
def bag(tmp_path) -> Path:
    path = tmp_path / 'bag_0.db3'
    made = sqlite3.connect(path)
    made.execute('CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT '
                 'NULL, serialization_format TEXT NOT NULL, offered_qos_profiles TEXT NOT NULL)')
    made.execute('CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL, '
                 'timestamp INTEGER NOT NULL, data BLOB NOT NULL)')
    made.execute('CREATE INDEX timestamp_idx ON messages (timestamp ASC)')
    made.execute("INSERT INTO topics VALUES (1, '/a', 'std_msgs/msg/String', 'cdr', '')")
    made.executemany('INSERT INTO messages VALUES (?, 1, ?, ?)',
                     [(n, n * 10, bytes(60)) for n in range(1, COUNT + 1)])
    made.commit()
    made.close()
    return path


def test_a_span(bag):
    assert sqlite_reader.span_of(bag) == (10, 10 * COUNT)
    with sqlite3.connect(bag) as changed:
        changed.execute("UPDATE messages SET timestamp = x'00' WHERE id = 7")
    assert sqlite_reader.span_of(bag) == (10, 10 * COUNT)
    with sqlite3.connect(bag) as changed:
        changed.execute('DELETE FROM messages')
    assert sqlite_reader.span_of(bag) == (2**63, 0)


def test_wherever_a_page_is_damaged_what_is_whole_is_told(bag):
    whole, page, read = bag.read_bytes(), 4096, 0
    for at in range(page, len(whole), page):
        bag.write_bytes(whole[:at] + b'\xff' * page + whole[at + page:])
        damage = []
        try:
            begin, end = sqlite_reader.span_of(bag)
            read += end == 10 * COUNT
            counts = sqlite_reader.counted(bag, damage)
            said = list(sqlite_reader.read(bag, lambda _: True, 0, 2**63, damage))
        except ValueError as why:
            assert 'is no rosbag2 database that can be read' in str(why)
        else:
            assert len(said) <= COUNT and (damage or sum(counts.values()) == COUNT == len(said))
    assert read >= 2
