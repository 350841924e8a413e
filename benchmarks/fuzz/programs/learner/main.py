"""Fit three small models to made-up data, choose the best and look at its mistakes."""

import numpy as np

from data import make_blobs, split
from metrics import SCORES, accuracy, confusion
from models import Ensemble, KNearest, Logistic, default_models
from scaling import Scaler, pipeline

SEED = 3


def guess(name, fitted, inputs):
    """What a model says of the inputs; the name is for the path."""
    return fitted.predict(inputs)


features, labels = make_blobs(60, SEED)  # dds: /learn/data
train, test = split(features, labels, share=0.7)  # dds: /learn/split
scaler = Scaler().fit(train[0])  # dds: /learn/scaler
print("mean", np.round(scaler.mean, 3).tolist())
prepare = pipeline(scaler.transform, np.tanh)
train_x = prepare(train[0])  # dds: /learn/train
test_x = prepare(test[0])  # dds: /learn/test
scores = {}
models = default_models()
for name in models:
    fitted = models[name].fit(train_x, train[1])  # dds: /learn/model/{name}
    guesses = guess(name, fitted, test_x)  # dds: /learn/guesses/{name}
    scores[name] = accuracy(test[1], guesses)
    print(f"{name}: {scores[name]:.3f}")
both = Ensemble([KNearest(3), Logistic(rate=0.5, rounds=30)])
ensemble = both.fit(train_x, train[1]).predict(test_x)  # dds: /learn/ensemble
table = confusion(test[1], ensemble)  # dds: /learn/confusion.npy
print(table)
best = max(scores, key=scores.get)  # dds: /learn/best
print("best:", best)
measured = {
    name: float(score(test[1], ensemble)) for name, score in SCORES.items()
}  # dds: /learn/measured
print({name: round(value, 3) for name, value in measured.items()})
np.savetxt("confusion.txt", table, fmt="%d")
