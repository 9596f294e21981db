# SPDX-License-Identifier: Apache-2.0
"""Writes a drive as one HTML file that needs nothing else: curves are SVG, pictures are inside."""

from base64 import b64encode
from html import escape

import numpy as np

from ami_ros.perception.images.codec import to_png
from ami_ros.recording.replay.drive_summary import Summary
from ami_ros.recording.replay.moment_explanation import Moment

WIDE, HIGH, EDGE = 720, 220, 40
BARS = 40
STYLE = """body{font:15px/1.45 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;
color:#1c1c1c;background:#fff}h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}
table{border-collapse:collapse}td,th{padding:.2em .8em .2em 0;text-align:left;
vertical-align:top;border-bottom:1px solid #ddd}.n{text-align:right}svg{background:#fafafa;
border:1px solid #ddd;max-width:100%}details{margin:.4em 0}pre{white-space:pre-wrap;
font-size:13px}img{image-rendering:pixelated;border:1px solid #ccc}small{color:#666}"""


def page(s: Summary, slowest: list[tuple[float, float, Moment]], abouts: dict[str, dict]) -> str:
    """Return the page; `slowest` are (ms, when, moment), the slowest first."""
    parts = [
        f'<h1>{escape(s.name)}</h1>', facts(s),
        '<h2 id="way">The way</h2>', way(s.way),
        f'<p><small>by odometry, {s.metres:.1f} m</small></p>',
        '<h2 id="stops">Stops</h2>', stops(s),
        '<h2 id="surprise">Surprise</h2>',
        curve(s.surprise, 'surprise; 1 is ordinary') if len(s.surprise) else '<p>none</p>',
        '<h2 id="times">How long it took</h2>', times(s),
        '<h2 id="slowest">The slowest frames</h2>', *map(frame, slowest),
        '<h2 id="with">With what</h2>', made_with(abouts),
        '<h2 id="cost">What it cost</h2>', cost(s)]
    return ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<title>{escape(s.name)}</title><style>{STYLE}</style></head><body>\n'
            + '\n'.join(parts) + '\n</body></html>\n')


def table(heads: tuple[str, ...], rows) -> str:
    """Write a table; numbers stand right."""
    def cell(value) -> str:
        kind = ' class="n"' if isinstance(value, (int, float)) else ''
        text = f'{value:.3g}' if isinstance(value, float) else str(value)
        return f'<td{kind}>{escape(text)}</td>'

    head = ''.join(f'<th>{escape(one)}</th>' for one in heads)
    return (f'<table><tr>{head}</tr>'
            + ''.join(f'<tr>{"".join(map(cell, row))}</tr>' for row in rows) + '</table>')


def facts(s: Summary) -> str:
    """Write what it is about in a line."""
    lost = f', {s.dropped} notes were lost' if s.dropped else ''
    said = ', '.join(f'{count} verdicts {action}' for action, count in sorted(s.modes.items()))
    return f'<p>{s.seconds:.1f} s, {s.decisions} decisions, {said}{lost}</p>'


def svg(inside: str, high: int = HIGH) -> str:
    """Write a picture of lines."""
    return f'<svg viewBox="0 0 {WIDE} {high}" width="{WIDE}" height="{high}">{inside}</svg>'


def way(points: np.ndarray) -> str:
    """Draw the way from above, as wide as high, the beginning as a dot."""
    there = points[np.isfinite(points).all(1)]
    if len(there) < 2:
        return '<p>it did not move</p>'
    low, span = there.min(0), max(float(np.ptp(there, 0).max()), 0.1)
    high = 420
    scale = (high - 2 * EDGE) / span
    gaps = np.flatnonzero(~np.isfinite(points).all(1))
    lines = ''.join(
        '<polyline points="' + ' '.join(
            f'{EDGE + (x - low[0]) * scale:.1f},{high - EDGE - (y - low[1]) * scale:.1f}'
            for x, y in piece[np.isfinite(piece).all(1)])
        + '" fill="none" stroke="#1668a8" stroke-width="1.5"/>'
        for piece in np.split(points, gaps))
    x, y = EDGE + (there[0, 0] - low[0]) * scale, high - EDGE - (there[0, 1] - low[1]) * scale
    metre = (f'<line x1="{EDGE}" y1="{high - 15}" x2="{EDGE + scale:.1f}" y2="{high - 15}" '
             f'stroke="#444"/><text x="{EDGE}" y="{high - 20}" font-size="11">1 m</text>')
    return svg(f'{lines}<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="#2a8a3a"/>{metre}', high)


