"""Three classifiers with one interface."""

import copy

import numpy as np

from metrics import vote

LEARNING = {"rate": 0.2, "rounds": 20}


class Model:
    def fit(self, features, labels):
        fitted = copy.copy(self)
        fitted._fit(features, labels)
        return fitted

    def _fit(self, features, labels):
        raise NotImplementedError(type(self).__name__)

    def predict(self, features):
        return np.array([self._one(row) for row in features])


class KNearest(Model):
    def __init__(self, count=1):
        self.count = count

    def _fit(self, features, labels):
        self.features = features.copy()
        self.labels = labels.copy()

    def _one(self, row):
        distances = np.square(self.features - row).sum(axis=1)
        nearest = np.argsort(distances, kind="stable")[: self.count]
        return vote(self.labels[nearest].tolist())


class Logistic(Model):
    def __init__(self, rate=None, rounds=None):
        self.rate = rate or LEARNING["rate"]
        self.rounds = rounds or LEARNING["rounds"]

    def _fit(self, features, labels):
        inputs = with_bias(features)
        self.weights = np.zeros(inputs.shape[1])
        for _ in range(self.rounds):
            error = sigmoid(inputs @ self.weights) - labels
            self.weights = self.weights - self.rate * inputs.T @ error / len(labels)

    def _one(self, row):
        return int(sigmoid(with_bias(row[None]) @ self.weights)[0] > 0.5)


class Constant(Model):
    def _fit(self, features, labels):
        self.label = vote(list(labels))

    def predict(self, features):
        return np.full(len(features), self.label)


class Ensemble(Model):
    def __init__(self, models):
        self.models = models

    def _fit(self, features, labels):
        self.models = [model.fit(features, labels) for model in self.models]

    def _one(self, row):
        return vote([model.predict(row[None])[0] for model in self.models])


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def with_bias(features):
    return np.hstack([features, np.ones((len(features), 1))])


def default_models():
    return {"nearest": KNearest(5), "logistic": Logistic(), "constant": Constant()}
