"""The server's database: the only importer of SQLite here. :class:`Store` is its whole surface."""

from strapline_server.store.commit import Outcome, Work
from strapline_server.store.copies import Copied, back_up, put_back
from strapline_server.store.erasing import Erased, Holdings
from strapline_server.store.facts import Facts
from strapline_server.store.notes import HOST, Note, NoteStored, check_note
from strapline_server.store.people import Grant, User
from strapline_server.store.reading import UserView, View
from strapline_server.store.saying import Said, Saying
from strapline_server.store.sources import MOST_ORDERED, KnownDevice, KnownSource
from strapline_server.store.store import Store
from strapline_server.store.telling import Change
from strapline_server.store.verifying import Progress, verify_all

__all__ = [
    "HOST",
    "MOST_ORDERED",
    "Change",
    "Copied",
    "Erased",
    "Facts",
    "Grant",
    "Holdings",
    "KnownDevice",
    "KnownSource",
    "Note",
    "NoteStored",
    "Outcome",
    "Progress",
    "Said",
    "Saying",
    "Store",
    "User",
    "UserView",
    "View",
    "Work",
    "back_up",
    "check_note",
    "put_back",
    "verify_all",
]
