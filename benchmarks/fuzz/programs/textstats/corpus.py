"""Texts, by name."""

FABLE = (
    "A crow sat in a tall tree. She held a piece of cheese in her beak! "
    "A hungry fox came walking by, and the smell of the cheese stopped him. "
    '"How beautiful you are," said the fox; "is your singing as beautiful?" '
    "The flattered crow opened her beak. Down fell the cheese."
)
RHYME = "One, two, three. Four and five!"

_texts = {"fable": FABLE}
_texts["rhyme"] = RHYME


def load(name):
    def normal(text):
        return " ".join(text.split())

    return normal(_texts[name])
