# SPDX-License-Identifier: Apache-2.0
"""A Ray cluster of two nodes, one of which is killed half way: the results of one machine."""

import os
from pathlib import Path
import socket
import time

import pytest

ray = pytest.importorskip('ray', reason="needs the extra 'cluster'")
pytest.importorskip('pybullet', reason='needs pybullet')
from ami_ros.cli.main import main  # noqa: E402
from ami_ros.parallel import ray_cluster  # noqa: E402
from ami_ros.parallel.installed_versions import installed  # noqa: E402
from ami_ros.parallel.pool import outcomes  # noqa: E402
from ami_ros.parallel.ray_cluster import task  # noqa: E402
from ami_ros.training import collect, collect_worlds  # noqa: E402
from ami_ros.validation import evaluate, robustness  # noqa: E402
from ray.cluster_utils import Cluster  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
UNREACHABLE_S = 30.0


class Nodes:
    """A cluster of a head and one more node, of one CPU each; the node can be lost."""

    def __init__(self, cluster: Cluster):
        self.cluster, self.address, self.node, self.lost = cluster, cluster.address, None, 0

    def two(self) -> None:
        """Add the second node."""
        if self.node is None:
            self.node = self.cluster.add_node(num_cpus=1)

    def lose(self, *_) -> None:
        """Kill the second node while both are at work, once."""
        if self.node is None:
            return
        until_s = time.monotonic() + 60
        while ray.available_resources().get('CPU', 0) > 0:
            assert time.monotonic() < until_s, 'the nodes are not both at work'
            time.sleep(0.05)
        self.cluster.remove_node(self.node, allow_graceful=False)
        self.node, self.lost = None, self.lost + 1


@pytest.fixture(scope='module')
def started():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('PYTHONPATH', os.pathsep.join(
            filter(None, (str(ROOT), os.environ.get('PYTHONPATH')))))
        patch.setenv('RAY_USAGE_STATS_ENABLED', '0')
        cluster = Cluster(initialize_head=True, head_node_args={'num_cpus': 1})
        yield Nodes(cluster)
        cluster.shutdown()


@pytest.fixture
def nodes(started):
    started.two()
    started.lost = 0
    return started


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes()
            for p in sorted(folder.rglob('*')) if p.is_file()}


def timeless(report):
    """Leave out what depends on time: `seconds`, of a report and of its conditions."""
    if isinstance(report, dict):
        return {key: timeless(value) for key, value in report.items() if key != 'seconds'}
    return [timeless(one) for one in report] if isinstance(report, list) else report


@pytest.mark.slow
def test_worlds_are_collected_to_the_byte_and_written_once(nodes, tmp_path, monkeypatch):
    asked = collect_worlds.Asked('mixed', 20_000, 6, 40)
    alone = collect_worlds.collect(tmp_path / 'alone', asked, 1)
    written, write = [], collect_worlds.write_bag
    monkeypatch.setattr(collect_worlds, 'write_bag',
                        lambda folder, data: (written.append(folder.name), write(folder, data)))

    def progress(done, total):
        if done == 2:
            nodes.lose()

    assert collect_worlds.collect(tmp_path / 'many', asked, 1, progress, nodes.address) == alone
    assert nodes.lost == 1 and len(written) == len(set(written)) == 6
    assert files(tmp_path / 'many') == files(tmp_path / 'alone')


@pytest.mark.slow
def test_one_room_is_collected_to_the_byte(nodes, tmp_path):
    alone = collect.collect(tmp_path / 'alone', 0, 5, 96, 2.0, 1)

    def progress(done, total):
        if done == 1:
            nodes.lose()

    assert collect.collect(tmp_path / 'many', 0, 5, 96, 2.0, 1, progress, nodes.address) == alone
    assert nodes.lost == 1 and files(tmp_path / 'many') == files(tmp_path / 'alone')


@pytest.mark.slow
def test_episodes_are_the_same_to_the_bit(nodes, monkeypatch):
    trial = evaluate.Trial('world_model', 6, 6, 4000)
    alone = evaluate.evaluate(trial)
    monkeypatch.setattr(evaluate, 'EPISODES_AT_ONCE', 1)
    seen = []

    def progress(episode):
        seen.append(episode.seed)
        if len(seen) == 2:
            nodes.lose()

    many = evaluate.evaluate(trial, progress, nodes.address)
    assert nodes.lost == 1 and sorted(seen) == list(range(4000, 4006))
    assert timeless(many) == timeless(alone)


@pytest.mark.slow
def test_conditions_are_the_same_and_told_in_order(nodes, tmp_path):
    trial, names = evaluate.Trial('oracle', 6, 2, 4000), tuple(robustness.CONDITIONS)[:6]
    alone, told = robustness.robustness(trial, names), []

    def progress(row, done, total):
        told.append(row['name'])
        if done == 2:
            nodes.lose()

    ledger = tmp_path / 'rows.json'
    many = robustness.robustness(trial, names, 1, ledger, progress, nodes.address)
    assert nodes.lost == 1 and told == list(names)
    assert timeless(many) == timeless(alone)
    # and what the cluster did is kept as on one machine
    assert robustness.robustness(trial, names, 1, ledger) == many


@pytest.mark.slow
def test_what_an_item_raises_on_a_node_is_raised_here(nodes):
    with pytest.raises(ValueError, match="invalid literal.*'x'"):
        list(outcomes(int, [('1',), ('x',)], cluster=nodes.address))
    assert not ray.is_initialized()


@pytest.mark.slow
def test_a_node_with_another_installation_ends_the_run(nodes, monkeypatch):
    monkeypatch.setattr(ray_cluster, 'installed', lambda: {**installed(), 'numpy': '1.0'})
    with pytest.raises(RuntimeError, match='the machine .* of the cluster has numpy .* instead '
                                           'of 1.0; install the same there'):
        list(outcomes(int, [('1',)], cluster=nodes.address))


def test_another_installation_on_a_node_is_named():
    wanted = {**installed(), 'ami_ros': '9.9'}
    with pytest.raises(RuntimeError, match='the machine .* of the cluster has ami_ros .* instead '
                                           'of 9.9; install the same there'):
        task()(wanted, b'', b'')


@pytest.mark.parametrize('address', ['head', 'head:', 'head:ray', ':6379', 'ray://head:10001',
                                     'head:0', 'head:70000'])
def test_what_is_no_address_is_refused(address, capsys):
    assert main(['robustness', '--only', 'unchanged', '--report', os.devnull + '.json',
                 '--cluster', address]) == 1
    assert f'--cluster {address} is not HOST:PORT' in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize('listening', [True, False])
def test_where_no_cluster_answers_it_is_said_soon(listening, capsys):
    with socket.socket() as other:          # a program that is not Ray, or nothing
        other.bind(('127.0.0.1', 0))
        if listening:
            other.listen()
        address = f'127.0.0.1:{other.getsockname()[1]}'
        begun_s = time.monotonic()
        assert main(['evaluate', '--planner', 'oracle', '--cluster', address]) == 1
        assert time.monotonic() - begun_s < UNREACHABLE_S
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert f'cannot join the Ray cluster at {address}: ' in said
    assert ('no answer in' if listening else 'Connection refused') in said
