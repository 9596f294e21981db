# SPDX-License-Identifier: Apache-2.0
"""Traces of robots that were never there: what the wheels are told, and a body that lags."""

import math

from ami_ros.validation.fault_injection.trace import Statement, Trace, TruthSample

NS = 10**9
BEGUN_NS, STRUCK_S, HOLD_S, AFTER_S = 1_700_000_000 * NS, 1.0, 2.0, 1.0
STEP_S, LAG_S, FULL_MPS = 0.025, 0.08, 0.6


def ns(after_strike_s):
    """Wall time of an instant, given in seconds after the strike."""
    return BEGUN_NS + round((STRUCK_S + after_strike_s) * 1e9)


def acted(told, touches=(), said=(), drop=lambda s: False, phase_s=0.0):
    """A trace of a straight drive.

    `told` maps seconds after the strike to m/s; `touches` are spans of seconds after the strike;
    `drop` says which looks nobody saw; `phase_s` shifts the looks.
    """
    looks, x, speed, rest_since, s = [], 0.0, FULL_MPS, None, -STRUCK_S
    fine_s = 0.001
    due_s = -STRUCK_S + phase_s
    while s < HOLD_S + AFTER_S:
        v = told(s)
        rest_since = None if v else s if rest_since is None else rest_since
        speed += (v - speed) * (1 - math.exp(-fine_s / LAG_S))
        x += speed * fine_s
        s += fine_s
        if s >= due_s:
            due_s += STEP_S
            if not drop(s):
                rest_s = 0.0 if rest_since is None else max(1e-6, s - rest_since)
                looks.append(TruthSample(ns(s), x, 0.0, speed, v, rest_s,
                                  0.02, any(a <= s < b for a, b in touches)))
    return Trace(ns(0), ns(HOLD_S), ns(HOLD_S + AFTER_S), looks, list(said))


def until(stop_s, again_s=math.inf):
    """Be told full speed until an instant, rest from then on, full speed again later."""
    return lambda s: FULL_MPS if s < stop_s or s >= again_s else 0.0


def verdict(after_s, rule, text, action='stop', **values):
    return Statement(ns(after_s), 'verdict', text, rule, action, values)


def health(after_s, by, text='', **values):
    return Statement(ns(after_s), by, text, values=values)
