# SPDX-License-Identifier: Apache-2.0
"""
A report is measured with today's code, policy and module, or is marked as historical.

UPDATE_GOLDEN=1 writes docs/reports/README.md.
"""

from dataclasses import replace
from fnmatch import fnmatch
import json
import os
from pathlib import Path
import re

from ami_ros.core.share_directory import share
from ami_ros.critic.safety_policy.policy_loader import read
from ami_ros.modules.module import open_module, shipped
from ami_ros.validation import report_fingerprint as fingerprints
from ami_ros.validation.report_fingerprint import CODE, measured, stale
import pytest
import yaml

DOCS = Path(__file__).resolve().parents[1] / 'docs'
REPORTS = DOCS / 'reports'
NAMES = sorted(path.stem for path in REPORTS.glob('*.json'))
ROWS = yaml.safe_load((REPORTS / 'commands.yaml').read_text())
LINK = '[historical](reports/README.md)'


def row_of(name):
    rows = [row for row in ROWS if any(fnmatch(name, pattern) for pattern in row['reports'])]
    assert len(rows) == 1, f'{name}.json: one row of docs/reports/commands.yaml, not {len(rows)}'
    return rows[0]


def said(name):
    """Return what a report says it was measured with; None where it does not."""
    report = json.loads((REPORTS / f'{name}.json').read_text())
    return report.get('measured') or report.get('asked', {}).get('measured')


def today():
    return read(share('config/safety_policy/rover.yaml')).hash, open_module(shipped())


def test_every_row_has_a_report():
    for row in ROWS:
        for pattern in row['reports']:
            assert any(fnmatch(name, pattern) for name in NAMES), pattern


@pytest.mark.parametrize('name', NAMES)
def test_a_report_is_fresh_or_marked(name):
    row = row_of(name)
    if row.get('historical'):
        return
    found = said(name)
    assert found, f'{name}.json does not say what it was measured with: historical: true'
    old = stale(found, *today())
    assert not old, (f'{name}.json was measured with another {", ".join(old)}; renew it with '
                     f'`{row["command"]}`, or mark it as historical in docs/reports/commands.yaml')


def test_some_reports_are_current():
    assert 'robustness' in [name for name in NAMES if not row_of(name).get('historical')]


def test_a_page_that_quotes_a_historical_report_says_so():
    for page in DOCS.glob('*.md'):
        text = page.read_text()
        quoted = [name for name in re.findall(r'reports/([\w-]+)\.json', text)
                  if name in NAMES and row_of(name).get('historical')]
        assert not quoted or LINK in text, f'{page.name} quotes {quoted[0]} without {LINK}'


def test_the_list_of_reports_is_complete():
    lines = ['# Reports', '',
             'Each report says what it was measured with (`measured`). A *historical* one was '
             'measured with an earlier', 'version of module, safety policy or code; its figures '
             'may differ today. `test/test_reports.py` verifies this.', '',
             '| report | state | command that renews it |', '|---|---|---|']
    for row in ROWS:
        names = [name for name in NAMES if any(fnmatch(name, p) for p in row['reports'])]
        state = 'historical' if row.get('historical') else 'current'
        lines.append(f'| {", ".join(f"`{n}`" for n in names)} | {state} | `{row["command"]}` |')
    text, page = '\n'.join(lines) + '\n', REPORTS / 'README.md'
    if os.environ.get('UPDATE_GOLDEN'):
        page.write_text(text)
    assert page.read_text() == text


def test_what_differs_is_named(monkeypatch, tmp_path):
    policy, module = today()
    now = measured('evaluate', policy, module)
    assert stale(now, policy, module) == []
    other = replace(module, manifest={**module.manifest, 'gates': {}})
    assert stale(now, 'f' * 64, other) == ['policy', 'module']
    newer = replace(module, manifest={**module.manifest, 'version': '9.9.9'})
    assert stale(now, policy, newer) == []                  # a card says more, nothing else
    assert stale({**now, 'code': '0'}, policy, module) == ['code']
    assert 'module' not in measured('lies', policy)         # none took part
    assert len({fingerprints.code(kind) for kind in CODE}) == len(CODE)
    monkeypatch.setitem(CODE, 'lies', ('critic', 'moved_away'))
    with pytest.raises(FileNotFoundError, match='moved_away'):
        fingerprints.code('lies')
