# SPDX-License-Identifier: Apache-2.0
"""The page about a drive says what was recorded, needs nothing else, and a browser shows it."""

from html.parser import HTMLParser
from pathlib import Path
import re
import shutil
import subprocess

from ami_ros.cli import main as cli
from ami_ros.recording import message_reader
from ami_ros.recording.message_definitions import STORE
from ami_ros.recording.recorder import Limits, Recorder
from ami_ros.recording.replay import event_index as indexes
from ami_ros.recording.replay import html_report as pages
from ami_ros.recording.replay import trace_reader
from ami_ros.recording.replay.drive_summary import drawn, HOLDS_S, KIND, position, Summary
import cv2
import numpy as np
import pytest

BAG = Path(__file__).with_name('golden') / 'mind.mcap'
CHROMIUM = next(filter(None, map(shutil.which, (
    'chromium', 'chromium-browser', 'google-chrome', 'chrome'))), None)
VOID = ('meta', 'img', 'line', 'circle', 'rect', 'polyline', '!doctype')


class Strict(HTMLParser):
    """Notes tags that are not closed in order, and all that a page would fetch."""

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.fetched = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self.fetched += [value for key, value in attrs if key in ('src', 'href', 'srcset')]

    def handle_startendtag(self, tag, attrs):
        self.fetched += [value for key, value in attrs if key in ('src', 'href')]

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


@pytest.fixture(scope='module')
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp('page') / 'report.html'
    assert cli.main(['report', str(BAG), '--out', str(out), '--slowest', '3']) == 0
    return out


def test_it_says_what_was_recorded_and_needs_nothing_else(written):
    text, found = written.read_text(), indexes.index(BAG)
    strict = Strict()
    strict.feed(text)
    assert not strict.open and not strict.wrong
    assert len(strict.fetched) == 3 and all(one.startswith('data:image/png;base64,')
                                            for one in strict.fetched)
    assert f'{len(found.firsts())} decisions' in text and '<script' not in text
    slowest = found.slowest()[0][0]
    assert f'{slowest:.1f} ms at' in text
    said = trace_reader.abouts(BAG)
    assert all(one['module']['hash'] in text for one in said.values() if one.get('module'))
    assert next(one['policy']['hash'] for one in said.values() if one.get('policy')) in text
    for head in ('way', 'stops', 'surprise', 'times', 'slowest', 'with', 'cost'):
        assert f'<h2 id="{head}">' in text
    assert re.search(r'the way|it did not move', text, re.I)


def test_what_a_reason_says_is_text_and_no_markup():
    nothing = np.zeros((0, 2))
    said = Summary('<b>', 0, 1.0, nothing, 0.0, nothing, {},
                   [(0.5, 0.1, 'odometry_jump', '<img src=x>')])
    text = pages.page(said, [], {})
    assert '&lt;img src=x&gt;' in text and '<img' not in text and '<b>' not in text


def test_odometry_is_read_from_its_bytes():
    from ami_ros.recording import bag_writer
    msg = bag_writer.odometry(10**18 + 5, np.array([1.25, -3.5, 0.4]), np.array([0.1, 0.2]))
    for frame in ('odom', 'o', 'robot1/odom_frame'):
        msg.header.frame_id = frame
        data = bytes(bag_writer.STORE.serialize_cdr(msg, 'nav_msgs/msg/Odometry'))
        assert position(data) == (1.25, -3.5)


def signs(at_s, **values):
    """Make a sign of life of a machine, as bytes."""
    make = {name.rpartition('/')[2]: kind for name, kind in STORE.types.items()}
    pairs = [make['KeyValue'](key=key, value=value) for key, value in values.items()]
    return bytes(STORE.serialize_cdr(make['DiagnosticArray'](
        header=make['Header'](stamp=make['Time'](sec=at_s, nanosec=0), frame_id=''),
        status=[make['DiagnosticStatus'](level=0, name='/machine', message='', hardware_id='',
                                         values=pairs)]), KIND))


def bag_of(folder, messages):
    """Write signs of life into a bag."""
    recorder = Recorder(folder, Limits())
    recorder.offer('/robot1/diagnostics', KIND)
    for i, data in enumerate(messages):
        recorder.write('/robot1/diagnostics', 10**18 + i, data)
    recorder.close()
    return folder


def test_joules_are_those_between_readings(tmp_path):
    told = [signs(10, power_w='6.0'), signs(11, hottest_c='50'), signs(12, power_w='8.0'),
            signs(13, power_w='7.0'), signs(100, power_w='7.0')]
    assert drawn(bag_of(tmp_path / 'told', told)) == 6 * 2 + 8 * 1 + 7 * HOLDS_S
    assert drawn(bag_of(tmp_path / 'silent', [signs(10, hottest_c='50')] * 3)) is None
    assert drawn(bag_of(tmp_path / 'once', told[:2])) is None       # of no time at all


def test_the_page_says_what_a_decision_and_a_metre_cost():
    nothing = np.zeros((0, 2))
    said = Summary('a', 0, 10.0, nothing, 2.0, nothing, {}, [], {}, {'/mind': 3.0}, 100)
    assert 'does not tell what it draws' in pages.page(said, [], {})
    said.joules = 60.0
    assert 'The board drew 60 J, 0.60 J a decision, 30.0 J a metre.' in pages.page(said, [], {})


def test_a_recording_without_a_trace_is_named(tmp_path, capsys):
    assert cli.main(['report', str(tmp_path / 'none')]) == 1
    assert 'there is no recording' in capsys.readouterr().err
    assert list(message_reader.messages(BAG, ('trace/records',)))


@pytest.mark.skipif(CHROMIUM is None, reason='needs a browser: apt install chromium')
def test_a_browser_shows_it(written, tmp_path):
    shot = tmp_path / 'shot.png'
    ran = subprocess.run(
        [CHROMIUM, '--headless', '--no-sandbox', '--disable-gpu', f'--user-data-dir={tmp_path}/u',
         '--window-size=1000,2600', '--hide-scrollbars', f'--screenshot={shot}',
         written.as_uri()], capture_output=True, text=True, timeout=120)
    assert shot.is_file(), ran.stderr[-2000:]
    seen = cv2.imread(str(shot))
    blue = (np.abs(seen.astype(int) - (0xa8, 0x68, 0x16)).sum(2) < 30).sum(1)     # curves and bars
    assert seen.shape[:2] == (2600, 1000)
    assert (blue > 0).sum() > 200 and (seen < 100).all(2).any(1).sum() > 300      # and words
    dom = subprocess.run(
        [CHROMIUM, '--headless', '--no-sandbox', '--disable-gpu', f'--user-data-dir={tmp_path}/u',
         '--dump-dom', written.as_uri()], capture_output=True, text=True, timeout=120).stdout
    assert dom.count('<h2') == 7 and dom.count('<svg') == 6 and dom.count('<details') == 3
