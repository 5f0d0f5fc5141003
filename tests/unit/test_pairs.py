"""Blind comparisons of two answers: the pages, verdicts, standings and exports."""

import csv
import io
import json
import re

import pytest
from django.test import Client
from django.urls import reverse

from chat.admin.pairs import pair_url
from chat.management.commands.rerun_stream import link
from chat.models import AuditEntry, PairVerdict, Stream, StreamRerun, User
from chat.verdicts import pairs
from chat.verdicts.pairs import Outcome, Pair
from tests.unit.test_admin import answer, ask, staff
from tests.unit.test_verdicts import reviewer, session, signed_in

pytestmark = pytest.mark.django_db
LIST = "admin:chat_pairverdict_changelist"


@pytest.fixture
def pair() -> Pair:
    """A question of ana's that two models answered, one of them when it was asked again by the operator."""
    ana, olga = User.objects.create(username="ana"), User.objects.create(username="olga")
    first = answer(ask(ana.conversations.create(), "Why?"), "Because. ", model="tiny").stream
    again = answer(ask(olga.conversations.create(), "Why?"), "Since. ", model="large").stream
    StreamRerun.objects.create(stream=again, original=first)
    return Pair.of(first, again)


def filed(pair: Pair, by: User, outcome: str, note: str = "") -> PairVerdict:
    """A verdict for what was meant, wherever it stood."""
    sides = {"one": "left", "other": "right"} if pair.one_is_left(by) else {"one": "right", "other": "left"}
    return pair.file(by, sides.get(outcome, outcome), note)


def page_of(client: Client, pair: Pair, query: str = "") -> str:
    return client.get(pair_url(*pair) + query).content.decode()


def test_a_pair_is_the_same_in_both_orders(pair: Pair) -> None:
    assert Pair.of(pair.other, pair.one) == pair
    assert pair.one.pk < pair.other.pk
    assert pair_url(pair.other, pair.one) == pair_url(pair.one, pair.other)


def test_the_sides_are_by_chance_for_each_reviewer_and_stay(pair: Pair) -> None:
    reviewers = [User(pk=number) for number in range(1, 101)]
    sides = [pair.one_is_left(each) for each in reviewers]
    assert 25 < sum(sides) < 75
    assert sides == [pair.one_is_left(each) for each in reviewers]


@pytest.mark.parametrize("one_is_left", [True, False])
def test_left_and_right_mean_the_answers_that_stood_there(pair: Pair, one_is_left: bool) -> None:
    people = (User.objects.create(username=f"r{number}") for number in range(100))
    rea = next(each for each in people if pair.one_is_left(each) == one_is_left)
    outcomes = [pair.file(rea, said, "").outcome for said in ("left", "right", "tie", "bad")]
    better = [Outcome.ONE, Outcome.OTHER] if one_is_left else [Outcome.OTHER, Outcome.ONE]
    assert outcomes == [*better, Outcome.TIE, Outcome.BAD]
    assert set(PairVerdict.objects.values_list("one_was_left", flat=True)) == {one_is_left}


def test_nobody_is_told_whose_an_answer_is_before_the_verdict(pair: Pair) -> None:
    rea, otto = reviewer(), reviewer("otto")
    filed(pair, otto, "one", "otto's note")
    page = page_of(signed_in(rea), pair)
    content = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page[page.index('<div id="content-main"') :])
    assert "Why?" in content
    assert content.index("Because.") != content.index("Since.")
    assert (content.index("Because.") < content.index("Since.")) == (
        pair.one_is_left(rea) == (pair.one.model == "tiny")
    )
    for told in ("tiny", "large", "otto", str(pair.one.pk)[-12:], str(pair.other.pk)[-12:]):
        assert told not in content, told


def test_a_verdict_is_filed_and_then_it_is_told_which_was_which(pair: Pair) -> None:
    rea, otto = reviewer(), reviewer("otto")
    filed(pair, otto, "tie")
    client = signed_in(rea)
    response = client.post(pair_url(*pair), {"choice": "left", "note": "shorter"}, follow=True)
    page = response.content.decode()
    left, right = pair if pair.one_is_left(rea) else pair[::-1]

    assert response.redirect_chain == [(pair_url(*pair), 302)]
    assert f"<h2>Left: {left.model_id}</h2>" in page
    assert f"<h2>Right: {right.model_id}</h2>" in page
    assert f"rea: {left.model_id} (…{str(left.pk)[-12:]}) is better" in page
    assert "shorter" in page
    assert "otto: both are as good" in page


def test_a_pair_is_judged_again_and_what_was_filed_before_stays(pair: Pair) -> None:
    rea = reviewer()
    client = signed_in(rea)
    client.post(pair_url(*pair), {"choice": "left", "note": "first thought"})
    assert "local/" not in page_of(client, pair, "?again").partition('<div id="content-main"')[2]
    client.post(pair_url(*pair), {"choice": "bad", "note": "second thought"})
    page = page_of(client, pair)
    assert page.index("second thought") < page.index("first thought")
    (newest,) = pairs.latest()
    assert newest.outcome == Outcome.BAD


@pytest.mark.parametrize("said", [{}, {"choice": "one"}, {"choice": "left", "note": "x" * 4_001}], ids=str)
def test_what_is_no_verdict_on_a_pair_is_said_on_the_page(pair: Pair, said: dict[str, str]) -> None:
    response = signed_in(reviewer()).post(pair_url(*pair), said)
    assert "errorlist" in response.content.decode()
    assert not PairVerdict.objects.exists()


