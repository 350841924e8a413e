"""Preparing features."""

from functools import reduce

import numpy as np


class Scaler:
    floor = 1e-9

    def fit(self, features):
        fitted = Scaler()
        fitted.mean = features.mean(axis=0)
        fitted.scale = np.maximum(features.std(axis=0), self.floor)
        return fitted

    def transform(self, features):
        return (features - self.mean) / self.scale


def pipeline(*functions):
    return lambda value: reduce(lambda result, function: function(result), functions, value)
