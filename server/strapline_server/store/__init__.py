"""The server's database: the only importer of SQLite here. :class:`Store` is its whole surface."""

from strapline_server.store.commit import Change, Outcome, Work
from strapline_server.store.people import Grant, User
from strapline_server.store.reading import UserView, View
from strapline_server.store.store import Store

__all__ = ["Change", "Grant", "Outcome", "Store", "User", "UserView", "View", "Work"]
