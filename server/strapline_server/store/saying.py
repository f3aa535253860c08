"""What a viewer or a host application says, within one commit: rights, rules, and the notes.

A session begins and ends, a moment is marked, a summary is given. Each becomes a note in the
server's own stream. What may not be is answered with an ERROR, and changes nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from strapline_protocol.asking import (
    EndSessionParams,
    MarkParams,
    MarkResult,
    SessionResult,
    StartSessionParams,
)
from strapline_protocol.base import WireModel
from strapline_protocol.metrics import MARK, SESSION
from strapline_protocol.opening import Error, ErrorCode, Role
from strapline_protocol.series import Series
from strapline_protocol.watching import Mark, Position, Session
from strapline_server.errors import NoteError
from strapline_server.state import AHEAD_MS
from strapline_server.store.accounts import Accounts
from strapline_server.store.database import Transaction
from strapline_server.store.notes import (
    OWNER,
    VIEWER,
    Note,
    NoteStored,
    fold_notes,
    own_zero,
    session_of,
    to_series,
)
from strapline_server.store.people import Grant, User, find_user
from strapline_server.store.streams import StreamRow, add_stream, device_key_of, find_stream

#: What can be said: a note as it is, or what becomes one by the rules here.
Said = Note | StartSessionParams | EndSessionParams | MarkParams
#: Numbers of the server's own stream, and the positions that viewers are told them with.
Positions = Mapping[int, Position]
#: The answer, once the positions are known.
Draft = Callable[[Positions], WireModel]

_NOT_GRANTED: Final = "not granted"


@dataclass(frozen=True, slots=True)
class Saying:
    """What is said, with the rights that its speaker had. No grant: the host application."""

    grant: Grant | None
    what: Said


@dataclass(frozen=True, slots=True)
class Spoken:
    """A note that is to be stored with the commit's readings."""

    user: User
    device_key: int
    stream: StreamRow
    series: Series
    at_ms: int


