# SPDX-License-Identifier: Apache-2.0
"""
Tables of the pages are what the code and the reports say: UPDATE_GOLDEN=1 writes the former.

Between `<!-- name -->` and `<!-- end -->` of a page nobody writes by hand.
"""

from dataclasses import fields
import importlib
import json
import os
from pathlib import Path
import re

from ami_ros.configurator import configurator
from ami_ros.core import compute_budget
from ami_ros.core.share_directory import share
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / 'docs' / 'reports'


def tool(name: str):
    """Import a program of ami_ros.validation."""
    return importlib.import_module(f'ami_ros.validation.{name}')


def markdown(heads: tuple[str, ...], rows) -> str:
    """Write a table."""
    return '\n'.join(f'| {" | ".join(map(str, row))} |'
                     for row in (heads, ['---'] * len(heads), *rows))


def modes() -> str:
    """Write what holds in each mode."""
    return markdown(('mode', 'planner nodes', 'a plan', 'a teleop command', 'entered by'), (
        (f'`{name}`', mode.minds, mode.plan, mode.teleop, mode.entered)
        for name, mode in configurator.MODES.items()))


def ladder() -> str:
    """Write the failures and their recovery."""
    heads = ('failure', 'detected by', 'what still runs', 'the robot may', 'recovery')
    return markdown(heads, ([getattr(rung, field.name) for field in fields(rung)]
                            for rung in configurator.LADDER))


def levels() -> str:
    """Write the levels of the budget."""
    return markdown(('level', 'candidates', 'horizon', 'images planned on'), (
        (number, f'{level.candidates:.0%}', f'{level.horizon:.0%}',
         'all' if level.every == 1 else f'one of {level.every}')
        for number, level in enumerate(compute_budget.LEVELS)))


def tuning() -> str:
    """Write what was driven with other numbers."""
    pytest.importorskip('pybullet', reason='needs pybullet: make setup')
    return tool('settings_sweep').table(json.loads((REPORTS / 'settings_sweep.json').read_text()))


def robustness() -> str:
    """Write what the shipped module does under each condition, and what the one before did."""
    rows, before = (
        {row['name']: row for row in json.loads(
            (REPORTS / f'{name}.json').read_text())['conditions']}
        for name in ('robustness', 'robustness_1.0.2'))

    def percent(row: dict | None, what: str) -> str:
        return '' if row is None else f'{100 * row[f"{what}_rate"]:.0f} %'
    return markdown(
        ('condition', 'success (95 % interval)', 'false arrivals', 'collisions',
         '1.0.2: success', '1.0.2: false arrivals'),
        ((f'`{name}`', f'{percent(row, "success")} ({interval(row)})',
          percent(row, 'false_arrival'), percent(row, 'collision'),
          percent(before.get(name), 'success'), percent(before.get(name), 'false_arrival'))
         for name, row in rows.items()))


def interval(row: dict) -> str:
    """Write the 95 % interval of the success of a row."""
    episodes = row['episodes']
    return tool('tables.success_rates').wilson(sum(e['success'] for e in episodes), len(episodes))


def summary() -> str:
    """Write what the campaign of faults comes to."""
    return tool('tables.faults').summary(json.loads((REPORTS / 'faults.json').read_text()))


def results() -> str:
    """Write what was measured of each fault."""
    return tool('tables.faults').results(json.loads((REPORTS / 'faults.json').read_text()))


def expected() -> str:
    """Write what is expected of each fault."""
    return tool('tables.faults').expected(yaml.safe_load(share('config/faults.yaml').read_text()))


@pytest.mark.parametrize('page, table', [
    ('modes.md', modes), ('modes.md', ladder), ('modes.md', levels), ('tuning.md', tuning),
    ('robustness.md', robustness),
    ('faults.md', summary), ('faults.md', results), ('faults.md', expected)])
def test_the_page_says_what_the_code_says(page, table):
    path, said = ROOT / 'docs' / page, table()
    text = path.read_text()
    found = re.search(rf'<!-- {table.__name__} -->\n(.*?)<!-- end -->', text, re.S)
    assert found, f'{page} has no <!-- {table.__name__} -->'
    if os.environ.get('UPDATE_GOLDEN'):
        path.write_text(text[:found.start(1)] + said + '\n' + text[found.end(1):])
        return
    assert found[1].strip() == said, (
        f'docs/{page} is not up to date: UPDATE_GOLDEN=1 pytest test/test_docs_tables.py')


def test_every_row_of_the_results_is_of_a_report(capsys):
    tool('tables.success_rates').main(REPORTS)
    page = (ROOT / 'docs' / 'results.md').read_text()
    rows = capsys.readouterr().out.strip().split('\n')
    assert len(rows) > 15
    missing = [row for row in rows if row not in page]
    assert not missing, '\n'.join(missing)


def test_the_readme_says_what_the_reports_say():
    table = (ROOT / 'README.md').read_text().split('## What is measured')[1]

    def cells(start: str) -> list[str]:
        line = next(line for line in table.split('\n') if line.startswith(f'| {start}'))
        return [cell.strip(' *') for cell in line.strip('|').split('|')[1:]]

    def rate(name: str, what: str) -> float:
        if name == 'shipped_k20':       # it is a row of another report
            row, *_ = json.loads((REPORTS / 'robustness.json').read_text())['conditions']
            return 100 * row[f'{what}_rate']
        return 100 * json.loads((REPORTS / f'{name}.json').read_text())[f'{what}_rate']

    for start, name in (
            ('**success, shipped', 'shipped_k{}'), ('success, its', 'world_model-{}'),
            ('success, another', 'second_room-{}'),
            ('success after', 'world_model-{}-moved'),
            ('retrieval', 'retrieval-{}'), ('the same', 'retrieval-{}-moved'),
            ('oracle', 'oracle-{}'), ('random', 'random-{}')):
        said = cells(start)
        for k, cell in zip((10, 20, 40), said):
            if not cell:
                continue
            numbers = [float(n) for n in re.findall(r'[\d.]+', cell.split('(')[0])]
            right = [rate(name.format(k), what) for what in ('success', 'reached')]
            assert numbers == pytest.approx(right[:len(numbers)], abs=0.051), (start, k)
        assert any(said), start
    assert set(cells('episodes with a collision')) == {'0'}
    collided = [path.stem for path in REPORTS.glob('*-[124]0*.json')
                if json.loads(path.read_text()).get('collision_rate')]
    assert not collided
