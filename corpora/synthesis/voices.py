"""Which espeak-ng voices are for training, and which are kept from it.

A voice is a base (accent) and a variant (speaker), as in "en-us+f3". The split is by variant: every
accent occurs on both sides, no speaker does. Variants come in families that sound nearly the same
(f2 and f5; edward and the other Klatt voices; robert and rob; Michael and gustave), so a family
with one held-out member gives none to training. Whispering, croaking, echoing and robot voices, and
those whose formants no person has, are in neither set.
"""

BASES = (
    "en-us",
    "en-us-nyc",
    "en",
    "en-gb-scotland",
    "en-gb-x-rp",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
    "en-029",
)
TRAINING_VARIANTS = tuple(
    "Alex Andy AnxiousAndy Denis Diogo Gene Gene2 Henrique Hugo Jacky Mario Mike Nguyen Storm "
    "anika aunty belinda david ed f1 f3 f4 grandma grandpa iven3 iven4 john m1 m2 m3 m5 m6 m7 m8 "
    "max michel miguel pablo paul steph steph3 victor zac".split()
)
DEVELOPMENT_VARIANTS = ("Annie", "m4", "pedro")
HELD_OUT_VARIANTS = (
    "Andrea", "Michael", "antonio", "benjamin", "edward", "f2", "f5", "linda", "robert",
)  # fmt: skip


def _combine(variants: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{base}+{variant}" for variant in variants for base in BASES)


TRAINING_VOICES = BASES + _combine(TRAINING_VARIANTS)
"""Heard in training; a base alone is a voice too."""

DEVELOPMENT_VOICES = _combine(DEVELOPMENT_VARIANTS)
"""Never trained on; looked at while training, to see how it goes."""

HELD_OUT_VOICES = _combine(HELD_OUT_VARIANTS)
"""Never trained on and never looked at while training: the test set and the embedded corpus."""
