# SPDX-License-Identifier: Apache-2.0
"""Figures of an evaluation with a tour: per world and in total, with intervals by world."""

from collections.abc import Sequence

import numpy as np

from ami_ros.validation.tours.leg_drive import localised, quantiles, Ticks

DRAWN = 10_000          # samples of worlds, of an interval
RATES = {'success_rate': lambda e: e['success'], 'reached_rate': lambda e: e['reached'],
         'false_arrival_rate': lambda e: e['false_arrival'],
         'collision_rate': lambda e: e['collisions'] > 0}


def rates(episodes: list[dict]) -> dict[str, float]:
    """Return the share of legs of which each is true."""
    return {name: sum(map(bool, map(true, episodes))) / max(1, len(episodes))
            for name, true in RATES.items()}


def interval(shares: Sequence[tuple[int, int]], seed: int = 0) -> list[float] | None:
    """Return the 95 % interval of a share by bootstrap over worlds: (how many, of how many) each.

    Worlds are the samples, since legs of one world are alike. None for fewer than two worlds.
    """
    if len(shares) < 2:
        return None
    some, all_ = np.array(shares, float).T
    chosen = np.random.default_rng(seed).integers(len(some), size=(DRAWN, len(some)))
    return np.percentile(some[chosen].sum(1) / all_[chosen].sum(1), [2.5, 97.5]).tolist()


def figures(rows: list[dict]) -> dict:
    """Return the figures of some worlds together."""
    ticks, episodes = Ticks(), [episode for row in rows for episode in row['episodes']]
    for row in rows:
        ticks.add(Ticks(**row['ticks']))
    errors_m = [e['goal_error_m'] for e in episodes if e['goal_error_m'] is not None]
    missions = [success for row in rows for success in row['missions']]
    return {'legs': len(episodes), **rates(episodes), **localised(ticks),
            'goal_error_m': quantiles(errors_m), 'decide_ms': quantiles(ticks.decide_ms),
            'tour_s': sum(row['tour_s'] for row in rows),
            'finish_tour_s': sum(row['finish_tour_s'] for row in rows),
            'finish_tour_max_s': max((row['finish_tour_s'] for row in rows), default=0.0),
            **({'mission_success_rate': sum(missions) / len(missions)} if missions else {})}


def intervals(rows: list[dict]) -> dict[str, list[float] | None]:
    """Return the 95 % interval of each rate."""
    out = {name: interval([(sum(bool(true(e)) for e in row['episodes']), len(row['episodes']))
                           for row in rows]) for name, true in RATES.items()}
    if any(row['missions'] for row in rows):
        out['mission_success_rate'] = interval([(sum(row['missions']), len(row['missions']))
                                                for row in rows])
    return out


def of_world(row: dict) -> dict:
    """Return what a report says about one world."""
    return {**{key: row[key] for key in ('world_seed', 'rooms', 'tour_driven_m')},
            **figures([row])}


def report(asked: dict, rows: list[dict], left_out: list[dict]) -> dict:
    """Make the report of worlds that were driven; those left out had no such leg."""
    return {'protocol': asked, **figures(rows), 'interval_95': intervals(rows),
            'worlds': [of_world(row) for row in rows], 'worlds_left_out': left_out,
            'episodes': [episode for row in rows for episode in row['episodes']]}
