"""The closed vocabulary of the embedded corpus and of the embedded model."""

DIGITS = tuple("zero one two three four five six seven eight nine".split())
VERBS = tuple(
    "open close start stop play move turn send call find check show save record delete".split()
)
NOUNS = tuple(
    "door window light music phone meeting report budget project team number plan question answer "
    "table water market river garden doctor school coffee paper".split()
)
ADJECTIVES = tuple("red green blue black white big small new old next last first".split())
SWITCHES = tuple("on off up down left right".split())
REPLIES = tuple("please yes no".split())
DAYS = tuple("now today tomorrow".split())
DAY_PARTS = tuple("morning evening".split())
SPANS = tuple("minute hour week".split())
PRONOUNS = tuple("we you".split())
SMALL_WORDS = tuple("the and is".split())

WORDS: tuple[str, ...] = (
    DIGITS + VERBS + REPLIES + DAYS + DAY_PARTS + SMALL_WORDS + PRONOUNS + SWITCHES
    + ADJECTIVES + NOUNS + SPANS
)  # fmt: skip
"""All 82 words, lower case. A word's index here is its identity in the training files."""