def test_the_list_has_the_reruns_that_the_reviewer_has_not_judged(pair: Pair) -> None:
    rea, otto = reviewer(), reviewer("otto")
    filed(pair, otto, "one")
    assert [row.stream_id for row in pairs.waiting(rea)] == [StreamRerun.objects.get().stream_id]
    assert not pairs.waiting(otto)
    assert pair_url(*pair).count("-") > 0
    assert signed_in(rea).get(reverse(LIST)).content.decode().count("Compare …") == 1
    assert "Nothing waits here" in signed_in(otto).get(reverse(LIST)).content.decode()


def test_an_answer_that_was_generated_again_is_compared_and_one_to_another_question_is_not(pair: Pair) -> None:
    again = answer(pair.one.answer.parent, "Hence. ").stream
    stranger = answer(ask(pair.one.conversation, "When?")).stream
    client = signed_in(reviewer())
    assert client.get(pair_url(pair.one, again)).status_code == 200
    assert client.get(pair_url(pair.one, stranger)).status_code == 404
    assert client.get(pair_url(pair.one, pair.one)).status_code == 404


def test_who_may_not_read_texts_or_file_compares_nothing(pair: Pair) -> None:
    look = ("view_conversation", "view_stream", "view_verdict")
    assert staff(*look).get(pair_url(*pair)).status_code == 403
    assert staff("view_verdict", "read_texts").get(pair_url(*pair)).status_code == 403
    assert staff("view_stream").get(reverse(LIST)).status_code == 403
    reader = staff(*look, "read_texts")
    assert 'class="verdict"' not in page_of(reader, pair)
    assert reader.post(pair_url(*pair), {"choice": "left"}).status_code == 403
    assert not PairVerdict.objects.exists()


def test_both_sessions_are_in_the_audit_log(pair: Pair) -> None:
    page_of(signed_in(reviewer()), pair)
    targets = AuditEntry.objects.values_list("target", flat=True)
    assert {str(each.pk) for each in pair} == {target.split()[1] for target in targets}


def test_each_page_of_a_rerun_leads_to_its_original_and_back(pair: Pair) -> None:
    again, original = StreamRerun.objects.get().stream, StreamRerun.objects.get().original
    client = signed_in(reviewer())
    for stream, word in ((again, "Asked again what"), (original, "Asked again:")):
        for address in (reverse("admin:chat_stream_change", args=[stream.pk]), session(stream)):
            page = client.get(address).content.decode()
            assert word in page
            assert reverse("admin:chat_stream_beside", args=[original.pk, again.pk]) in page
    listed = client.get(reverse("admin:chat_stream_changelist")).content.decode()
    assert listed.count(reverse("admin:chat_stream_beside", args=[original.pk, again.pk])) == 1


def test_a_rerun_is_kept_where_both_streams_are_here(pair: Pair) -> None:
    StreamRerun.objects.all().delete()
    one, other = map(str, (pair.one.pk, pair.other.pk))
    assert link(one, other) == link(one, other) == reverse("admin:chat_stream_beside", args=[one, other])
    assert link(one, "01a21afb-854d-7889-a308-8bc7ea9292b4") == link("", other) == ""
    assert [(row.original, row.stream) for row in StreamRerun.objects.all()] == [(pair.one, pair.other)]


def test_what_was_found_is_counted_model_by_model_in_one_order(pair: Pair) -> None:
    turned = Pair.of(*(answer(pair.one.answer.parent, model=name).stream for name in ("large", "tiny")))
    rea, otto = reviewer(), reviewer("otto")
    for each in (pair, turned):
        tiny = "one" if each.one.model == "tiny" else "other"
        filed(each, rea, tiny)
        filed(each, otto, "tie")
    (found,) = pairs.standings(pairs.latest())
    assert found.row == ("local/large", "local/tiny", 0, 2, 2, 0)


def test_how_often_the_left_one_won_is_told(pair: Pair) -> None:
    assert pairs.left_share([]) is None
    rows = [PairVerdict(outcome=Outcome.ONE, one_was_left=left) for left in (True, True, True, False)]
    assert pairs.left_share([*rows, PairVerdict(outcome=Outcome.TIE, one_was_left=True)]) == 0.75


def test_the_scores_of_a_pair_go_with_both_streams(pair: Pair) -> None:
    rea = reviewer()
    filed(pair, rea, "one", "Shorter.")
    body = signed_in(rea).get(reverse("admin:chat_verdict_scores")).content.decode()
    one, other = (json.loads(line) for line in body.splitlines())
    assert [(each["traceId"], each["value"], each["dataType"]) for each in (one, other)] == [
        (str(pair.one.pk), "better", "CATEGORICAL"),
        (str(pair.other.pk), "worse", "CATEGORICAL"),
    ]
    assert one["id"] != other["id"]
    assert one["metadata"]["against"] == str(pair.other.pk)
    assert {one["metadata"]["shown"], other["metadata"]["shown"]} == {"left", "right"}
    assert (one["comment"], "comment" in other) == ("Shorter.", False)


def test_the_table_of_pairs_holds_no_formula(pair: Pair) -> None:
    rea = reviewer()
    filed(pair, rea, "other", "=1+1")
    body = signed_in(rea).get(reverse("admin:chat_pairverdict_table")).content.decode()
    (row,) = csv.DictReader(io.StringIO(body))
    assert (row["one"], row["other"], row["better"], row["note"]) == (
        str(pair.one.pk),
        str(pair.other.pk),
        "other",
        "'=1+1",
    )
    assert row["left"] == ("one" if pair.one_is_left(rea) else "other")


def test_nothing_of_a_pair_keeps_its_streams_from_being_deleted(pair: Pair) -> None:
    filed(pair, reviewer(), "bad")
    Stream.objects.filter(pk__in=[each.pk for each in pair]).delete()
    assert not PairVerdict.objects.exists()
    assert not StreamRerun.objects.exists()
