"""From a person's name to a user id that is the same on every machine."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

from strapline.errors import CommandError

_LONGEST: Final = 64
#: Latin letters that Unicode does not take apart into a base letter and a mark.
_WITHOUT_PARTS: Final = str.maketrans(
    {
        "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "ł": "l",
        "ŋ": "n", "þ": "th", "ŧ": "t",
    }
)  # fmt: skip


def user_id(name: str) -> str:
    """``Maren Holt`` → ``maren-holt``, ``Tomás Reyes`` → ``tomas-reyes``.

    A name in which nothing is Latin gets an id from its hash, so that it is always the same.

    Raises:
        CommandError: the name is empty, or has control characters.
    """
    name = cleaned(name)
    letters = unicodedata.normalize("NFKD", name.casefold().translate(_WITHOUT_PARTS))
    letters = "".join(letter for letter in letters if not unicodedata.combining(letter))
    words = re.findall(r"[a-z0-9]+", letters)
    slug = "-".join(words)[:_LONGEST].strip("-")
    latin = sum(len(word) for word in words)
    whole = sum(letter.isalnum() for letter in letters)
    if latin * 2 > whole:
        return slug
    return f"person-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def cleaned(name: str) -> str:
    """A name as it is kept: as it was given, without blanks around it.

    Raises:
        CommandError: it is empty, too long, or has control characters.
    """
    name = unicodedata.normalize("NFC", name.strip())
    if not name:
        raise CommandError("A person's name is empty. Give one, such as --user 'Maren Holt'.")
    if len(name) > _LONGEST * 2 or any(unicodedata.category(one) == "Cc" for one in name):
        raise CommandError(
            f"A person's name is over {_LONGEST * 2} characters long, or has control characters "
            "in it. Give a plain one."
        )
    return name
