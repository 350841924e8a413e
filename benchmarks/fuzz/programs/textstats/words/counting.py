"""How often, how long."""

from collections import Counter

from .tokens import sentences, tokenize


def count(tokens):
    return dict(Counter(tokens))


def sentence_lengths(text):
    for sentence in sentences(text):
        length = len(tokenize(sentence))
        if length < 2:
            continue
        yield length