class Speaker:
    """What is said within one transaction.

    Attributes:
        spoken: the notes that it came to, in order.
    """

    def __init__(self, transaction: Transaction, own_stream: str) -> None:
        self.spoken: list[Spoken] = []
        self._transaction = transaction
        self._own_stream = own_stream
        self._row: StreamRow | None = None

    def carry_out(self, saying: Saying) -> Draft:
        """Do it, or refuse it: the draft of the answer."""
        try:
            return self._do(saying.grant, saying.what)
        except NoteError as error:
            refusal = Error(code=error.code, message=str(error))
            return lambda positions: refusal

    def _do(self, grant: Grant | None, what: Said) -> Draft:
        match what:
            case Note():
                user = self._user(grant, what.user, what.metric)
                self._check_time(what.at_ms)
                return self._receipt(self._say(user, what))
            case StartSessionParams():
                return self._start(self._user(grant, what.user, SESSION.name), what)
            case EndSessionParams():
                return self._end(self._user(grant, what.user, SESSION.name), what)
            case MarkParams():
                return self._mark(self._user(grant, what.user, MARK.name), what)

    def _receipt(self, seq: int) -> Draft:
        return lambda positions: NoteStored(
            stream=self._own_stream,
            seq=seq,
            position=positions[seq],
            committed_ms=self._transaction.now_ms,
        )

    # Rights and time

    def _user(self, grant: Grant | None, user: str, metric: str) -> User:
        """The user, where this speaker may say this of them."""
        if grant is not None:
            if grant.role is not Role.VIEWER or not grant.may_mark:
                raise NoteError(
                    ErrorCode.NOT_ALLOWED,
                    "this link or token may not mark. Ask for one that was made with --may-mark.",
                )
            if not grant.allows(user) or not grant.sees(metric):
                raise NoteError(ErrorCode.NOT_GRANTED, _NOT_GRANTED)
        found = find_user(self._transaction, user)
        if found is None:
            if grant is not None:
                raise NoteError(ErrorCode.NOT_GRANTED, _NOT_GRANTED)
            raise NoteError(
                ErrorCode.NOT_GRANTED,
                f"no user {user!r}. Add them first: strapline server user add {user}",
            )
        return found

    def _check_time(self, at_ms: int) -> None:
        ahead_ms = at_ms - self._transaction.now_ms
        if ahead_ms > AHEAD_MS:
            raise NoteError(
                ErrorCode.BAD_REQUEST,
                f"atMs: {_length(ahead_ms)} ahead of the server's clock. Leave it out for now, or "
                "give a moment that is past.",
            )

    def _moment(self, at_ms: int | None, earliest_ms: int = 0) -> int:
        """The one that is given; left out now, or the earliest that may be."""
        if at_ms is None:
            # Where the clock was set back, what was said before it is ahead of it.
            return max(self._transaction.now_ms, earliest_ms)
        self._check_time(at_ms)
        return at_ms

    # Sessions and marks

    def _start(self, user: User, params: StartSessionParams) -> Draft:
        running, device = self._running(user)
        row = self._transaction.one("last_session_end", user_key=user.key)
        until_ms = 0 if row is None or row["until_ms"] is None else int(row["until_ms"])
        after_ms = -1 if running is None else running.start_ms
        at_ms = self._moment(params.at_ms, max(after_ms + 1, until_ms))
        if at_ms <= after_ms:
            raise NoteError(
                ErrorCode.BAD_REQUEST,
                f"atMs: {_length(after_ms - at_ms)} before the session that runs began. Begin "
                "the next one after that, or leave atMs out.",
            )
        if until_ms > at_ms:
            raise NoteError(
                ErrorCode.BAD_REQUEST,
                f"atMs: the last session went on for {_length(until_ms - at_ms)} after that. "
                "Begin the next one where it ended or later, or leave atMs out.",
            )
        if running is not None:
            self._say_session(user, running, device, at_ms)
        begun = Session(id=secrets.token_urlsafe(16), name=params.name, start_ms=at_ms, end_ms=None)
        return self._session_result(begun, self._say_session(user, begun, VIEWER, None))

    def _end(self, user: User, params: EndSessionParams) -> Draft:
        running, device = self._running(user)
        if running is None:
            raise NoteError(
                ErrorCode.BAD_REQUEST, "no session runs. Begin one first, with startSession."
            )
        at_ms = self._moment(params.at_ms, running.start_ms + 1)
        if at_ms < running.start_ms:
            raise NoteError(
                ErrorCode.BAD_REQUEST,
                f"atMs: {_length(running.start_ms - at_ms)} before the session began. Give a "
                "moment since then, or leave atMs out.",
            )
        seq = self._say_session(user, running, device, at_ms)
        return self._session_result(running.model_copy(update={"end_ms": at_ms}), seq)

    def _running(self, user: User) -> tuple[Session | None, str]:
        """The session that runs, and who said it began."""
        row = self._transaction.one("newest_sessions", user_key=user.key, most=1)
        if row is None or row["ends_ms"] is not None:
            return None, VIEWER
        return session_of(row), row["device"]

    def _say_session(self, user: User, session: Session, device: str, end_ms: int | None) -> int:
        columns = {
            "id": session.id,
            "name": session.name,
            "durationMs": None if end_ms is None else end_ms - session.start_ms,
        }
        return self._say(user, Note(user.id, SESSION.name, device, session.start_ms, columns))

    @staticmethod
    def _session_result(session: Session, seq: int) -> Draft:
        return lambda positions: SessionResult(session=session, position=positions[seq])

    def _mark(self, user: User, params: MarkParams) -> Draft:
        at_ms = self._moment(params.at_ms)
        seq = self._say(user, Note(user.id, MARK.name, VIEWER, at_ms, {"label": params.label}))
        mark = Mark(at_ms=at_ms, label=params.label)
        return lambda positions: MarkResult(
            mark=mark, stream=self._own_stream, seq=seq, position=positions[seq]
        )

    # Notes

    def _say(self, user: User, note: Note) -> int:
        """Give it the next number of the server's own stream, and fold it into what is newest."""
        stream = self._stream()
        row = self._transaction.one("next_own_number", stream_key=stream.key)
        assert row is not None, "the stream is there"
        seq = int(row["seq"])
        Accounts(self._transaction, stream.key).receive([(seq, seq)])
        series = to_series(note, seq, note.at_ms - stream.zero.anchors[0].wall_ms)
        device_key = device_key_of(self._transaction, note.device)
        spoken = Spoken(user, device_key, stream, series, note.at_ms)
        self._fold(spoken)
        self.spoken.append(spoken)
        return seq

    def fold_again(self, user_key: int, metric: str, device_key: int) -> None:
        """What is newest of these was found anew, out of what is stored: this is not yet."""
        for spoken in self.spoken:
            found = (spoken.user.key, spoken.series.metric, spoken.device_key)
            if found == (user_key, metric, device_key):
                self._fold(spoken)

    def _fold(self, spoken: Spoken) -> None:
        fold_notes(
            self._transaction,
            spoken.user.key,
            spoken.device_key,
            spoken.stream.key,
            spoken.series,
            [spoken.at_ms],
            own=True,
        )

    def _stream(self) -> StreamRow:
        """The stream of this run of the server, made with its first note."""
        if self._row is None:
            self._row = find_stream(self._transaction, self._own_stream) or add_stream(
                self._transaction, self._own_stream, OWNER, own_zero(self._transaction.now_ms)
            )
        return self._row


def _length(duration_ms: int) -> str:
    """A duration as people say it."""
    return f"{duration_ms / 1000:.0f} s" if duration_ms >= 1000 else f"{duration_ms} ms"