def curve(rows: np.ndarray, what: str) -> str:
    """Draw values over time."""
    t, y = rows[:, 0], np.nan_to_num(rows[:, 1])
    left, right, top = float(t[0]), float(max(t[-1], t[0] + 1e-3)), float(max(y.max(), 1e-9))
    thin = slice(None, None, max(1, len(t) // 2000))
    line = ' '.join(f'{EDGE + (a - left) / (right - left) * (WIDE - 2 * EDGE):.1f},'
                    f'{HIGH - EDGE - b / top * (HIGH - 2 * EDGE):.1f}'
                    for a, b in zip(t[thin], y[thin]))
    return svg(f'<polyline points="{line}" fill="none" stroke="#1668a8"/>'
               f'<text x="{EDGE}" y="{EDGE - 12}" font-size="12">{escape(what)}, at most '
               f'{top:.3g}</text>{axis(left, right, " s")}')


def axis(left: float, right: float, unit: str) -> str:
    """Write both ends of the lower edge."""
    y = HIGH - EDGE
    return (f'<line x1="{EDGE}" y1="{y}" x2="{WIDE - EDGE}" y2="{y}" stroke="#444"/>'
            f'<text x="{EDGE}" y="{y + 16}" font-size="11">{left:.3g}{unit}</text>'
            f'<text x="{WIDE - EDGE}" y="{y + 16}" font-size="11" text-anchor="end">'
            f'{right:.4g}{unit}</text>')


def histogram(values: np.ndarray, what: str) -> str:
    """Draw how often something took how long; the slowest hundredth is one bar at the end."""
    most = float(np.percentile(values, 99)) or 1e-3
    counts, _ = np.histogram(np.minimum(values, most), BARS, (0.0, most))
    wide = (WIDE - 2 * EDGE) / BARS
    top = max(1, counts.max())
    bars = ''.join(
        f'<rect x="{EDGE + i * wide:.1f}" y="{HIGH - EDGE - n / top * (HIGH - 2 * EDGE):.1f}" '
        f'width="{wide - 1:.1f}" height="{n / top * (HIGH - 2 * EDGE):.1f}" fill="#1668a8"/>'
        for i, n in enumerate(counts))
    return svg(f'{bars}<text x="{EDGE}" y="{EDGE - 12}" font-size="12">{escape(what)}</text>'
               f'{axis(0.0, most, " ms")}')


def stops(s: Summary) -> str:
    """Write each stop with its reason."""
    if not s.stops:
        return '<p>No rule stopped it.</p>'
    return table(('at, s', 'for, s', 'rule', 'why'), s.stops)


def times(s: Summary) -> str:
    """Write percentiles and draw histograms."""
    rows = [(stage, *(float(np.percentile(ms, p)) for p in (50, 95, 99)), float(ms.max()),
             len(ms)) for stage, ms in s.took_ms.items() if len(ms)]
    return table(('ms', 'p50', 'p95', 'p99', 'max', 'times'), rows) + ''.join(
        f'<p>{histogram(ms, stage)}</p>' for stage, ms in s.took_ms.items() if len(ms) > 1)


def frame(slow: tuple[float, float, Moment]) -> str:
    """Write a slow frame: what it took, its picture, its whole chain."""
    ms, at_s, told = slow
    seen = '' if told.picture is None else (
        f'<img alt="what the camera saw" height="192" src="data:image/png;base64,'
        f'{b64encode(to_png(told.picture)).decode()}">')
    rows = '\n'.join(f'{label:24s}{value}' for label, value in told.rows)
    return (f'<details><summary>{ms:.1f} ms at {at_s:.3f} s</summary>{seen}'
            f'<pre>{escape(rows)}</pre></details>')


def made_with(abouts: dict[str, dict]) -> str:
    """Write modules and policy with their hashes."""
    rows = []
    for node, said in sorted(abouts.items()):
        module, policy = said.get('module') or {}, said.get('policy') or {}
        if module:
            rows.append((node, f'module {module["name"]} {module["version"]}', module['hash'],
                         module.get('signer') or 'not signed'))
        if policy:
            rows.append((node, f'policy {policy["file"]}', policy['hash'], ''))
    return table(('node', 'what', 'hash', 'signed by'), rows)


def cost(s: Summary) -> str:
    """Write CPU seconds and, where the board tells, joules: by process, decision and metre."""
    if not s.cpu_s:
        return '<p>The recording does not say.</p>'
    whole = sum(s.cpu_s.values())
    rows = [(node, spent, spent / max(s.seconds, 1e-9)) for node, spent in s.cpu_s.items()]
    rows.append(('together', whole, whole / max(s.seconds, 1e-9)))
    each = [f'{1e3 * whole / s.decisions:.1f} ms of CPU a decision'] if s.decisions else []
    each += [f'{whole / s.metres:.2f} s of CPU a metre'] if s.metres > 0.1 else []
    return (table(('process', 'CPU, s', 'cores'), rows)
            + f'<p>{", ".join(each)}. {energy(s)}</p>')


def energy(s: Summary) -> str:
    """Write the joules that the whole board drew."""
    if s.joules is None:
        return 'This board does not tell what it draws.'
    each = [f'{s.joules / s.decisions:.2f} J a decision'] if s.decisions else []
    each += [f'{s.joules / s.metres:.1f} J a metre'] if s.metres > 0.1 else []
    return f'The board drew {", ".join([f"{s.joules:.0f} J", *each])}.'
