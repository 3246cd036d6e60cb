"""The form engine, hit with whatever may come: it never fails, loses nothing, and submits nothing half done."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations import engine, walk
from conversations.answers import Bounds, read
from conversations.book import from_folder
from conversations.controls import DAYS, LABELS
from conversations.draft import CANCEL, CHANGE, REVIEW, Answer, Candidate, Draft, dump, parse
from conversations.engine import Event, Facts, Turn
from conversations.form import FORMS, Form, load
from conversations.readers import Refusal
from conversations.say import messages
from conversations.words_book import Words
from tests.fakes.house import EARLIER, START

BOOK = from_folder()
VISIT, VOID = BOOK.current["visit"], BOOK.current["void"]
TODAY = START.date()
WORDS = Words()


def elder(name: str, *, due: bool, since: str = "2026-01-01") -> Candidate:
    label = {"name": name, "village": "建设村", "group": "3组", "number": 1}
    context = {"elder_id": name, "elder_name": name, "registered_on": since, "screening_due": due, "last": {}}
    return Candidate(name, label, context)


QIU, ZHANG = elder("仇大山", due=False), elder("张桂芳", due=True)
FACTS = Facts(TODAY, "王强", listing=(QIU, ZHANG))


@dataclass
class Talk:
    """One person at the form; after each step the draft is written out and read back."""

    form: Form = VISIT
    draft: Draft = field(default_factory=lambda: Draft("d" * 32, "TAG", VISIT.hash))
    now: datetime = START
    turn: Turn | None = None

    def begin(self, **answers: Any) -> "Talk":
        given = {name: Answer(value, 1, "tap") for name, value in answers.items()}
        return self._took(engine.begin(self.form, replace(self.draft, answers=given), FACTS, self.now))

    def does(self, event: Event, *found: Candidate) -> "Talk":
        self.now += timedelta(seconds=5)
        return self._took(engine.advance(self.form, self.draft, event, replace(FACTS, found=found), self.now))

    def says(self, *texts: str) -> "Talk":
        for text in texts:
            self.does(Event(text))
        return self

    def taps(self, question: str, what: str) -> "Talk":
        return self.does(Event(tap=(walk.place_of(self.form, question), what)))

    def for_qiu(self, **answers: Any) -> "Talk":
        self.draft = replace(self.draft, context=dict(QIU.context))
        return self.begin(elder="仇大山", **answers)

    def _took(self, turn: Turn) -> "Talk":
        body = dump(turn.draft)
        assert dump(parse(turn.draft.id, turn.draft.tag, turn.draft.form, body)) == body
        if turn.outcome == "ask":
            self.draft = parse(turn.draft.id, turn.draft.tag, turn.draft.form, body)
        self.turn = turn
        return self

    @property
    def said(self) -> list[str]:
        assert self.turn
        return [kind for kind, _ in self.turn.say]

    def value(self, question: str) -> Any:
        return self.draft.answers[question].value


def filled() -> dict[str, Any]:
    """All answers of a complete visit of 仇大山, without the mood screening."""
    return {name: value for name, value in EARLIER.items() if not name.startswith("screening")}


def test_the_form_begins_with_the_elder_and_knows_the_day() -> None:
    talk = Talk().begin()
    assert (talk.draft.at, talk.value("day"), talk.value("visitor_signature")) == ("elder", "2026-03-05", "name")


def test_a_chosen_elder_brings_what_is_known_of_him() -> None:
    talk = Talk().begin().does(Event(tap=("0", "张桂芳")), ZHANG)
    assert (talk.draft.at, talk.draft.context["screening_due"]) == ("method", True)


def test_several_of_a_name_are_always_asked_for() -> None:
    talk = Talk().begin().does(Event("桂"), QIU, ZHANG)
    assert (talk.said, talk.draft.at, talk.draft.context["listed"]) == (["which"], "elder", ["仇大山", "张桂芳"])


@pytest.mark.parametrize(("what", "given"), [
    ("1,3,", ["daily", "hardship"]), ("0,", ["none"]), ("0,1,", None), ("1,99,", None), (",", None), ("1,x,", None)])
def test_all_that_is_ticked_on_a_card_is_taken_at_once_or_not_at_all(what: str, given: list[str] | None) -> None:
    talk = Talk().begin(**{**{question.id: EARLIER[question.id] for question in VISIT.questions
                              if question.id in EARLIER and question.id != "need_kinds"}, "elder": "仇大山"})
    talk.draft = replace(talk.draft, at="need_kinds")
    talk.taps("need_kinds", what)
    kept = talk.draft.answers.get("need_kinds")
    assert (kept.value if kept else None) == given


@pytest.mark.parametrize(
    ("at", "digits", "taken"),
    [
        ("family_size", "111211", {"family_size": "unchanged", "reaction": "better", "mood": "unchanged"}),
        ("family_size", "１１１２", {"reaction": "better"}),
        ("family_size", "1 1 1 2", {"reaction": "better"}),
        ("gas", "321", {"gas": "unsafe", "water_heating": "mostly_safe", "electricity": "safe"}),
        ("elder_signature", "523", {"elder_signature": "unsigned", "satisfaction": "fairly",
                                    "satisfaction_by": "visitor"}),
    ],
)
def test_digits_in_a_row_answer_the_coming_choices(at: str, digits: str, taken: dict[str, str]) -> None:
    answers = filled()
    for question in VISIT.questions[VISIT.index[at]:]:
        answers.pop(question.id, None)
    talk = Talk().for_qiu(**answers)
    assert talk.draft.at == at
    talk.says(digits)
    assert {name: talk.value(name) for name in taken} == taken
    assert talk.draft.answers[at].manner == "digits"


@pytest.mark.parametrize(("digits", "sentence"), [
    ("11141", "refuse.digit"), ("10", "refuse.digit"), ("1" * 13, "refuse.too_many_digits")])
def test_a_wrong_digit_in_a_row_takes_none_of_them(digits: str, sentence: str) -> None:
    talk = Talk().for_qiu(method="home")
    before = talk.draft
    talk.says(digits)
    assert (talk.said[0], talk.draft) == (sentence, before)


def test_digits_in_a_row_do_not_jump_over_a_question_of_another_kind() -> None:
    """Else a digit too many would sign for the elder."""
    talk = Talk().for_qiu(method="home")
    talk.says("1" * 13)
    assert "elder_signature" not in talk.draft.answers


def test_digits_in_a_row_go_through_a_screening_that_is_due() -> None:
    talk = Talk()
    talk.draft = replace(talk.draft, context=dict(ZHANG.context))
    talk.begin(elder="张桂芳", method="home").says("111111" + "112" + "111")
    assert (talk.value("screening_hopeless"), talk.value("gas"), talk.said[0]) == (
        "sometimes", "safe", "warn.hopeless")


def test_digits_over_answers_take_away_what_hung_on_them() -> None:
    talk = Talk().for_qiu(**{**filled(), "gas": "unsafe", "gas_hazard": "漏气", "gas_told": "told"})
    assert talk.draft.at == REVIEW
    talk.says("燃气安全", "11")
    assert "gas_hazard" not in talk.draft.answers


@pytest.mark.parametrize("section", ["safety", "screening"])
def test_safety_is_never_swept(section: str) -> None:
    for question in VISIT.in_section(section):
        draft = replace(Talk().for_qiu().draft, at=question.id)
        turn = engine.advance(VISIT, draft, Event(LABELS["sweep"]), FACTS, START)
        assert turn.draft.answers == draft.answers
        assert question.unchanged == ""


def test_one_tap_answers_the_open_questions_of_its_section_only() -> None:
    talk = Talk().for_qiu(method="home").says("1", "3").taps("mobility", "=sweep")
    assert (talk.value("expression"), talk.value("mobility"), talk.draft.answers["mood"].manner) == (
        "worse", "unchanged", "section")
    assert talk.draft.at == "gas"


@pytest.mark.parametrize(("question", "answer", "asked"), [
    ("method", "other", ["method_other"]),
    ("family_size", "more", ["family_more"]),
    ("family_size", "fewer", ["family_fewer"]),
    ("illness", "severe", ["illness_name"]),
    ("mood", "worse", ["screening_low", "screening_interest", "screening_hopeless"]),
    ("gas", "unsafe", ["gas_hazard", "gas_told"]),
    ("water_heating", "unsafe", ["water_heating_hazard", "water_heating_told"]),
    ("electricity", "unsafe", ["electricity_hazard", "electricity_told"]),
    ("need_kinds", ["daily"], ["needs"]),
    ("visitor_signature", "photo", ["visitor_signature_photo"]),
    ("elder_signature", "photo", ["elder_signature_photo"]),
    ("elder_signature", "thumbprint", ["elder_signature_photo"]),
    ("elder_signature", "by_other", ["elder_signature_by", "elder_signature_photo"]),
    ("elder_signature", "unsigned", ["elder_signature_reason"]),
    ("satisfaction_by", "visitor", ["satisfaction_words"]),
])
def test_an_answer_changed_in_the_review_asks_only_what_depends_on_it(question: str, answer: Any,
                                                                      asked: list[str]) -> None:
    talk = Talk().for_qiu(**{**filled(), "illness": "unchanged"})
    talk.draft.answers.pop("illness_name", None)
    talk.says(VISIT.by_id[question].label)
    assert talk.draft.at == question
    index = VISIT.by_id[question].option_ids.index(answer[0] if isinstance(answer, list) else answer)
    talk.says(str(index + 1))
    came = []
    while talk.draft.at != REVIEW:
        came.append(talk.draft.at)
        kind = VISIT.by_id[talk.draft.at].kind
        talk.does(Event(media=(("photo", "m"),)) if kind == "photo" else Event("1" if kind != "text" else "写一句"))
    assert came == asked
    safe = {"method": "1", "need_kinds": "1", "visitor_signature": "1", "elder_signature": "1"}.get(question, "1")
    talk.says(VISIT.by_id[question].label, safe)
    assert talk.draft.at == REVIEW
    assert not set(asked) & set(talk.draft.answers)


def test_a_visit_is_not_submitted_while_something_is_open() -> None:
    talk = Talk().for_qiu(**filled())
    talk.draft.answers.pop("gas")
    talk.taps(REVIEW, "=submit")
    assert (talk.turn and talk.turn.outcome, talk.said[0], talk.draft.at) == ("ask", "refuse.not_finished", "gas")


def test_what_does_not_apply_is_not_submitted() -> None:
    """A text template may name the hazard of a gas stove that it calls safe."""
    talk = Talk().for_qiu(**filled(), gas_hazard="漏气").says("提交")
    assert talk.turn and talk.turn.outcome == "submit"
    assert "gas_hazard" not in talk.turn.draft.answers


def test_a_day_before_the_new_elder_was_registered_is_asked_again_when_submitting() -> None:
    talk = Talk().for_qiu(**filled(), day="2026-02-20").says("被探访人")
    talk.does(Event("欧阳明"), elder("欧阳明", due=False, since="2026-03-01")).says("提交")
    assert (talk.said[0], talk.draft.at) == ("refuse.before_registration", "day")


def test_what_is_written_is_kept_as_it_was_written() -> None:
    talk = Talk().for_qiu(**filled()).says("关爱服务情况", " 换了30㎡的瓦，花了２天！\u200b ")
    assert talk.value("care_given") == "换了30㎡的瓦，花了２天！"


def test_another_one_s_name_is_not_the_elder_s_signature() -> None:
    answers = filled()
    answers.pop("elder_signature")
    talk = Talk().for_qiu(**answers)
    assert talk.draft.at == "elder_signature"
    assert talk.says("王强").said[0] == "refuse.choice"
    assert talk.says("仇大山").value("elder_signature") == "name"


@pytest.mark.parametrize("at", ["method", "r", "c", "x", "elder"])
def test_a_button_of_another_position_changes_nothing(at: str) -> None:
    talk = Talk().for_qiu(method="home")
    before = talk.draft
    talk.does(Event(tap=(walk.place_of(VISIT, at) if at in VISIT.by_id else at, "1")))
    assert (talk.said, talk.draft) == (["refuse.old_button", "question"], before)


def test_pausing_when_asked_whether_to_cancel_goes_back_to_the_question() -> None:
    talk = Talk().for_qiu(method="home").says("取消")
    assert talk.draft.at == CANCEL
    talk.says("稍后继续")
    assert talk.turn and (talk.turn.outcome, talk.turn.draft.at) == ("pause", "family_size")


def test_a_number_dotted_like_a_day_is_not_taken_for_one() -> None:
    talk = Talk().for_qiu(method="home").says("2.3")
    assert (talk.said[0], talk.value("day")) == ("refuse.choice", "2026-03-05")


def test_a_form_with_more_questions_is_only_another_toml(tmp_path: Any) -> None:
    path = tmp_path / "visit.toml"
    path.write_text((FORMS / "visit.toml").read_text(encoding="utf-8") + """
