# SPDX-License-Identifier: Apache-2.0
"""A policy file says which rules run, with which numbers, and where each comes from."""

from dataclasses import fields
import inspect
from pathlib import Path

from ami_ros.cli import main as cli
from ami_ros.core.share_directory import share
from ami_ros.critic.rules import CORE, RULES
from ami_ros.critic.safety_policy.explain import about, differences, explain, number
from ami_ros.critic.safety_policy.number_sources import KINDS, leaves, sources
from ami_ros.critic.safety_policy.policy_loader import (
    build_rules,
    changed,
    chosen,
    parse,
    Policy,
    read,
)
from ami_ros.critic.shared_rule_params import Shared
from ami_ros.robots.find_robot import find
from hypothesis import given, settings
from hypothesis import strategies as st
import pytest
import yaml

SHIPPED = sorted(share('config/safety_policy').glob('*.yaml'))
ROVER = share('config/safety_policy/rover.yaml')
TEXT = ROVER.read_text()
CHOSEN = read(ROVER)
LINES = {name: line for name, line, _ in leaves(yaml.compose(TEXT, yaml.SafeLoader))}


def refused(text, *parts):
    with pytest.raises(ValueError) as wrong:
        parse(text, 'own.yaml')
    said = str(wrong.value)
    assert said.startswith('own.yaml') and '\n' not in said
    for part in parts:
        assert part in said, said


@pytest.mark.parametrize('path', SHIPPED, ids=lambda p: p.stem)
def test_the_shipped_ones_are_good(path):
    policy = read(path)
    assert set(policy.sources) == set(policy.numbers) and policy.path == str(path)
    assert list(policy.rules) == [name for name in RULES if name in policy.rules]
    assert all(source.split(',')[0] in KINDS for source in policy.sources.values())


@pytest.mark.parametrize('kind', ['standard', 'data sheet', 'derivation', 'calibration', 'design'])
def test_of_which_kind_a_source_may_be(kind):
    for text in (f'a: 1  # source: {kind}, so it is',
                 f'a:    # m; source: {kind}, so it is\n  - 1'):
        assert sources(text, 'own.yaml') == {'a': f'{kind}, so it is'}


@pytest.mark.parametrize(('text', 'why'), [
    ("a: 'b # source: design, so'", 'a does not say where it comes from'),
    ('a: 1', 'a does not say where it comes from'), ('a: 1  # m', 'a does not say where'),
    ('a: 1  # source: rumour, so', "a says source: 'rumour, so'"),
    ('a: 1  # source: design,   ', "a says source: 'design,'")])
def test_what_is_no_source(text, why):
    with pytest.raises(ValueError, match=f'^own.yaml, line 1: {why}'):
        sources(text, 'own.yaml')


def test_the_same_numbers_have_the_same_hash_in_whatever_order():
    other = Policy(CHOSEN.shared, dict(reversed(CHOSEN.rules.items())))
    assert list(other.rules) != list(CHOSEN.rules) and other.hash == CHOSEN.hash
    assert other.path == '' and other == CHOSEN


def test_sources_are_in_a_persons_words():
    assert CHOSEN.sources['rules.input_timeout.max_plan_lead_s'].startswith('derivation, twice')


@pytest.mark.parametrize('name', CHOSEN.numbers)
def test_no_number_may_be_missing(name):
    lines = TEXT.split('\n')
    del lines[LINES[name]]
    group, _, key = name.rpartition('.')
    refused('\n'.join(lines), key, 'must be given', group)


@pytest.mark.parametrize('name', CHOSEN.numbers)
@pytest.mark.parametrize('comment', ['', '# m', '# source:', '# m; source: a friend, said so',
                                     '# source: design', '# source: design, ', 'source'])
def test_no_number_may_come_from_nowhere(name, comment):
    lines = TEXT.split('\n')
    line = lines[LINES[name]]
    lines[LINES[name]] = (line.replace('source: ', 'sauce: ') if comment == 'source'
                          else line.split('#')[0] + comment)
    refused('\n'.join(lines), f'{name} ', 'source: KIND', ', '.join(KINDS), ', line ')


@pytest.mark.parametrize('name', RULES)
def test_what_may_be_left_out(name):
    said = {'shared': vars(CHOSEN.shared), 'rules': {n: vars(own) for n, own in
                                                     CHOSEN.rules.items() if n != name}}
    if name in CORE:
        with pytest.raises(ValueError, match=f'{name} cannot be left out: {CORE[name]}'):
            chosen(said, 'x')
    else:
        assert name not in chosen(said, 'x').rules


