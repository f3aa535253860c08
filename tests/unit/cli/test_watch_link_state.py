"""This screen's link: what is wrong, and what to do."""

from strapline.watch.link_state import LINK_REVOKED, SERVER_AWAY, Connection, trouble_of
from strapline_client.events import ConnectionStatus, Reason


def test_every_reason_has_its_words_and_a_remedy() -> None:
    for reason in Reason:
        trouble = trouble_of(reason)
        assert trouble is not None
        assert trouble.short
        assert trouble.title
        assert trouble.remedy
    assert trouble_of(None) is None


def test_only_what_a_person_must_mend_ends_it() -> None:
    lost = Connection(ConnectionStatus.RECONNECTING, SERVER_AWAY)
    assert not lost.ended
    assert Connection(ConnectionStatus.RECONNECTING, LINK_REVOKED).ended
    assert Connection(ConnectionStatus.STOPPED).ended
    assert not Connection(ConnectionStatus.CONNECTED, LINK_REVOKED).ended
    final = {
        reason
        for reason in Reason
        if Connection(ConnectionStatus.RECONNECTING, trouble_of(reason)).ended
    }
    assert final == {
        Reason.LINK_ENDED,
        Reason.LINK_REVOKED,
        Reason.BUG,
        Reason.UPGRADE_CLIENT,
        Reason.UPGRADE_SERVER,
    }
