# SPDX-License-Identifier: Apache-2.0
"""An interrupted campaign goes on where it was, and only where it is the same one."""

from dataclasses import asdict, fields
import json

from ami_ros.validation.fault_injection.campaign_resume import FaultLedger
from ami_ros.validation.fault_injection.fault_definitions import Row
from ami_ros.validation.fault_injection.judge import Outcome
import pytest

ASKED = {'seed': 3, 'repeats': 2}
ROW = Row('gone', 'stop', 'so', 0.1)


def ledger(path, asked=ASKED):
    return FaultLedger(path, asked, {'cores': 2})


def outcome(**more):
    return Outcome(**{**dict.fromkeys((f.name for f in fields(Outcome)), 0.25), 'named': 'a "@0@"',
                      'why_not': ['late'], **more})


def entry(row=ROW, passed=True, repeats=2, **more):
    return {'name': row.name, 'row': row.digest, 'passed': passed, 'repeats': repeats,
            'outcomes': [asdict(outcome(load=float(n))) for n in range(repeats)], **more}


def test_what_is_finished_is_on_disk_and_not_done_again(tmp_path):
    path = tmp_path / 'report.json'
    first = ledger(path)
    assert not first.has(ROW) and not path.exists()
    first.put(entry())
    assert ledger(path).has(ROW)
    said = json.loads(path.read_text())
    assert said['asked'] == ASKED and said['passed'] == 1 and said['failed'] == []


def test_it_goes_on_in_the_middle_of_a_fault(tmp_path):
    path = tmp_path / 'report.json'
    ledger(path).put(entry(repeats=1))
    again = ledger(path)
    assert not again.has(ROW) and again.outcomes(ROW) == [outcome(load=0.0)]
    again.put(entry(repeats=2))
    assert ledger(path).has(ROW)
    more = ledger(path, {**ASKED, 'repeats': 20})       # more may be asked for later
    assert not more.has(ROW) and len(more.outcomes(ROW)) == 2
    assert more.outcomes(Row('gone', 'stop', 'so', 0.2)) == []


def test_faults_are_told_in_the_order_of_the_table(tmp_path):
    path = tmp_path / 'report.json'
    one = FaultLedger(path, ASKED, {}, ('lost', 'gone'))
    for name in ('other', 'gone', 'lost'):
        one.put(entry(Row(name, 'stop', 'so', 0.1)))
    assert [e['name'] for e in json.loads(path.read_text())['faults']] == ['lost', 'gone', 'other']


def test_what_waits_for_something_is_not_tried_again(tmp_path):
    one = ledger(tmp_path / 'report.json')
    one.put(entry(repeats=0, passed=False, needs='a latch'))
    assert one.has(ROW)


def test_a_report_has_an_outcome_a_line_and_is_whole_or_not_there(tmp_path):
    path = tmp_path / 'report.json'
    ledger(path).put(entry(repeats=2))
    assert len([line for line in path.read_text().split('\n') if '"load"' in line]) == 2
    assert [o['load'] for o in json.loads(path.read_text())['faults'][0]['outcomes']] == [0, 1]
    assert [p.name for p in tmp_path.iterdir()] == ['report.json']


def test_what_failed_or_cannot_be_is_listed_apart(tmp_path):
    one = ledger(tmp_path / 'report.json')
    one.put(entry())
    one.put(entry(Row('lost', 'stop', 'so', 0.1), False))
    one.put(entry(Row('later', 'stop', 'so', 0.1), False, needs='a latch'))
    said = json.loads((tmp_path / 'report.json').read_text())
    assert (said['passed'], said['failed'], said['not_possible_yet']) == (1, ['lost'], ['later'])


def test_a_row_that_was_changed_is_tried_again(tmp_path):
    path = tmp_path / 'report.json'
    ledger(path).put(entry())
    assert not ledger(path).has(Row('gone', 'stop', 'so', 0.2))


@pytest.mark.parametrize('asked', [{**ASKED, 'seed': 4}, {**ASKED, 'policy': 'ab'}])
def test_another_campaign_is_refused_and_left_alone(tmp_path, asked):
    path = tmp_path / 'report.json'
    ledger(path).put(entry())
    was = path.read_text()
    with pytest.raises(ValueError, match='is of another campaign: .*, now'):
        ledger(path, asked)
    assert path.read_text() == was


@pytest.mark.parametrize('text', [
    '', '[]', '{}', '{"asked": {}}', '{"asked": {}, "faults": [1]}',
    '{"asked": {}, "faults": [{"name": "gone", "outcomes": [{"speed": 1}]}]}'])
def test_a_file_that_is_no_report_is_refused(tmp_path, text):
    path = tmp_path / 'report.json'
    path.write_text(text)
    with pytest.raises(ValueError, match='is no report of faults'):
        ledger(path)