[[question]]
id = "dog"
section = "signing"
kind = "choice"
label = "养狗"
ask = "家里养狗吗？"
options = [{ id = "yes", label = "养" }, { id = "no", label = "不养" }]
""", encoding="utf-8")
    form = load(path)
    talk = Talk(form, Draft("d" * 32, "TAG", form.hash)).for_qiu(**filled())
    assert talk.draft.at == "dog"
    talk.says("养", "提交")
    assert talk.turn and (talk.turn.outcome, talk.turn.draft.answers["dog"].value) == ("submit", "yes")


def test_a_draft_on_an_older_form_keeps_what_fits() -> None:
    draft = Talk().for_qiu(**filled(), gone="x").draft
    draft = replace(draft, form="old", answers={**draft.answers, "gas": Answer("burning", 1, "tap"),
                                                "care_given": Answer("x" * 3000, 1, "text")})
    fitted = engine.refit(VISIT, draft, "NEW")
    assert (fitted.form, fitted.tag) == (VISIT.hash, "NEW")
    assert set(draft.answers) - set(fitted.answers) == {"gone", "gas", "care_given"}


# Whatever may come

_TEXTS = st.one_of(
    st.sampled_from([*LABELS.values(), *DAYS, "3月1日", "2026-03-04", "2025-01-01", "12月3日", "无变化", "较差", "不安全",
                     "没有", "生活照料", "写了一句话", "王强", "仇大山", "👍", "", "111111", "2", "3", "1 3", "0" * 5000,
                     "0001999", "好" * 10_000, "²", "½", "两个", "/submit"]),
    st.text(max_size=12),
    st.from_regex(r"[1-5]{1,14}", fullmatch=True),
)
_PLACES = [*[str(place) for place in range(len(VISIT.questions) + 1)], "r", "c", "x", "", "-1"]
_WHATS = st.one_of(st.sampled_from([*[f"={name}" for name in LABELS], "=nothing", "仇大山", "", "²", "-1", "0" * 5000]),
                   st.integers(0, 50).map(str))
_EVENTS = st.one_of(
    st.builds(Event, text=_TEXTS),
    st.builds(lambda text: Event(text, media=(("photo", "m1"),)), st.one_of(st.just(""), _TEXTS)),
    st.builds(lambda: Event(media=(("voice", "m2"),))),
    st.builds(lambda: Event(place="28.0,105.0 WGS-84")),
    st.builds(lambda where, what: Event(tap=(where, what)), st.sampled_from(_PLACES), _WHATS),
    st.tuples(st.just("here"), _WHATS),  # a tap on the position where the draft stands
    st.just("likely"),
)


def _likely(draft: Draft) -> Event:
    """What a hurried person would do here."""
    question = VISIT.by_id.get(draft.at)
    if question is None:
        return Event(LABELS["no"] if draft.at == CANCEL else LABELS["submit"] if draft.at == REVIEW else "3")
    return {"photo": Event(media=(("photo", "p"),)), "place": Event(place="1,2 WGS-84"), "text": Event("写一句"),
            "date": Event("昨天"), "number": Event("2"), "choices": Event("2"), "person": Event("1")}.get(
        question.kind, Event("1"))


@settings(max_examples=150, deadline=None)
@given(events=st.lists(_EVENTS, max_size=60), correcting=st.booleans(),
       found=st.lists(st.sampled_from([QIU, ZHANG]), min_size=60, max_size=60))
def test_whatever_comes_the_engine_stands(events: list[Any], correcting: bool, found: list[Candidate]) -> None:
    talk = Talk()
    if correcting:
        talk.draft = replace(talk.draft, context={**QIU.context, "correcting": True})
        talk.begin(elder="仇大山", **filled())
    else:
        talk.begin()
    for event, one in zip(events, found, strict=False):
        if event == "likely":
            event = _likely(talk.draft)
        elif isinstance(event, tuple):
            event = Event(tap=(walk.place_of(VISIT, talk.draft.at), event[1]))
        before = talk.draft
        talk.does(event, one)
        assert talk.turn
        draft = talk.turn.draft
        _is_sound(draft, before, talk)
        if talk.turn.outcome == "submit":
            assert walk.following(VISIT, draft) is None
            assert all(walk.applies(VISIT.by_id[name], draft) for name in draft.answers)
            _reads_back(draft)
        if talk.turn.outcome != "ask":
            return
        assert messages(talk.turn.say, WORDS, BOOK)[0].text


def _is_sound(draft: Draft, before: Draft, talk: Talk) -> None:
    assert talk.turn
    assert draft.at in (REVIEW, CHANGE, CANCEL) or draft.at in VISIT.by_id
    assert draft.at != CANCEL or draft.returns_to in VISIT.by_id or draft.returns_to in (REVIEW, CHANGE)
    if any(kind.startswith("refuse.") for kind in talk.said):
        assert draft.answers == before.answers
    if draft.at == REVIEW:
        assert walk.following(VISIT, draft) is None
    assert set(draft.chosen) <= set(VISIT.by_id[draft.at].option_ids if draft.at in VISIT.by_id else ())


def _reads_back(draft: Draft) -> None:
    """Every kept value is one that its question takes."""
    for name, answer in draft.answers.items():
        question = VISIT.by_id[name]
        assert walk.fits(question, answer) or (answer.value == "" and (question.optional or answer.media))
        if question.kind == "date":
            assert not isinstance(read(question, str(answer.value), Bounds(TODAY, date(2026, 1, 1))), Refusal)


@settings(max_examples=60, deadline=None)
@given(row=st.lists(st.integers(1, 3), min_size=2, max_size=12))
def test_any_row_of_valid_digits_answers_that_many_choices(row: list[int]) -> None:
    talk = Talk().for_qiu(method="home")
    before = set(talk.draft.answers)
    talk.says("".join(map(str, row)))
    order = [q for q in VISIT.questions if q.kind == "choice" and not q.ask_if and VISIT.index[q.id] > 3]
    assert [talk.value(q.id) for q in order[:len(row)]] == [
        q.option_ids[digit - 1] for q, digit in zip(order, row, strict=False)]
    assert len(set(talk.draft.answers) - before) == len(row)


def test_the_form_of_a_void_asks_one_thing() -> None:
    talk = Talk(VOID, Draft("d" * 32, "TAG", VOID.hash)).begin().says("重复了")
    assert talk.draft.at == REVIEW
