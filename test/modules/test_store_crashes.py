# SPDX-License-Identifier: Apache-2.0
"""Killed at any call, or without power after it, a store is whole; the harness would notice."""

from ami_ros.modules import active_set
from ami_ros.modules.store_disk_operations import Disk
import numpy as np
import pytest


@pytest.fixture
def crash(tool, tmp_path):
    """Make a store in which three versions were active, and the tools to break it."""
    deeds, crash = tool('store_crashes.store_operations'), tool('store_crashes.campaign')
    made = deeds.world(tmp_path)
    deeds.prepare(made, tmp_path / 'first')
    return lambda deed: (crash, made, *crash.whole(made, tmp_path, deed))


@pytest.mark.parametrize('deed, calls, random', [
    ('activate', 5, 2), ('rollback', 5, 2), ('install', 25, 0)])
def test_a_power_cut_after_any_call(crash, tmp_path, deed, calls, random):
    crash, made, before, after, did, model = crash(deed)
    tried, wrong = crash.cuts(made, tmp_path, deed, before, after, model, random,
                              np.random.default_rng(500))
    assert (tried, len(did), wrong) == ((4 + random) * (calls + 1), calls, [])


def test_killed_around_any_call(crash, tmp_path):
    crash, made, before, after, did, _ = crash('activate')
    tried, wrong = crash.kills(made, tmp_path, 'activate', before, after, did)
    assert (tried, wrong) == (11, [])


def test_killed_at_random_instants(crash, tmp_path):
    crash, made, *_ = crash('activate')
    amid, wrong = crash.strikes(made, tmp_path, 5, 500)
    assert wrong == []


def unsynced(self, path, data):
    self.do('create', path)
    self.do('write', path, data)


@pytest.mark.parametrize('method, other, said', [
    ('file', unsynced, 'is damaged'),
    ('name', lambda self, path, to: self.do('rename', path, to), 'neither as before nor as')])
def test_a_store_that_does_not_sync_is_found_out(tool, tmp_path, monkeypatch, method, other, said):
    deeds, crash = tool('store_crashes.store_operations'), tool('store_crashes.campaign')
    made = deeds.world(tmp_path)
    deeds.prepare(made, tmp_path / 'first')
    monkeypatch.setattr(Disk, method, other)
    before, after, did, model = crash.whole(made, tmp_path, 'activate')
    assert len(did) == 4
    _, wrong = crash.cuts(made, tmp_path, 'activate', before, after, model, 0,
                          np.random.default_rng(500))
    assert any(said in one for one in wrong), wrong


def test_a_pointer_that_is_written_in_place_is_found_out(tool, tmp_path, monkeypatch):
    deeds, crash = tool('store_crashes.store_operations'), tool('store_crashes.campaign')
    made = deeds.world(tmp_path)
    deeds.prepare(made, tmp_path / 'first')

    def point(self, to):
        path = self.folder / active_set.FILE
        self.disk.do('unlink', path)
        self.disk.file(path, active_set.encode(to))

    monkeypatch.setattr('ami_ros.modules.module_store.Store.point', point)
    before, after, did, _ = crash.whole(made, tmp_path, 'rollback')
    _, wrong = crash.kills(made, tmp_path, 'rollback', before, after, did)
    assert wrong
