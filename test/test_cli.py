# SPDX-License-Identifier: Apache-2.0
"""The command line: what goes wrong is one sentence and exit status 1; reports are whole."""

import importlib.util
import json
import os
from pathlib import Path
import subprocess
import sys

from ami_ros.cli import arguments_and_reports
from ami_ros.cli import collect as collect_verb
from ami_ros.cli import main as cli
from ami_ros.cli.subcommand_table import VERBS
from ami_ros.core.errors import AmiError
import pytest

pytestmark = pytest.mark.skipif(importlib.util.find_spec('pybullet') is None,
                                reason='needs pybullet')


@pytest.fixture
def ami(capsys):
    """Run a command line; return exit status, what it printed, and what it complained of."""
    def run(*words) -> tuple[int, str, str]:
        try:
            status = cli.main([str(w) for w in words])
        except SystemExit as left:
            status = left.code
        return (status, *capsys.readouterr())
    return run


def complains(ami, words, *parts) -> None:
    status, out, complaint = ami(*words)
    assert status == 1 and out == ''
    assert complaint.startswith(f'ami-ros {words[0]}: '), complaint
    assert complaint.count('\n') == 1 and complaint.endswith('\n'), complaint
    assert all(str(part) in complaint for part in parts), complaint


# bad input

@pytest.mark.parametrize('words, parts', [
    (['evaluate', '--planner', 'wrold_model'], ("'wrold_model'", 'world_model', 'retrieval')),
    (['evaluate', '--module', 'no/such'], ('no/such is not a module', 'manifest.json')),
    (['evaluate', '--robot', 'barge'], ("no robot 'barge'; there are: rover",)),
    (['evaluate', '--episodes', '0'], ("--episodes: '0' is not a whole number from 1 on",)),
    (['evaluate', '--seed', '-1'], ("--seed: '-1' is not a whole number from 0 on",)),
    (['evaluate', '--seed', '1.5'], ("--seed: '1.5' is not a whole number",)),
    (['evaluate', '--goal-steps', '1', '--planner', 'oracle'], ('no goal drive of 1 actions',)),
    (['evaluate', '--colour', 'red'], ('unrecognized arguments: --colour red', '--help')),
    (['sim', '--module', 'no/such'], ('no/such is not a module',)),
    (['sim', '--params', 'no/such.yaml'], ('no parameter file no/such.yaml',
                                           'rover_node_parameters.yaml')),
    (['sim', '--episodes', '0'], ('nothing to drive', '--seconds')),
    (['collect', '--out', 'x'], ('give either --world-seed, for one room, or --worlds',)),
    (['collect', '--out', 'x', '--world-seed', '1', '--drive-seconds', '0'],
     ('cannot be collected',)),
    (['train', '--out', 'x', '--bag', 'no/such'], ('there is no bag at no/such',)),
    (['train', '--out', 'x', '--bag', 'y', '--topic', 'camera'], ("'camera' is not INPUT=TOPIC",)),
    (['train', '--out', 'x', '--bag', 'y', '--robot', 'barge'], ("no robot 'barge'",)),
])
def test_bad_input_is_one_sentence_and_status_1(ami, words, parts, tmp_path, monkeypatch):
    if words[0] == 'sim':
        pytest.importorskip('rclpy', reason='needs rclpy')
    monkeypatch.chdir(tmp_path)
    complains(ami, words, *parts)
    assert not list(tmp_path.iterdir())


def test_no_verb_and_another_verb_name_those_there_are(ami):
    status, _, complaint = ami()
    assert status == 1 and 'VERB' in complaint
    status, _, complaint = ami('fly')
    assert status == 1 and all(f"'{verb}'" in complaint for verb in VERBS)


def test_an_unreadable_bag_and_a_broken_module(ami, tmp_path):
    (tmp_path / 'bag.mcap').write_text('no bag')
    complains(ami, ['train', '--bag', tmp_path / 'bag.mcap', '--out', tmp_path / 'm'],
              tmp_path / 'bag.mcap', 'is neither an MCAP file nor a SQLite database')
    (tmp_path / 'manifest.json').write_text('{')
    complains(ami, ['evaluate', '--module', tmp_path], tmp_path / 'manifest.json', 'is damaged')


def test_what_is_there_already_is_not_replaced(ami, tmp_path):
    (tmp_path / 'thesis.txt').write_text('years')
    complains(ami, ['train', '--bag', 'x', '--out', tmp_path], 'exists and is no module')
    complains(ami, ['collect', '--world-seed', 0, '--out', tmp_path], 'holds thesis.txt')
    assert (tmp_path / 'thesis.txt').read_text() == 'years'


def test_no_traceback_reaches_the_terminal(tmp_path):
    got = subprocess.run(
        [sys.executable, '-m', 'ami_ros.cli', 'evaluate', '--module', 'no/such'], cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': str(Path(cli.__file__).parents[2])}, text=True,
        capture_output=True)
    assert got.returncode == 1
    lines = [line for line in got.stderr.splitlines() if not line.startswith('pybullet build')]
    assert lines == ['ami-ros evaluate: no/such is not a module: it holds nothing, '
                     'not manifest.json']


