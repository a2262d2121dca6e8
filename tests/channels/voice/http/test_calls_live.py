"""Whole calls over real HTTP: the service rings, people do this and that, and the rows tell how it ended."""

from __future__ import annotations

import random

from django.test import Client

from sentinel.calls.models import CallStep, PlacedCall
from sentinel.channels.voice.sender import VoiceSender
from sentinel.workflows.place_call import place_call
from sentinel.workflows.test_call import place_test_call
from tests.channels.voice.http.desk import CALLER, Desk, Person, end_of, intent
from tests.channels.voice.http.ledger import signed
from tests.fakes.twilio_calls import Callback

BUSY, SILENT, UNKNOWN = Person(does="is busy"), Person(does="lets it ring"), Person(does="is unknown")
CLUMSY, HURRIED = Person(presses=("5", "1")), Person(presses=("5", "5"))
#: Who does what → how it ends, and whether it counts as a try to reach the worker.
ENDINGS = {
    "they talk until the worker hangs up": ((Person(), Person(talks=90)), ("completed", "", 90), False),
    "they talk until the owner hangs up": (
        (Person(leaves="while talking"), Person(talks=45)),
        ("completed", "", 45),
        False,
    ),
    "the worker talks": ((Person(), BUSY), ("busy", "worker", 0), True),
    "the worker does not answer": ((Person(), SILENT), ("no_answer", "worker", 0), True),
    "the worker's number leads nowhere": ((Person(), UNKNOWN), ("unreachable", "worker", 0), True),
    "the owner talks": ((BUSY, Person()), ("busy", "owner", 0), False),
    "the owner does not answer": ((SILENT, Person()), ("no_answer", "owner", 0), False),
    "the owner's number leads nowhere": ((UNKNOWN, Person()), ("unreachable", "owner", 0), False),
    "voicemail answers for the owner": ((Person(presses=()), Person()), ("no_answer", "owner", 0), False),
    "the owner hangs up in the whisper": (
        (Person(leaves="in the whisper"), Person()),
        ("no_answer", "owner", 0),
        False,
    ),
    "the owner presses the 5, then the 1": ((CLUMSY, Person()), ("completed", "", 60), False),
    "the owner presses the 5 twice": ((HURRIED, Person()), ("no_answer", "owner", 0), False),
    "the owner hangs up while it rings": (
        (Person(leaves="while it rings"), Person()),
        ("cancelled", "owner", 0),
        False,
    ),
}  # fmt: skip


def test_each_ending_is_told_as_it_was(desk: Desk) -> None:
    found = {}
    for name, (people, _, _) in ENDINGS.items():
        desk.people(*people)
        call = desk.call()
        found[name] = (end_of(call), call.outcome is not None)
    assert found == {name: (end, was_tried) for name, (_, end, was_tried) in ENDINGS.items()}
    assert {status for _, status in desk.twilio.web.kept} == {200, 204}


def test_the_worker_s_telephone_rings_only_after_a_person_pressed_1(desk: Desk) -> None:
    desk.people(Person(presses=()))
    desk.call()
    assert not [leg for leg in desk.twilio.calls.values() if leg.parent]
    # Twice, for whoever was still putting the telephone to the ear; and nobody is told that nobody answered.
    assert (
        desk.twilio.web.said
        == [
            ("Olena Kovalenko aus Kyiv: Der Drucker frisst Papier & <Nerven>.", "de-DE"),
            ("Drücken Sie die 1, um verbunden zu werden.", "de-DE"),
        ]
        * 2
    )

    desk.people(Person(), BUSY)
    call = desk.call()
    assert desk.twilio.web.said[6:] == [("Die Leitung ist besetzt.", "de-DE")]
    assert list(CallStep.objects.filter(call=call, is_news=True).values_list("state", flat=True)) == [
        "dialing_owner",
        "owner_rings",
        "owner_answered",
        "dialing_worker",
        "worker_rings",
        "ended",
    ]
    (leg,) = (leg for leg in desk.twilio.calls.values() if leg.parent)
    assert (leg.to, leg.caller, leg.ring_seconds) == (call.worker_number, "+4930999", 30)