@pytest.mark.parametrize(('old', 'new', 'parts'), [
    ('shared:', 'shard:', ("unknown key 'shard'; did you mean 'shared'",)),
    ('rules:', 'ruls:', ("did you mean 'rules'",)),
    ('  speed: {}', '  sped: {}', ('rules', "did you mean 'speed'")),
    ('  speed: {}', '  speed: {}\n  speed: {}', ("'speed' stands twice",)),
    ('  speed: {}', '  speed: {x: 1}', ('rules.speed', "unknown key 'x'")),
    ('  speed: {}', '  speed: 7', ('rules.speed', 'int where pairs')),
    ('max_surprise: 2.0', 'max_surprise: .inf', ('max_surprise = inf is outside 1.0 to 100.0',)),
    ('max_surprise: 2.0', 'max_surprise: .nan', ('max_surprise = nan is outside',)),
    ('max_surprise: 2.0', 'max_surprise: none', ('not of type float',)),
    ('max_surprise: 2.0', 'max_surprise: ', ('not of type float',)),
    ('max_surprise: 2.0', 'max_suprise: 2.0', ("did you mean 'max_surprise'",)),
    ('max_surprise: 2.0', 'max_surprise: 2.0\n    max_surprise: 9.0', ('stands twice',)),
    (TEXT, 'rules: {}', ('shared', 'must be given')),
    (TEXT, TEXT[:TEXT.index('rules:')], ('rules must name the rules',)),
    (TEXT, TEXT[:TEXT.index('rules:')] + 'rules: [speed]', ('rules must name the rules',)),
    (TEXT, '', ('holds NoneType',)), (TEXT, '- 1', ('holds list',)), (TEXT, '{', ('not YAML',))])
def test_what_is_wrong_is_named(old, new, parts):
    assert old in TEXT
    refused(TEXT.replace(old, new, 1), *parts)


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ValueError, match='cannot be read: No such file'):
        read(tmp_path / 'none.yaml')
    (tmp_path / 'odd.yaml').write_bytes(b'\xff\xfe\xff')
    with pytest.raises(ValueError, match='is not text in UTF-8'):
        read(tmp_path / 'odd.yaml')


def test_a_rule_without_numbers_needs_no_braces():
    assert parse(TEXT.replace('speed: {}', 'speed:'), 'x') == CHOSEN


def test_the_hash_is_of_what_counts():
    other = parse(TEXT.replace('source: design, half way', 'source: design, quite') + '\n#\n', 'x')
    assert other == CHOSEN and other.hash == CHOSEN.hash and len(CHOSEN.hash) == 64
    for name, value in CHOSEN.numbers.items():
        assert changed(CHOSEN, {name: value}).hash == CHOSEN.hash
    with pytest.raises(ValueError, match="unknown key 'shared.max_sped_mps'; did you mean"):
        changed(CHOSEN, {'shared.max_sped_mps': 1.0})


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(TEXT) - 1), st.integers(0, 30), st.text(max_size=8))
def test_a_broken_file_is_refused_or_means_the_same_kind_of_thing(at, gone, new):
    """No crash, and no policy without its core or with a number beyond its range."""
    try:
        policy = parse(TEXT[:at] + new + TEXT[at + gone:], 'own.yaml')
    except ValueError as wrong:
        assert str(wrong).startswith('own.yaml')
        return
    assert set(CORE) <= set(policy.rules) and set(policy.sources) == set(policy.numbers)


def test_it_is_said_in_words():
    lines = explain(CHOSEN)
    text = '\n'.join(lines)
    for name, value in CHOSEN.numbers.items():
        assert f'{name.rpartition(".")[2]} = {value:g}' in text and CHOSEN.sources[name] in text
    for name in CHOSEN.rules:
        assert name in lines
    assert lines[-1].startswith('does not run: ')
    assert explain(CHOSEN, 'surprise')[0] == 'surprise'
    assert 'right: 1.0 to 100.0; source: calibration, policy_calibration.json: own' in '\n'.join(
        explain(CHOSEN, 'surprise'))
    assert explain(CHOSEN, 'shared')[1] == '  what several rules go by'
    everything = chosen({'shared': vars(CHOSEN.shared), 'rules': {
        name: vars(CHOSEN.rules[name]) for name in CHOSEN.rules}}, 'x')
    assert 'source: not said' in '\n'.join(explain(everything))
    with pytest.raises(ValueError, match="unknown key 'sped'; did you mean 'speed'"):
        explain(CHOSEN, 'sped')


