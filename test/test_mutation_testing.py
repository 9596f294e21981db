# SPDX-License-Identifier: Apache-2.0
"""The list of mutants that may live is current in form; and the tool finds and kills faults."""

from pathlib import Path
import re
import sys

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tools'))

import mutate_sites  # noqa: E402

ROWS = re.findall(r'^\| `(.*?)` \| (.*) \|$', (ROOT / 'docs' / 'mutation_testing.md').read_text(),
                  re.M)


def test_every_mutant_that_is_listed_exists_and_has_a_reason():
    files = {name.split(' ')[0] for name, _ in ROWS}
    there = {mutant.name for file in files for mutant in mutate_sites.mutants(ROOT, file)}
    gone = [name for name, _ in ROWS if name not in there]
    assert not gone, f'take them out of docs/mutation_testing.md, or say what they are now: {gone}'
    assert all(len(reason) > 15 for _, reason in ROWS)
    assert len(ROWS) == len(dict(ROWS)) > 0


@pytest.mark.parametrize(('code', 'becomes'), [
    ('a < b', ('a <= b', 'a >= b')), ('a and b', ('a or b', 'b', 'a')), ('not a', ('a',)),
    ('x = -a', ('a',)), ('x = a + b', ('a - b',)), ('x = 2.0', ('4.0',)), ('x = 0', ('1',)),
    ('x = True', ('False',)), ("x = 'go on'", ("'Xgo on'",)), ('x = min(a, b)', ('max(a, b)',)),
    ('x = abs(a)', ('a',)), ('f(a)', ('pass',)), ('self.a = b', ('pass',)),
    ('def f():\n  return a', ('return None',)), ('def f():\n  raise E', ('pass',)),
    ('if f(a): pass', ('if not (f(a))',))])
def test_what_is_tried(code, becomes, tmp_path):
    (tmp_path / 'x.py').write_text(code)
    assert [mutant.now for mutant in mutate_sites.mutants(tmp_path, 'x.py')] == list(becomes)
    for index in range(len(becomes)):
        mutate_sites.mutated(tmp_path, 'x.py', index)


@pytest.mark.parametrize('code', [
    "'''A docstring.'''", 'x: int', "raise ValueError('no')", "raise Stop(f'{a} < {2}')",
    "release: ClassVar[str] = 'a while'", '@dataclass(frozen=True)\nclass A: pass',
    "x = setting(None, 'm/s', reason='so')", 'for a in zip(b, c, strict=True): pass',
    "x = {y: 'so it is'}"])
def test_what_only_people_read_is_left_alone(code, tmp_path):
    (tmp_path / 'x.py').write_text(code)
    mutants = [m.now for m in mutate_sites.mutants(tmp_path, 'x.py')]
    assert [now for now in mutants if now != 'pass'] == []


def test_a_mutant_is_the_code_with_one_fault(tmp_path):
    (tmp_path / 'x.py').write_text('def f(a, b):\n    return a if a < b else b\n')
    (first, *_) = mutate_sites.mutants(tmp_path, 'x.py')
    assert first.name == 'x.py f: return a if a < b else b -> return None'
    names = [mutant.now for mutant in mutate_sites.mutants(tmp_path, 'x.py')]
    space: dict = {}
    exec(mutate_sites.mutated(tmp_path, 'x.py', names.index('a >= b')), space)
    assert space['f'](1, 2) == 2 and space['f'](3, 2) == 3
    with pytest.raises(ValueError, match='has 3 mutants, there is no number 9'):
        mutate_sites.mutated(tmp_path, 'x.py', 9)
