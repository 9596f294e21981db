# SPDX-License-Identifier: Apache-2.0
"""Every number a person may turn: default, unit, range, reason.

ROS parameters, the YAML check and the tables in the documentation are made from these.
A limit that guards somebody has no default: it must stand in the file.
"""

import dataclasses
from dataclasses import dataclass
import difflib
from typing import Any, ClassVar

from ami_ros.core.errors import AmiError
from ami_ros.core.renamed_public_names import renamed


def setting(default, unit: str, low=None, high=None, reason: str = '', live: bool = False,
            because: str = '', strict: str = ''):
    """Declare a field; `default` None means that the file must say it.

    `live`: it may change while the robot drives. `because` says why it may, or why it may not,
    where that is another reason than the one of the whole class. `strict`: of a limit, whether
    'lower' or 'higher' is the safe side.
    """
    meta = {'unit': unit, 'low': low, 'high': high, 'reason': reason, 'live': live,
            'because': because, 'strict': strict}
    if default is None:
        return dataclasses.field(metadata=meta, kw_only=True)
    return dataclasses.field(default=default, metadata=meta, kw_only=True)


def right(field: dataclasses.Field) -> str:
    """Say what is right for a field: '0.0 to 2.0 m/s', 'true or false', 'a name'."""
    low, high, unit = (field.metadata[key] for key in ('low', 'high', 'unit'))
    if low is None:
        return 'true or false' if field.type is bool else f'a {unit}'
    span = f'only {low}' if low == high else f'{low} to {high}'
    return span if unit in ('1', '-') else f'{span} {unit}'


@dataclass(frozen=True)
class Order:
    """One number of the same settings may not be larger than another."""

    one: str
    other: str
    reason: str
    alike: bool = True      # they may be the same

    @property
    def words(self) -> str:
        """Say how the one has to stand to the other."""
        return 'at most' if self.alike else 'less than'

    def wrong(self, settings: 'Settings') -> str:
        """Say what is wrong; '' where nothing is."""
        one, other = getattr(settings, self.one), getattr(settings, self.other)
        if one < other or self.alike and one == other:
            return ''
        return (f'{self.one} = {one!r} must be {self.words} {self.other} = {other!r} '
                f'({self.reason})')


@dataclass(frozen=True)
class Needs:
    """One switch of the same settings may only be on where another is."""

    one: str
    other: str
    reason: str
    words: ClassVar[str] = 'needs'

    def wrong(self, settings: 'Settings') -> str:
        """Say what is wrong; '' where nothing is."""
        if getattr(settings, self.other) or not getattr(settings, self.one):
            return ''
        return f'{self.one} = True needs {self.other} = True ({self.reason})'


@dataclass(frozen=True)
class Settings:
    """Checks each field, then how they stand to each other; written so that NaN fails too."""

    RELATIONS: ClassVar[tuple[Order | Needs, ...]] = ()
    NAMED: ClassVar[tuple[str, ...]] = ()       # a node does not start without these
    LIVE: ClassVar[str] = ''                                # why, of fields that may change
    FIXED: ClassVar[str] = 'read when the node starts'      # and of those that may not

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            what = f'{field.name} = {value!r}'
            kind: Any = field.type
            if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
                raise AmiError(f'{what} is not of type {kind.__name__}; right is '
                               f'{right(field)} ({field.metadata["reason"]})')
            low, high = field.metadata['low'], field.metadata['high']
            if low is not None and not low <= value <= high:
                raise AmiError(f'{what} is outside {right(field)} '
                               f'({field.metadata["reason"]})')
        for relation in self.RELATIONS:
            if wrong := relation.wrong(self):
                raise AmiError(wrong)


def why(kind: type[Settings], field: dataclasses.Field) -> str:
    """Say why a field may change while the robot drives, or why it may not."""
    meta = field.metadata
    return meta['because'] or (kind.LIVE if meta['live'] else kind.FIXED)


