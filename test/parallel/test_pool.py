# SPDX-License-Identifier: Apache-2.0
"""Items of work are done once each, whoever does them, and what goes wrong is raised here."""

import sys

from ami_ros.cli.main import main
from ami_ros.core.share_directory import HERE
from ami_ros.parallel import installed_versions
from ami_ros.parallel import pool as parallel
from ami_ros.parallel.pool import outcomes
import pytest


@pytest.mark.parametrize('jobs', [1, 2])
def test_each_item_comes_once_with_its_index(jobs):
    # more items than are given out at once
    items = [(k,) for k in range(7 * parallel.AHEAD)]
    found = list(outcomes(pow, items, jobs, common=(3,)))
    assert sorted(found) == [(k, 3 ** k) for k in range(len(items))]
    assert list(outcomes(pow, [], jobs)) == []


@pytest.mark.parametrize('jobs', [1, 2])
def test_what_an_item_raises_is_raised_here(jobs):
    with pytest.raises(ValueError, match="invalid literal.*'x'"):
        list(outcomes(int, [('1',), ('x',), ('2',)], jobs))


def test_few_items_are_under_way_at_once(monkeypatch):
    class Pool:
        most = 0
        closed = None

        def width(self):
            return 3

        def submit(self, function, item):
            return item

        def wait(self, handles):
            self.most = max(self.most, len(handles))
            return handles[-2:]

        def result(self, handle):
            return handle

        def close(self, finished):
            self.closed = finished

    pool = Pool()
    monkeypatch.setattr(parallel, 'opened', lambda *_: pool)
    assert sorted(outcomes(pow, [(k,) for k in range(20)], 3)) == [(k, (k,)) for k in range(20)]
    assert pool.most == 3 * parallel.AHEAD and pool.closed is True
    begun = outcomes(pow, [(k,) for k in range(20)], 3)
    next(begun)
    begun.close()
    assert pool.closed is False


def test_without_ray_the_extra_is_named(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, 'ray', None)
    monkeypatch.delitem(sys.modules, 'ami_ros.parallel.ray_cluster', raising=False)
    assert main(['collect', '--worlds', '1', '--out', str(tmp_path / 'x'), '--cluster',
                 'localhost:6379']) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        'ami-ros collect: --cluster needs Ray, which is not installed; pip install '
        "'ami_ros[cluster]' on each machine")


@pytest.mark.parametrize('option', ['--carried', '--counterfactual'])
def test_what_one_machine_does_refuses_a_cluster(option, capsys):
    assert main(['evaluate', option, '--cluster', 'localhost:6379']) == 1
    assert '--cluster drives episodes towards goals' in capsys.readouterr().err


def test_the_code_and_the_libraries_of_two_machines_are_compared(monkeypatch, tmp_path):
    ours = installed_versions.installed()
    assert ours['numpy'] != 'none' and len(ours['code']) == installed_versions.HASHED
    assert installed_versions.differences(dict(ours), ours) == ''
    assert installed_versions.differences({**ours, 'ami_ros': '0.0.9'}, ours) == (
        f'ami_ros 0.0.9 instead of {ours["ami_ros"]}')
    (tmp_path / 'core').mkdir()
    copied = tmp_path / 'core' / 'share_directory.py'
    copied.write_bytes((HERE / 'core' / copied.name).read_bytes())
    monkeypatch.setattr(installed_versions, 'HERE', tmp_path)
    assert installed_versions.code() != ours['code']