def test_a_machine_at_the_worker_s_is_no_talk_where_it_is_listened_for(desk: Desk) -> None:
    desk.people(Person(), Person(is_machine=True))
    assert end_of(desk.call()) == ("completed", "", 60)  # nobody listened

    desk.voice = desk.again(finds_machines=True)
    call = desk.call()
    assert end_of(call) == ("machine", "worker", 0)
    assert call.bridged_at is None
    assert call.outcome is not None
    assert {leg.status for leg in list(desk.twilio.calls.values())[-2:]} == {"completed"}

    # The service does not always listen: then people hang up, and the machine is still one.
    call = desk.place()
    desk.twilio.play(desk.newest, until="they talk")
    desk.twilio.faults.append(503)
    desk.twilio.play(desk.newest)
    assert end_of(call) == ("machine", "worker", 0)

    desk.people(Person(), Person(talks=30))
    call = desk.call()
    assert end_of(call) == ("completed", "", 34)
    assert call.bridged_at is not None
    assert {status for _, status in desk.twilio.web.kept} == {200, 204}


def test_hanging_up_ends_a_call_wherever_it_is(desk: Desk) -> None:
    ends = {}
    for point in ("queued", "the owner's telephone rings", "the worker's telephone rings", "they talk"):
        call = desk.place()
        desk.twilio.play(desk.newest, until=point)
        desk.voice.hang_up(desk.newest)
        desk.twilio.play(desk.newest)
        ends[point] = end_of(call)
        desk.voice.hang_up(desk.newest)  # once more does nothing
    assert ends == {
        "queued": ("cancelled", "owner", 0),
        "the owner's telephone rings": ("cancelled", "owner", 0),
        "the worker's telephone rings": ("cancelled", "owner", 0),
        "they talk": ("completed", "", 0),
    }
    assert {leg.status for leg in desk.twilio.calls.values()} <= {"canceled", "completed", "no-answer"}


def test_reports_that_come_late_doubled_and_in_any_order_lead_to_the_same_end(desk: Desk) -> None:
    shuffle, found, expected = random.Random(1).shuffle, {}, {}
    for name in (
        "they talk until the owner hangs up",
        "the worker does not answer",
        "the owner hangs up while it rings",
        "the owner does not answer",
    ):
        people, expected[name], _ = ENDINGS[name]
        desk.people(*people)
        desk.twilio.web.is_holding = True
        call = desk.place()
        desk.twilio.play(desk.newest)
        desk.twilio.web.is_holding = False
        reports = desk.twilio.web.held * 2
        desk.twilio.web.held.clear()
        shuffle(reports)
        for report in reports:
            desk.twilio.web.tell(report)
        found[name] = end_of(call)
        assert call.steps.count() == len(set(call.steps.values_list("event_id", flat=True)))
    assert found == expected


def test_whoever_answers_a_call_that_is_no_longer_wanted_hears_nothing(desk: Desk) -> None:
    call = desk.place()
    desk.twilio.play(desk.newest, until="the owner's telephone rings")
    PlacedCall.objects.filter(pk=call.pk).update(hang_up_asked_at=desk.world.now)
    desk.twilio.play(desk.newest)
    assert desk.twilio.web.said == []
    assert len(desk.twilio.calls) == 1
    assert end_of(call) == ("cancelled", "owner", 0)

    # Nor does a second call of the same placing ring anybody, or end the first one.
    call = desk.place()
    desk.twilio.play(desk.newest, until="queued")
    PlacedCall.objects.filter(pk=call.pk).update(provider_ref="CA-the-first")
    desk.twilio.play(desk.newest)
    assert desk.twilio.web.said == []
    call.refresh_from_db()
    assert call.is_going_on


