# SPDX-License-Identifier: Apache-2.0
"""Adds up the legs of a campaign."""

from collections import Counter

from ami_ros.validation.adversarial.planners import KINDS

DEFINITIONS = {
    'collisions': 'touches with the rover faster than 0.02 m/s (its fastest part) at the touch, '
                  'of what had been in sight of the lidar for the last 0.5 s without a break',
    'false_stop_rate': 'of the ticks on which a plan of an age that may be obeyed moves: nothing '
                       'went out, and obeying 0.3 s more and then braking would have kept the '
                       'margin in the true world',
    'false_stop_rate_expired_too': 'the same, where plans too old to be obeyed count as well',
    'progress_ratio': 'm driven, over m of a guard that knows the world, itself and the future '
                      'exactly, under the same plans and limits of the drive, put beside the '
                      'rover every 10 s, and where something ran into it',
    'crawling_rate': 'of the same ticks: a rule other than the plan slowed it below 0.02 m/s, '
                     'without stopping it',
    'wedged': 'windows of 10 s in which the rover moved less than 0.02 m and that guard more '
              'than 0.5 m',
    'nearest_m': 'least clearance while it moved; in standing rooms only',
}
LISTED = 50                 # touches and windows that a report names


def summary(legs: list[dict]) -> dict:
    """Return the figures of all legs, and of each kind of planner."""
    touches = [touch for leg in legs for touch in leg['touches']]
    touches.sort(key=lambda touch: not touch['collision'])
    wedged = [{'leg': leg['leg'], 'kind': leg['kind'], 'time_s': at}
              for leg in legs for at in leg['wedged']]
    return {**figures(legs),
            'kinds': {kind: figures([leg for leg in legs if leg['kind'] == kind])
                      for kind in KINDS if any(leg['kind'] == kind for leg in legs)},
            'rooms': len({leg['world_seed'] for leg in legs}),
            'wedged_at': wedged[:LISTED], 'touched': touches[:LISTED],
            'definitions': DEFINITIONS}


def figures(legs: list[dict]) -> dict:
    """Return the figures of some legs."""
    def total(key: str) -> float:
        return sum(leg[key] for leg in legs)

    def share(part: float, whole: float, digits: int = 5) -> float | None:
        return round(part / whole, digits) if whole else None

    false: Counter = Counter()
    slow: Counter = Counter()
    for leg in legs:
        false.update(leg['false_stops'])
        slow.update(leg['slow_rules'])
    moving, expired = total('moving_ticks'), total('expired_ticks')
    count, late = sum(false.values()), total('expired_false_stops')
    touches = [touch for leg in legs for touch in leg['touches']]
    nearest = [leg['nearest_m'] for leg in legs if leg['nearest_m'] is not None]
    return {
        'collisions': sum(touch['collision'] for touch in touches),
        'hours': round(total('hours'), 4), 'km': round(total('way_m') / 1000, 4),
        'false_stop_rate': share(count, moving),
        'false_stop_rate_expired_too': share(count + late, moving + expired),
        'progress_ratio': share(total('way_m'), total('perfect_way_m'), 4),
        'turning_ratio': share(total('turned_rad'), total('perfect_turned_rad'), 4),
        'ticks': total('ticks'), 'verdicts': total('verdicts'), 'moving_ticks': moving,
        'stopped_rate': share(total('stopped_ticks'), moving),
        'crawling_rate': share(total('crawling_ticks'), moving),
        'expired_ticks': expired, 'expired_obeyed': total('expired_obeyed'),
        'false_stops_by_rule': dict(false.most_common()),
        'slowed_by_rule': dict(slow.most_common()),
        'nearest_m': round(min(nearest), 4) if nearest else None,
        'wedged': sum(len(leg['wedged']) for leg in legs),
        'touched_at_rest': sum(not t['collision'] and t['pace_mps'] <= 0.02 for t in touches),
        'touched_unseen': sum(not t['collision'] and t['pace_mps'] > 0.02 for t in touches),
    }
