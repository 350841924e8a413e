"""Words of a text: counts, sentences, readability."""

from words import *
from words import report as _report
from words.cache import clear_all

import corpus


def top(counts, n=3):
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:n]


text = corpus.load("fable")  # dds: /text/raw
tokens = tokenize(text)  # dds: /text/tokens
counts = count(tokens)  # dds: /text/counts
print(len(tokens), "tokens,", len(counts), "words")
first, *rest = top(counts, 5)  # dds: /text/top
print(first, rest)
stems = {word: stem(word) for word in sorted(counts)}  # dds: /text/stems
print(sum(word != root for word, root in stems.items()), "stemmed")
lengths = list(sentence_lengths(text))  # dds: /text/lengths
print(lengths)
score = readability(text)  # dds: /text/score
print(f"{score:.2f}")
hidden = make_filter(STOP_WORDS, minimum=4)
kept = [word for word in tokens if hidden(word)]  # dds: /text/kept
print(kept[:4])
shout = make_case("upper")
loud = [shout(word) for word in kept]  # dds: /text/loud
print(loud[-2:])
summary = _report.render(counts=counts, score=score, lengths=lengths)  # dds: /text/summary.txt
print(summary, end="")
clear_all()
