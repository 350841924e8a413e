"""Data out of a seeded generator."""

import numpy as np

CENTRES = np.array([[0.0, 0.0], [1.5, 1.0], [-1.0, 2.0]])
SPREAD = 0.6


def make_blobs(count, seed):
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % len(CENTRES)
    noise = generator.normal(scale=SPREAD, size=(count, CENTRES.shape[1]))
    return CENTRES[labels] + noise, (labels > 0).astype(int)


def split(features, labels, share=0.5, seed=1):
    order = np.random.default_rng(seed).permutation(len(labels))
    cut = int(len(labels) * share)
    first, second = order[:cut], order[cut:]
    return (features[first], labels[first]), (features[second], labels[second])
