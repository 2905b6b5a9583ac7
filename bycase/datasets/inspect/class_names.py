"""What classes are called in this field, and which of two is looked for."""

import re
from collections.abc import Sequence

from bycase.datasets.layouts.naming import plain

# Any of them, alone or in a longer name, speaks for a class.
_CLASS_WORDS = (
    "benign malignant normal abnormal cancer cancerous noncancer tumor tumour healthy lesion carcinoma "
    "adenocarcinoma adenoma melanoma nevus nv mel bcc bkl akiec vasc df scc positive negative pos neg yes no true "
    "false idc invasive insitu situ dysplasia metastasis glioma meningioma pituitary notumor stroma lymphocyte "
    "squamous control disease diseased covid pneumonia adipose mucus muscle debris polyp "
    "benigno benigna maligno maligna benin bénin benigne bénigne malin maligne gutartig bösartig benigni maligni "
)
CLASS_WORDS = frozenset(_CLASS_WORDS.split())
# Of two classes the one that is looked for, those that say it best first.
_POSITIVE_WORDS = (
    "malignant maligno maligna maligni malin maligne bösartig cancer cancerous tumor tumour carcinoma melanoma mel "
    "positive pos abnormal yes true disease diseased 1 "
)
POSITIVE_WORDS = tuple(_POSITIVE_WORDS.split())
CLASS_LETTERS = frozenset("BM")  # benign and malignant, where they stand alone
_WORD = re.compile(r"[^\W\d_]+")


def class_words(name: str) -> list[str]:
    """The words and letters of a file's name that name a class, as they are written."""
    return [each for each in _WORD.findall(name) if plain(each) in CLASS_WORDS or each in CLASS_LETTERS]


def words_of(name: str) -> set[str]:
    """The words of a name, in small letters."""
    return set(_WORD.findall(plain(name)))


def find_positive(classes: Sequence[str]) -> str | None:
    """Of two classes the one that is looked for, by its name; the last where no name says so; None of more than two."""
    if len(classes) != 2:
        return None
    for word in POSITIVE_WORDS:
        named = [
            name for name in classes if word in (words_of(name) | {name}) and not re.match(r"(?i)non|no[ _-]|not", name)
        ]
        if len(named) == 1:
            return named[0]
    return classes[-1]