def test_a_rule_that_does_not_run_is_not_explained():
    less = chosen({'shared': vars(CHOSEN.shared), 'rules': {
        n: vars(own) for n, own in CHOSEN.rules.items() if n != 'surprise'}}, 'x')
    with pytest.raises(ValueError, match='does not name surprise, so it does not run'):
        explain(less, 'surprise')
    assert differences(CHOSEN, less) == ['surprise does not run any more, looser']
    assert differences(less, CHOSEN) == ['surprise runs, stricter']


@pytest.mark.parametrize(('name', 'value', 'said'), [
    ('shared.max_speed_mps', 0.3, 'shared.max_speed_mps: 0.6 -> 0.3 m/s, stricter (Maximum'),
    ('shared.stop_distance_m', 0.04, 'shared.stop_distance_m: 0.05 -> 0.04 m, looser (Distance'),
    ('shared.min_valid_beams', 0.9, 'shared.min_valid_beams: 0.7 -> 0.9, stricter (Minimum'),
    ('rules.surprise.max_surprise', 4, 'rules.surprise.max_surprise: 2 -> 4, looser (Limit')])
def test_differences_are_said_in_words(name, value, said):
    (line,) = differences(CHOSEN, changed(CHOSEN, {name: value}))
    assert line.startswith(said)
    assert differences(CHOSEN, CHOSEN) == []


def test_what_is_neither_stricter_nor_looser():
    strict = read(share('config/safety_policy/strict.yaml'))
    (line,) = differences(strict, changed(strict, {'rules.fence.frame': 'map'}))
    assert line.startswith('rules.fence.frame: odom -> map frame, other (')
    assert 'keep_out = () list of polygons' in '\n'.join(explain(strict, 'fence'))


def ami(capsys, *words):
    status = cli.main(['safety', *map(str, words)])
    out, err = capsys.readouterr()
    return status, out.strip().split('\n'), err.strip()


def test_on_the_command_line(capsys, tmp_path):
    assert ami(capsys, 'hash', ROVER)[1] == [CHOSEN.hash]
    status, out, _ = ami(capsys, 'check', ROVER, '--robot', 'rover')
    assert (status, out[-1]) == (0, 'good for rover') and CHOSEN.hash in out[-2]
    assert ami(capsys, 'check', ROVER)[1][-1] == 'good'
    assert ami(capsys, 'explain', ROVER, 'speed')[1][0] == 'speed'
    other = tmp_path / 'other.yaml'
    other.write_text(TEXT.replace('max_speed_mps: 0.6', 'max_speed_mps: 0.9'))
    assert ami(capsys, 'diff', ROVER, ROVER)[1] == ['the same rules with the same numbers']
    assert 'looser' in ami(capsys, 'diff', ROVER, other)[1][0]
    assert ami(capsys, 'check', other)[0] == 0
    status, _, err = ami(capsys, 'check', other, '--robot', 'rover')
    assert status == 1 and 'max_speed_mps = 0.9 is beyond what rover can do' in err
    assert str(Path(other)) in err


def test_a_rule_is_explained_in_its_own_words():
    for rule in build_rules(CHOSEN, find('rover')):
        said = [inspect.getdoc(RULES[rule.name]), *inspect.getdoc(type(rule)).split('\n')]
        assert about(rule.name)[:len(said)] == said
        assert len(about(rule.name)) == len(said) + (rule.name in CORE)


def test_an_explanation_has_a_blank_line_before_each_part():
    lines = explain(CHOSEN)
    assert not any('\n' in line for line in lines)
    for name in CHOSEN.rules:
        assert lines[lines.index(name) - 1] == ''
    left = ', '.join(name for name in RULES if name not in CHOSEN.rules)
    assert lines[-2:] == ['', f'does not run: {left}']


@pytest.mark.parametrize(('key', 'first'), [
    ('min_valid_beams',
     '    min_valid_beams = 0.7: Minimum share of the beams that must be valid'),
    ('max_speed_mps', '    max_speed_mps = 0.7 m/s: Maximum linear speed, forward and backward')])
def test_a_number_is_told_with_its_unit(key, first):
    field = next(field for field in fields(Shared) if field.name == key)
    assert number(field, 0.7, 'design, so')[0] == first
