# SPDX-License-Identifier: Apache-2.0
"""What each number of a policy may be: UPDATE_GOLDEN=1 writes it anew, and the commit says why."""

from dataclasses import fields
import json
import os
from pathlib import Path

from ami_ros.critic.rules import params, RULES
from ami_ros.critic.shared_rule_params import Shared

GOLDEN = Path(__file__).with_name('policy_number_ranges.json')
SAID = ('unit', 'low', 'high', 'strict')


def ranges() -> dict[str, list]:
    """Return unit, lowest, highest and the safe side of every number; none has a default."""
    groups = {'shared': Shared, **{f'rules.{name}': params(name) for name in RULES}}
    return {f'{group}.{field.name}': [*(field.metadata[key] for key in SAID)]
            for group, kind in groups.items() for field in fields(kind)}


def relations() -> list[str]:
    """Return which numbers may not be larger than which."""
    kinds = [Shared, *map(params, RULES)]
    return [f'{order.one} {order.words} {order.other}' for kind in kinds
            for order in kind.RELATIONS]


def test_what_each_number_may_be():
    said = {'ranges': ranges(), 'relations': relations()}
    if os.environ.get('UPDATE_GOLDEN'):
        rows = ',\n'.join(f'  {json.dumps(name)}: {json.dumps(row)}'
                          for name, row in said['ranges'].items())
        GOLDEN.write_text(f'{{"ranges": {{\n{rows}\n}},\n"relations": '
                          f'{json.dumps(said["relations"], indent=2)}}}\n')
    assert said == json.loads(GOLDEN.read_text()), (
        f'meant to? UPDATE_GOLDEN=1 pytest {__file__}, and say in the commit which limit of a '
        'limit is another now, and why')
