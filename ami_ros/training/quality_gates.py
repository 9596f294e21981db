# SPDX-License-Identifier: Apache-2.0
"""What a module must pass before anybody drives with it, computed in eval mode on held-out drives.

Never select by prediction loss: a collapsed latent predicts itself perfectly.
"""

from dataclasses import dataclass

import numpy as np
import torch

from ami_ros.training.loss import relative, relative_place
from ami_ros.training.networks import Jepa, sigreg
from ami_ros.training.train import Sampler

# name: (bound, which side is good, what a failure means)
GATES = {
    'effective_rank': (8.0, 'above', 'the latent has collapsed to a few directions; check that '
                       'the anti-collapse term carries its batch-size factor'),
    'sigreg': (16.0, 'below', 'the latent is far from an isotropic Gaussian on held-out drives'),
    'rollout_vs_copy_last': (0.6, 'below', 'predicting is hardly better than assuming that '
                             'nothing changes'),
    'rollout_vs_wrong_action': (0.6, 'below', 'the prediction hardly depends on what is done'),
    'distance_rank_correlation': (0.6, 'above', 'distances between latents do not grow with the '
                                  'way travelled'),
    'action_sensitivity': (0.3, 'above', 'the world model is blind to actions'),
    'place_error_m': (0.25, 'below', 'places read from latents contradict odometry'),
}


TOLERANCE = 0.99        # share of the held-out windows whose latents lie no farther apart


@dataclass(frozen=True)
class Gated:
    """Figures and the sentences of what failed."""

    figures: dict[str, float]
    failures: list[str]


def effective_rank(z: torch.Tensor) -> float:
    """Exponential of the entropy of the covariance spectrum (Roy and Vetterli 2007)."""
    covariance = torch.cov(z.T.double())
    if not covariance.trace() > 1e-9:   # a constant: its rounding spreads over all directions
        return 1.0
    spectrum = torch.linalg.eigvalsh(covariance)
    share = (spectrum / spectrum.sum()).clamp(min=1e-12)
    return float(torch.exp(-(share * share.log()).sum()))


def ranks(x: np.ndarray) -> np.ndarray:
    """Rank of every value."""
    return np.argsort(np.argsort(x, kind='stable'), kind='stable').astype(float)


@torch.no_grad()
def measure(model: Jepa, sampler: Sampler, seed: int = 0, windows: int = 512) -> dict[str, float]:
    """Compute every figure on the sampler's rows; also the scales that the robot needs."""
    model.eval()
    generator = torch.random.fork_rng(devices=[])
    with generator:
        torch.manual_seed(seed)
        rng = np.random.default_rng(seed)
        d, device = sampler.drives, model.dynamics.twist_scale.device
        begin = rng.choice(sampler.rows, min(windows, len(sampler.rows)), replace=False)
        batch = sampler.windows(begin).to(device)
        b, t = batch.pictures.shape[:2]
        z = torch.cat([model.encoder(p.float()) for p in batch.pictures.flatten(0, 1).split(256)])
        z = z.view(b, t, -1)

        # a moment later, the first picture under another light: what an arrival has to stand
        changed = sampler.windows(begin, rng).pictures[:, 0].to(device)
        seen = torch.cat([model.encoder(p.float()) for p in changed.split(256)])
        apart = ((seen - z[:, 1]) ** 2).mean(-1).sqrt()

        def roll(action):
            state, body, out = z[:, 0], batch.body[:, 0], []
            for k in range(t - 1):
                state, body, spread = model.dynamics.step(state, body, action[:, k],
                                                          batch.dt[:, k])
                out.append(state)
            return torch.stack(out, 1), spread

        right, _ = roll(batch.action)
        wrong, _ = roll(batch.action[torch.randperm(b)])
        error = ((right - z[:, 1:]) ** 2).mean()
        _, _, spread = model.dynamics.step(z[:, 0], batch.body[:, 0], batch.action[:, 0],
                                           batch.dt[:, 0])
        one = ((right[:, 0] - z[:, 1]) ** 2).mean()
        grid = torch.tensor([[v, w] for v in (0, .5, 1) for w in (-1, 0, 1)])
        grid = grid.to(device) * model.dynamics.twist_scale
        tried = torch.stack([model.dynamics.step(z[:, 0], batch.body[:, 0],
                                                 a.expand(b, 2), batch.dt[:, 0])[0] for a in grid])
        moved = (z[:, 1] - z[:, 0]).std()

        rows = rng.choice(sampler.rows, (4096, 1))[:, 0]
        ahead = rows + rng.integers(1, 40, len(rows))
        ahead = np.where(ahead <= d.last[rows], ahead, rows)
        ahead, rows = ahead[ahead > rows], rows[ahead > rows]
        pair = torch.cat([model.encoder(torch.from_numpy(sampler.images[d.frame[part]])
                                        .to(device).permute(0, 3, 1, 2).float())
                          for part in np.array_split(np.concatenate([rows, ahead]), 32)])
        a, c = pair[:len(rows)], pair[len(rows):]
        latent = ((a - c) ** 2).mean(-1).cpu().numpy()
        pose = torch.from_numpy(d.pose)
        true = relative(pose[rows], pose[ahead]).numpy()
        away = np.hypot(true[:, 0], true[:, 1]) + 0.4 * np.abs(np.arctan2(true[:, 3], true[:, 2]))
        said = relative_place(model.readings(a)[0], model.readings(c)[0]).cpu().numpy()
        off = np.hypot(*(said - true)[:, :2].T)
        turn = np.abs(np.arctan2(said[:, 3], said[:, 2]) - np.arctan2(true[:, 3], true[:, 2]))
        turn = np.minimum(turn, 2 * np.pi - turn)
        return {
            'effective_rank': effective_rank(z.flatten(0, 1)),
            'sigreg': float(np.mean([sigreg(z[:128, k]).item() for k in range(t)])),
            'rollout_vs_copy_last': float(error / ((z[:, :1] - z[:, 1:]) ** 2).mean()),
            'rollout_vs_wrong_action': float(error / ((wrong - z[:, 1:]) ** 2).mean()),
            'distance_rank_correlation': float(np.corrcoef(ranks(latent), ranks(away))[0, 1]),
            'action_sensitivity': float(tried.std(0).mean() / moved),
            'place_error_m': float(np.median(off)),
            'place_error_p95_m': float(np.percentile(off, 95)),
            'heading_error_rad': float(np.median(turn)),
            'heading_error_p95_rad': float(np.percentile(turn, 95)),
            'latent_tolerance': float(torch.quantile(apart, TOLERANCE)),
            'latent_deviation': float(z.flatten(0, 1).std(0).mean()),
            'surprise_scale': float(torch.sqrt(one)),
            'disagreement_scale': float(torch.sqrt(spread).mean()),
        }


def gate(figures: dict[str, float]) -> Gated:
    """Hold the figures against the bounds; NaN fails."""
    failures = []
    for name, (bound, side, meaning) in GATES.items():
        value = figures[name]
        if not (value > bound if side == 'above' else value < bound):
            failures.append(f'{name} is {value:.3f}, must be {side} {bound}: {meaning}')
    return Gated(figures, failures)