def test_nobody_else_can_say_anything_about_a_call(desk: Desk, client: Client) -> None:
    call, other = desk.place(), "00000000-0000-4000-8000-000000000000"
    leg = desk.twilio.calls[desk.newest]
    path = leg.callback.removeprefix(desk.settings.base_url)
    fields = {"CallSid": leg.sid, "CallStatus": "busy", "AccountSid": desk.settings.account}

    unsigned = client.post(path, fields)
    assert (unsigned.status_code, unsigned.content) == (403, b"")
    assert client.get(path).status_code == 405
    assert client.post(path, {"x": "x" * 20_000}).status_code == 413
    assert client.post(path, b"\xff\xfe", content_type="text/plain").status_code in (403, 404)

    # The public address is what is signed, whatever name a proxy calls us by.
    ringing = signed(Callback(leg.callback, {**fields, "CallStatus": "ringing"}))
    passed_on = client.post(
        path,
        ringing["body"],
        content_type="application/x-www-form-urlencoded",
        headers={**ringing["headers"], "host": "127.0.0.1"},
    )
    assert passed_on.status_code == 204
    CallStep.objects.all().delete()

    desk.people(SILENT)
    desk.twilio.web.token = "the token of somebody else"
    desk.twilio.play(leg.sid, until="the owner's telephone rings")
    desk.twilio.web.token = desk.settings.token
    assert [status for _, status in desk.twilio.web.kept] == [403, 403]

    leg.callback = leg.callback.replace(call.key, other)
    desk.twilio.play(leg.sid)
    assert desk.twilio.web.kept[-1][1] == 404
    assert not CallStep.objects.exists()


def test_each_report_is_about_the_call_in_its_own_address(desk: Desk) -> None:
    call = desk.wish()
    # Another Sentinel at the same account, with secrets of its own, that names our address and our call.
    stranger = desk.again(secrets=("the secret of another one",))
    stranger.place(intent(call.key), desk.world.now)
    desk.twilio.play(desk.newest)
    assert {status for _, status in desk.twilio.web.kept} == {404}
    call.refresh_from_db()
    assert call.state == "requested"
    stranger.close()


def test_a_press_in_the_console_ends_in_an_outcome_that_counts(desk: Desk) -> None:
    world = desk.world
    world.voice = VoiceSender(desk.voice, caller_id=CALLER)
    desk.people(Person(), BUSY)
    call = place_call(problem_id=desk.problem.pk, user=world.maria, now=world.now)
    world.tick()
    desk.twilio.play(desk.newest)
    assert end_of(call) == ("busy", "worker", 0)
    assert call.outcome is not None
    assert call.provider_ref == desk.newest
    assert "Olena Kovalenko" in desk.twilio.web.said[0][0]


def test_an_end_that_nobody_could_report_is_asked_for(desk: Desk) -> None:
    world = desk.world
    world.voice = VoiceSender(desk.voice, caller_id=CALLER)
    ends = []
    for worker in (Person(talks=40), SILENT):
        desk.people(Person(), worker)
        call = place_call(problem_id=desk.problem.pk, user=world.maria, now=world.now)
        world.tick()
        # Sentinel's web server answers what it is asked, and hears nothing of what it is told.
        desk.twilio.web.is_holding = True
        desk.twilio.play(desk.newest, until="the worker's telephone rings")
        desk.twilio.web.token = "so that the last question is lost as well"
        desk.twilio.play(desk.newest)
        desk.twilio.web.token = desk.settings.token
        world.advance(seconds=35)
        ends.append(end_of(call))
    assert ends == [("completed", "", 40), ("no_answer", "worker", 0)]


def test_an_answer_that_was_lost_rings_one_telephone_only(desk: Desk) -> None:
    world = desk.world
    world.voice = VoiceSender(desk.voice, caller_id=CALLER)
    desk.twilio.faults.append("lose the answer")
    call = place_call(problem_id=desk.problem.pk, user=world.maria, now=world.now)
    world.tick()
    world.tick()
    assert len(desk.twilio.calls) == 1
    desk.twilio.play(desk.newest)
    assert end_of(call) == ("completed", "", 60)


def test_a_test_that_was_answered_is_told_as_answered_by_the_web_that_placed_nothing(desk: Desk) -> None:
    world = desk.world
    world.voice = VoiceSender(desk.again(), caller_id=CALLER)  # the engine's own; the web has another
    desk.people(Person(presses=()), SILENT)
    place_test_call(user=world.maria, now=world.now)
    world.tick()
    desk.twilio.play(desk.newest)
    world.tick()
    told = [m.payload["title"] for m in world.notices(world.maria) if m.kind == "call.tested"]
    assert told == ["Your telephone works"]
