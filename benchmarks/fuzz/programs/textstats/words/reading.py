"""How hard a text is to read."""

from functools import reduce

from . import tokens

WEIGHTS = {"sentence": 1.015, "syllable": 84.6, "base": 206.835}


def syllables(word):
    groups = reduce(_group, word, (0, False))[0]
    if word.endswith("e") and groups > 1:
        groups -= 1
    return max(groups, 1)


def _group(state, letter):
    count, inside = state
    vowel = letter in "aeiouy"
    return count + (vowel and not inside), vowel


def readability(text):
    words = tokens.tokenize(text)
    lines = list(tokens.sentences(text))
    per_sentence = len(words) / len(lines)
    per_word = sum(map(syllables, words)) / len(words)
    base, each = WEIGHTS["base"], WEIGHTS["sentence"]
    return base - each * per_sentence - WEIGHTS["syllable"] * per_word