def unknown(key, names) -> str:
    """Say that a key is unknown, which one may be meant, and which there are."""
    if new := renamed(key, names):
        return f'{key!r} was renamed to {new!r}; `ami-ros migrate FILE` rewrites a file'
    close = difflib.get_close_matches(str(key), names, 1)
    hint = f'; did you mean {close[0]!r}?' if close else ''
    return f'unknown key {key!r}{hint} (there are: {", ".join(sorted(names))})'


def build(kind: type, values: dict, where: str = 'settings'):
    """Make settings from a plain dict; an unknown or missing key names the right ones."""
    fields = {f.name: f for f in dataclasses.fields(kind)}
    if not isinstance(values, dict):
        raise AmiError(f'{where}: {type(values).__name__} where pairs of key: value belong '
                       f'(keys: {", ".join(sorted(fields))})')
    for key in values:
        if key not in fields:
            raise AmiError(f'{where}: {unknown(key, fields)}')
    missing = [n for n, f in fields.items()
               if f.default is dataclasses.MISSING and n not in values]
    if missing:
        raise AmiError(f'{where}: {", ".join(missing)} must be given; it guards somebody '
                       'and has no default')
    try:
        return kind(**{k: float(v) if fields[k].type is float and type(v) is int
                       else frozen(v) if fields[k].type is tuple else v
                       for k, v in values.items()})
    except RecursionError:
        raise AmiError(f'{where}: a list in it is nested too deeply, or holds itself') from None
    except (ValueError, OverflowError) as wrong:
        raise AmiError(f'{where}: {wrong}') from None


def frozen(value):
    """Make tuples of lists, and floats of what is in them."""
    if isinstance(value, (list, tuple)):
        return tuple(float(v) if type(v) is int else frozen(v) for v in value)
    return value


@dataclass(frozen=True)
class WorldModelSettings(Settings):
    """How the belief follows what is seen."""

    LIVE: ClassVar[str] = 'applied from the next image on'

    latent_gain: float = setting(
        0.7, '1', 0.05, 1.0, 'Weight of a new observation in the latent belief', live=True)
    pose_gain: float = setting(
        0.4, '1', 0.02, 1.0, 'Maximum weight of a new observation in the pose estimate', live=True)
    drift: float = setting(
        0.05, '1', 0.0, 1.0, 'Odometry error as a share of the distance travelled', live=True)
    innovation_gate_m: float = setting(
        0.8, 'm', 0.1, 5.0,
        'Distance beyond which an observed position is first treated as an outlier', live=True)
    place_gate_rad: float = setting(
        0.35, 'rad', 0.05, 3.15,
        'Heading difference beyond which an observed heading is first treated as an '
        'outlier', live=True)
    relocalize_frames: int = setting(
        6, 'frames', 1, 100,
        'Number of mutually consistent outlier observations that relocalize the robot '
        'at the observed pose', live=True)
    latency_s: float = setting(
        -1.0, 's', -1.0, 0.5,
        'Latency from camera frame to command; plans start this much later; a value '
        'below 0 uses the measured latency of the robot file', live=True,
        because='applied from the next plan on; if it exceeds max_plan_lead_s of the policy, '
                'the critic stops the robot')


@dataclass(frozen=True)
class ActorSettings(Settings):
    """How long and how wide the actor searches."""

    LIVE: ClassVar[str] = 'applied from the next plan on'
    RELATIONS: ClassVar[tuple[Order | Needs, ...]] = (
        Order('elites', 'candidates', 'elites are the best of the candidates'),
        Order('elites_kept', 'elites', 'the kept candidates are some of the elites', alike=False))

    candidates: int = setting(
        64, 'sequences', 8, 1024, 'Number of candidates per iteration', live=True)
    iterations: int = setting(
        3, 'iterations', 1, 50, 'Number of search iterations per plan', live=True)
    horizon: int = setting(
        8, 'knots', 2, 32, 'Length of the planning horizon',
        because='the network was exported for this number of knots')
    elites: int = setting(
        10, 'sequences', 2, 256,
        'Number of best candidates to which the next sampling distribution is fitted', live=True)
    elites_kept: int = setting(
        4, 'sequences', 0, 64,
        'Number of elites carried over unchanged to the next iteration', live=True)
    control_step_s: float = setting(
        0.25, 's', 0.25, 0.25, 'Time step between knots; the module was trained with this value',
        because='no other value is supported')
    min_std: float = setting(
        0.08, '1', 0.0, 1.0,
        'Minimum standard deviation of the samples as a share of the command limit', live=True)
    deadline_s: float = setting(
        0.08, 's', 0.002, 10.0,
        'Real-time deadline of the search; the best plan found by then is used', live=True)
    seed: int = setting(
        0, '1', 0, 2**31 - 1, 'Seed of the sampler; the same seed gives the same plans',
        because='a run could not be repeated if the seed changed during the run')


