# SPDX-License-Identifier: Apache-2.0
"""config/rover.yaml, docs/parameters.md and docs/nodes say what the nodes are, topic by topic."""

import gc
import os
import sys

from fake_mind import fake_mind
import pytest
import rclpy
import yaml


@pytest.fixture(scope='module')
def pages(root):
    sys.path.insert(0, str(root / 'tools'))
    import pages
    sys.path.remove(str(root / 'tools'))
    return pages


@pytest.fixture
def written(pages, ros_domain):
    rclpy.init(args=pages.STARTED)
    try:
        yield pages.files(fake_mind)
    finally:
        rclpy.shutdown()
        gc.unfreeze()


def test_what_is_written_is_what_the_nodes_are(pages, written, root):
    if os.environ.get('UPDATE_GOLDEN'):
        for path, text in written.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
    for path, right in written.items():
        assert (root / path).is_file() and (root / path).read_text() == right, (
            f'{path} is not what the nodes declare and do. Meant to? UPDATE_GOLDEN=1 pytest '
            f'{__file__} and say why in the commit.')
    beside = {f'docs/nodes/{file.name}' for file in (root / 'docs' / 'nodes').iterdir()}
    assert beside <= set(written)


def test_the_file_says_every_default(pages, root):
    said = yaml.safe_load((root / pages.YAML).read_text())
    for name, groups in pages.GROUPS.items():
        mine = said[f'/**/{name}']['ros__parameters']
        for prefix, kind in groups.items():
            values = mine[prefix] if prefix else {
                key: value for key, value in mine.items() if not isinstance(value, dict)}
            named = {key: values.pop(key) for key in kind.NAMED}
            assert kind(**values) == kind()
            assert all(named.values())


def test_a_page_knows_its_topics(written):
    critic, mind = (written[f'docs/nodes/{name}.md'] for name in ('critic', 'mind'))
    assert '`cmd_vel` | geometry_msgs/msg/TwistStamped | 50' in critic.split('## Subscribes to')[0]
    assert '`scan`' in critic.split('## Subscribes to')[1].split('## Lifecycle')[0]
    assert '`actor/plan`' in mind.split('## Subscribes to')[0]
    assert 'rosout' not in critic and 'describe_parameters' not in critic
