"""Which words count."""

STOP_WORDS = {"a", "and", "the", "in", "of", "her", "she", "him", "is", "as", "by"}
STOP_WORDS |= {"you", "are", "your"}


def make_filter(stop, minimum=1):
    seen_too_often = frozenset(stop)

    def keep(word):
        return word not in seen_too_often and len(word) >= minimum

    return keep
