"""What the program takes by a star."""

from .cases import make_case
from .counting import count, sentence_lengths
from .filters import STOP_WORDS, make_filter
from .reading import readability
from .stems import stem
from .tokens import tokenize

__all__ = ["STOP_WORDS", "count", "make_case", "make_filter", "readability"]
__all__ += ["sentence_lengths", "stem", "tokenize"]
