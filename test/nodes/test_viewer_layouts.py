# SPDX-License-Identifier: Apache-2.0
"""The layouts for Foxglove and PlotJuggler name topics, statuses and keys that there are."""

import json
import re
from xml.etree import ElementTree

from ami_ros.nodes import topics
from ami_ros.recording import message_reader


def said(root):
    """Return (status, key) of all that a golden drive would say on `trace`."""
    from ami_ros.nodes.trace_diagnostics import statuses
    from ami_ros.recording.lossless_json import thawed
    from ami_ros.recording.replay import trace_reader
    out = set()
    for heard in message_reader.messages(root / 'test/recording/replay/golden/mind.mcap',
                               ('trace/records',)):
        for line in trace_reader.lines_of(heard.data, 0):
            for one in statuses(thawed(line.said), {}):
                out |= {(one.health.name, key) for key in one.health.values}
    return out


def test_every_path_of_foxglove_leads_somewhere(root):
    layout = json.loads((root / 'config/viewers/foxglove.json').read_text())
    rows = {f'/{row.name}': row for row in topics.TOPICS}
    known, text = said(root), json.dumps(layout['configById'])
    found = [path for panel in layout['configById'].values() for path in panel.get('paths', ())]
    assert len(found) > 10
    for path in (one['value'] for one in found):
        topic, _, rest = path.partition('.')
        assert topic in rows, path
        if topic == '/trace':
            assert tuple(re.findall(r'=="([^"]+)"', path)) in known, path
        else:       # each part is a field of the message before it
            value = rows[topic].type()
            for part in re.sub(r'\[\d+\]', '', rest).split('.'):
                if isinstance(value, list):
                    break
                value = getattr(value, part)
    for topic in re.findall(r'"(/[a-z_/]+)["\.]', text):
        assert topic in rows, topic

    def leaves(node):
        return [node] if isinstance(node, str) else leaves(node['first']) + leaves(node['second'])

    assert sorted(leaves(layout['layout'])) == sorted(layout['configById'])


def test_every_curve_of_plotjuggler_leads_somewhere(root):
    tree = ElementTree.parse(root / 'config/viewers/plotjuggler.xml')
    known, rows = said(root), {f'/{row.name}': row for row in topics.TOPICS}
    curves = [curve.get('name') for curve in tree.iter('curve')]
    assert len(curves) > 8
    for curve in curves:
        if curve.startswith('/trace/'):
            _, _, status, key = curve.split('/')
            assert (status, key) in known, curve
            continue
        topic, *parts = curve[1:].split('/')
        value = rows[f'/{topic}'].type()
        for part in parts:
            value = getattr(value, part)
        assert isinstance(value, float), curve