# what a verb may raise

def failing(monkeypatch, error: BaseException) -> None:
    """Let `ami-ros collect` fail."""
    def collect(args) -> int:
        """Fail."""
        raise error
    monkeypatch.setattr(collect_verb, 'run', collect)


COLLECT = ['collect', '--world-seed', '1', '--out', 'x']


@pytest.mark.parametrize('error', [AmiError('it is so'), RuntimeError('it is so'),
                                   OSError('it is so')])
def test_errors_that_are_meant_are_told(ami, monkeypatch, error):
    monkeypatch.delenv('AMI_TRACEBACK', raising=False)
    failing(monkeypatch, error)
    complains(ami, COLLECT, 'ami-ros collect: it is so')
    monkeypatch.setenv('AMI_TRACEBACK', '1')
    with pytest.raises(type(error)):
        cli.main(COLLECT)


def test_a_bug_is_a_traceback(monkeypatch):
    failing(monkeypatch, ValueError('bug'))
    with pytest.raises(ValueError, match='^bug$'):
        cli.main(COLLECT)
    failing(monkeypatch, KeyError('bug'))
    with pytest.raises(KeyError):
        cli.main(COLLECT)
    failing(monkeypatch, ModuleNotFoundError('bug', name='ami_ros.nowhere'))
    with pytest.raises(ModuleNotFoundError):
        cli.main(COLLECT)


def test_a_library_that_is_missing_says_how_to_get_it(ami, monkeypatch):
    failing(monkeypatch, ModuleNotFoundError('x', name='pybullet'))
    status, _, complaint = ami(*COLLECT)
    assert status == 1 and complaint.count('\n') == 1
    assert 'ami-ros collect needs pybullet' in complaint and 'make setup' in complaint


def test_an_interruption_has_a_status_of_its_own(ami, monkeypatch):
    failing(monkeypatch, KeyboardInterrupt())
    assert ami(*COLLECT) == (130, '', 'interrupted; what is finished is kept\n')


@pytest.mark.parametrize('verb', VERBS)
def test_every_verb_has_help(ami, verb):
    status, out, _ = ami(verb, '--help')
    assert status == 0 and out.startswith(f'usage: ami-ros {verb}')


# reports

def test_a_report_is_written_and_replaces_the_old_one(tmp_path, capsys):
    path = tmp_path / 'deep' / 'er' / 'report.json'
    for value in (1, 2):
        arguments_and_reports.write_report(path, {'value': value})
        assert json.loads(path.read_text()) == {'value': value}
    assert [p.name for p in path.parent.iterdir()] == ['report.json']
    assert f'report: {path}' in capsys.readouterr().out
    arguments_and_reports.write_report(None, {})


@pytest.mark.parametrize('name', ['write_text', 'replace'])
def test_a_report_is_written_whole_or_not_at_all(tmp_path, monkeypatch, name):
    path, whole = tmp_path / 'report.json', Path.write_text
    arguments_and_reports.write_report(path, {'value': 1})

    def dies(self, *given):
        if name == 'write_text':
            whole(self, given[0][:4])
        raise OSError('no space left')

    monkeypatch.setattr(Path, name, dies)
    with pytest.raises(OSError, match='no space left'):
        arguments_and_reports.write_report(path, {'value': 2})
    assert json.loads(path.read_text()) == {'value': 1}


def test_what_cannot_be_written_as_json_leaves_the_old_report(tmp_path):
    path = tmp_path / 'report.json'
    arguments_and_reports.write_report(path, {'value': 1})
    with pytest.raises(TypeError):
        arguments_and_reports.write_report(path, {'value': object()})
    assert json.loads(path.read_text()) == {'value': 1}


@pytest.mark.parametrize('report, part', [('file/report.json', 'name a file in a folder'),
                                          ('', 'which is a folder')])
def test_a_report_that_has_nowhere_to_go_is_said_before_the_work(ami, tmp_path, report, part):
    (tmp_path / 'file').write_text('a file')
    where = tmp_path / report
    complains(ami, ['evaluate', '--module', 'no/such', '--report', where],
              f'no report can be written to {where}', part)


def test_an_evaluation_is_driven_and_reported(ami, tmp_path):
    path = tmp_path / 'report.json'
    status, out, progress = ami('evaluate', '--planner', 'oracle', '--goal-steps', 10,
                                '--episodes', 1, '--seed', 500, '--report', path)
    assert status == 0 and '1 of 1 succeeded' in progress
    assert ('oracle, K = 10: success 100.0 %, reached 100.0 %, false arrivals 0.0 %, '
            'collisions 0.0 % of 1') in out
    got = json.loads(path.read_text())
    assert got['success_rate'] == 1.0 and len(got['episodes']) == 1
    assert got['protocol']['planner'] == 'oracle'


def test_progress_is_lines_where_there_is_no_terminal(capsys):
    for done in range(101):
        arguments_and_reports.bar(done, 100, 0.0, 'working')
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 11 and lines[-1].startswith('working [' + '#' * 30 + '] 100/100')
    arguments_and_reports.bar(0, 0, 0.0, 'nothing')
