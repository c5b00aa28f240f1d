"""Features of a normal distribution."""

import numpy as np


def normal(count, width=6, seed=0, shift=0.0):
    return np.random.default_rng(seed).normal(shift, size=(count, width))


def exactly(mean, covariance, count, seed=0):
    """Features [count, d] that have just this mean and covariance: random ones, whitened, then coloured."""
    noise = normal(count, len(mean), seed)
    noise -= noise.mean(axis=0)
    white = np.linalg.solve(np.linalg.cholesky(np.cov(noise, rowvar=False)), noise.T)
    return (np.linalg.cholesky(covariance) @ white).T + mean
