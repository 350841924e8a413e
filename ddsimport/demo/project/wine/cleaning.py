"""From the table as measured to one that a model can learn from."""

import numpy as np

OUTLIER = 4.5  # standard deviations


def without_outliers(table):
    """Rows whose every measurement is within OUTLIER standard deviations of the mean."""
    numbers = table.drop(columns="grower")
    distance = (numbers - numbers.mean()).abs() / numbers.std()
    return table[(distance < OUTLIER).all(axis=1)]


def clean(raw):
    """Complete rows without outliers, numbered anew."""
    return without_outliers(raw.dropna()).reset_index(drop=True)


def split(table, share, seed):
    """(train, test): `share` of the rows, drawn with `seed`, are the test."""
    order = np.random.default_rng(seed).permutation(len(table))
    cut = int(len(table) * share)
    return table.iloc[order[cut:]], table.iloc[order[:cut]]
