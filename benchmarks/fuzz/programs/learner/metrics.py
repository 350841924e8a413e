"""How good guesses are."""

import numpy as np

SCORES = {}


def score(function):
    SCORES[function.__name__] = function
    return function


@score
def accuracy(truth, guesses):
    return float((truth == guesses).mean())


@score
def precision(truth, guesses):
    chosen = guesses == 1
    return (truth[chosen] == 1).mean() if chosen.any() else 0.0


@score
def recall(truth, guesses, positive=1):
    wanted = truth == positive
    return (guesses[wanted] == positive).mean()


def vote(labels):
    return max(sorted(set(labels)), key=labels.count)


def confusion(truth, guesses, size=2):
    table = np.zeros((size, size), dtype=int)
    for expected, given in zip(truth, guesses):
        table[expected, given] += 1
    return table
