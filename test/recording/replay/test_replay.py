# SPDX-License-Identifier: Apache-2.0
"""A replay says what another policy, other numbers and a cut recording make of a drive."""

import json
from pathlib import Path

from ami_ros.cli import main as cli
from ami_ros.recording import message_reader
from ami_ros.recording.replay import trace_reader
from ami_ros.recording.replay.differences import ROUNDING
import pytest

BAG = Path(__file__).with_name('golden') / 'mind.mcap'


def replayed(tmp_path, capsys, bag, *options):
    report = tmp_path / 'report.json'
    status = cli.main(['replay', str(bag), '--report', str(report), *map(str, options)])
    said = capsys.readouterr()
    return status, json.loads(report.read_text()) if report.exists() else None, said.out + said.err


def test_the_same_is_the_same(golden, tmp_path, capsys):
    status, report, words = replayed(tmp_path, capsys, golden['mind'])
    assert status == 0 and 'first difference: none' in words
    assert 'bit-identical' in words or 'equal but for rounding' in words    # another CPU
    assert report['same_is_wanted'] and report['first_difference'] is None
    assert report['verdicts']['different'] == 0
    assert all(report[what]['max_abs_difference'] <= ROUNDING for what in ('latents', 'plans'))


def test_another_policy_gains_stops(golden, tmp_path, capsys):
    said = next(one for one in trace_reader.abouts(BAG).values() if one['kind'] == 'critic')
    strict, text = tmp_path / 'strict.yaml', said['policy']['text']
    fence = {'frame': 'odom', 'keep_out': '[]', 'fence_margin_m': 0.05,
             'stay_in': '[[-0.1, -0.1], [0.1, -0.1], [0.1, 0.1], [-0.1, 0.1]]'}
    fence = ''.join(f'    {key}: {value}  # source: design, a test\n'
                    for key, value in fence.items())
    text = text.replace('  stop_zone:', f'  fence:\n{fence}  stop_zone:')
    strict.write_text(text)
    status, report, words = replayed(tmp_path, capsys, golden['mind'], '--safety-policy', strict)
    assert status == 0 and not report['same_is_wanted']
    assert report['verdicts']['policy']['recorded'] != report['verdicts']['policy']['replayed']
    assert report['latents']['different'] == report['plans']['different'] == 0
    stops = report['verdicts']['stops']
    assert stops['gained'] > 0 == stops['lost'] and sum(
        by['gained'] for by in stops['by_rule'].values()) == stops['gained']
    assert 0 < report['verdicts']['ticks_stopped']['gained'] <= report['verdicts']['different']
    first = report['first_difference']
    assert first['stage'] == 'critic' and first['recorded'] != first['replayed']
    assert f'stops gained: {stops["gained"]}, lost: 0' in words


def test_other_numbers_plan_otherwise_and_the_critic_hears_of_it(golden, tmp_path, capsys):
    params = tmp_path / 'quick.yaml'
    params.write_text('/**/mind:\n  ros__parameters:\n    actor:\n      iterations: 1\n'
                      '    energy: {time_to_goal: 0.0, latent: 0.0}\n')
    status, report, words = replayed(tmp_path, capsys, golden['mind'], '--params',
                                      params)
    assert status == 0 and report['latents']['different'] == 0
    assert report['mind']['plans_different'] > 5 and report['plans']['max_abs_difference'] > 0.01
    first = report['first_difference']
    assert first['stage'] == 'actor' and 0 <= first['at_s'] < 13
    assert report['verdicts']['different'] > 0      # other plans, other commands
    assert f'first difference: {first["at_s"]:.3f} s, actor' in words


@pytest.mark.parametrize('text, complaint', [
    ('/**/mind:\n  ros__parameters:\n    actor: {itertions: 1}\n', "did you mean 'iterations'"),
    ('critic: {}\n', 'has no settings of world_model, actor, energy'),
    ('/**/mind:\n  ros__parameters:\n    actor: {iterations: 99}\n', 'iterations = 99 is outside'),
])
def test_numbers_that_are_wrong_are_named(golden, tmp_path, capsys, text, complaint):
    params = tmp_path / 'wrong.yaml'
    params.write_text(text)
    status, report, words = replayed(tmp_path, capsys, golden['mind'], '--params',
                                      params)
    assert status == 1 and report is None and complaint in words


@pytest.mark.parametrize('share', [0.5, 0.8, 0.95])
def test_what_a_kill_left_is_replayed_as_far_as_it_goes(golden, tmp_path, capsys, share):
    data, cut = golden['mind'].read_bytes(), tmp_path / 'cut.mcap'
    cut.write_bytes(data[:int(share * len(data))])
    status, report, words = replayed(tmp_path, capsys, cut)
    assert status == 0, words
    assert 0 < report['latents']['compared'] <= 25 and report['latents']['different'] == 0
    assert report['verdicts']['different'] == 0


def test_what_is_no_recording_is_named(tmp_path, capsys):
    status, _, words = replayed(tmp_path, capsys, tmp_path / 'nothing')
    assert status == 1 and f'there is no recording at {tmp_path / "nothing"}' in words
    plain = tmp_path / 'plain.mcap'
    from mcap.writer import Writer
    with open(plain, 'wb') as file:
        writer = Writer(file)
        writer.start()
        writer.finish()
    status, _, words = replayed(tmp_path, capsys, plain)
    assert status == 1 and 'has no trace/metadata: it was recorded without a trace' in words


def test_walking_finds_what_the_public_reader_finds():
    from mcap.reader import make_reader
    with open(BAG, 'rb') as file:
        public = [(channel.topic, message.log_time, message.data) for _, channel, message in
                  make_reader(file).iter_messages(log_time_order=False)]
    assert [tuple(heard) for heard in message_reader.messages(BAG)] == public and len(public) > 100
    some = [tuple(heard) for heard in message_reader.messages(BAG, ('cmd_vel',))]
    assert some == [one for one in public if one[0] == '/cmd_vel'] and some
    begin, end = message_reader.span_of(BAG)
    assert begin == min(one[1] for one in public) and end == max(one[1] for one in public)
    assert not list(message_reader.messages(BAG, (), end + 1))