@dataclass(frozen=True)
class EnergySettings(Settings):
    """What makes a future good: weights of the hard-written terms."""

    LIVE: ClassVar[str] = 'applied from the next plan on'
    RELATIONS: ClassVar[tuple[Order | Needs, ...]] = (
        Order('arrive_m', 'settle_m', 'a pose within the arrival tolerance must also be within '
                                      'the settling tolerance'),
        Order('arrive_rad', 'settle_rad', 'a pose within the arrival tolerance must also be '
                                          'within the settling tolerance'),
        Order('settle_m', 'leave_m', 'otherwise an arrival would be revoked at once', alike=False))

    time_to_goal: float = setting(
        1.0, '1/s', 0.0, 100.0,
        'Weight of the remaining time to the goal, estimated by the learned map', live=True)
    latent: float = setting(
        0.3, '1', 0.0, 100.0, 'Weight of the summed latent distance to the goal', live=True)
    map: float = setting(
        0.15, '1', 0.0, 100.0, 'Weight of narrow places known to the learned map', live=True)
    disagreement: float = setting(
        0.2, '1', 0.0, 100.0,
        'Weight of predictions on which the ensemble heads disagree', live=True)
    effort: float = setting(
        0.05, '1', 0.0, 100.0, 'Weight of turning and of changes in the command', live=True)
    vetoed: float = setting(
        15.0, '1', 0.0, 100.0, 'Weight of motions that the critic blocked recently', live=True)
    vetoed_s: float = setting(
        2.0, 's', 0.0, 60.0, 'Time for which a blocked motion stays penalized', live=True)
    terminal: float = setting(
        3.0, '1', 0.0, 100.0, 'Weight of the last knot relative to the other knots', live=True)
    arrive_m: float = setting(0.12, 'm', 0.02, 1.0, 'Position tolerance at the goal', live=True)
    arrive_rad: float = setting(0.18, 'rad', 0.02, 1.0, 'Heading tolerance at the goal', live=True)
    settle_m: float = setting(
        0.18, 'm', 0.02, 1.0,
        'Position tolerance at the goal for an arrival that lasts settle_s', live=True)
    settle_rad: float = setting(
        0.30, 'rad', 0.02, 1.0,
        'Heading tolerance at the goal for an arrival that lasts settle_s', live=True)
    settle_s: float = setting(
        0.7, 's', 0.0, 10.0,
        'Time within settle_m and settle_rad after which the goal counts as reached', live=True)
    confirm_s: float = setting(
        0.3, 's', 0.0, 10.0,
        'Time for which observations must agree with the estimated pose before an '
        'arrival is declared', live=True)
    arrive_latent: float = setting(
        0.0, '1', 0.0, 100.0,
        'Largest latent distance (root mean square) between the current view and the goal image '
        'at which an arrival is declared; 0 uses the value of the module, or no check where the '
        'module has none', live=True)
    look_around_s: float = setting(
        4.0, 's', 0.0, 60.0,
        'Time for which the robot turns to and fro at a goal that does not look like the goal '
        'image; the goal fails after it', live=True)
    leave_m: float = setting(
        0.40, 'm', 0.05, 5.0,
        'Distance from the goal beyond which an arrival is revoked', live=True)
