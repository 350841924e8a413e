"""A rough stemmer."""

from .cache import cached

SUFFIXES = ("ing", "ed", "ful", "s")
VOWELS = frozenset("aeiou")


@cached(size=64)
def stem(word):
    for suffix in SUFFIXES:
        root = word.removesuffix(suffix)
        if root != word and has_vowel(root) and len(root) > 2:
            return undouble(root)
    return word


def has_vowel(word):
    return any(letter in VOWELS for letter in word)


def undouble(word, keep="ls"):
    if word[-1] == word[-2] and word[-1] not in keep:
        return word[:-1]
    return word
