"""The worker's pages in a real browser: a person with keyboard, phone or no JavaScript; and what axe says."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from sentinel.checkins.models import Response
from sentinel.kernel.links import Purpose
from sentinel.problems.models import Confirmation, Problem
from tests.web.browser import PHONE, serious_findings
from tests.web.respond.conftest import Live
from tests.web.respond.test_reading import every_path

pytestmark = pytest.mark.e2e


def frown_link(live: Live) -> str:
    """Anna's frown link, absolute."""
    return live.url + live.cast.path(Purpose.ANSWER, live.cast.check_in(live.cast.anna).pk, "frown")


def test_a_person_answers_with_two_taps(live: Live, person: Browser) -> None:
    page = person.new_page(viewport=PHONE, has_touch=True)
    page.goto(frown_link(live))
    page.get_by_role("button", name="Send").tap()
    expect(page.get_by_role("heading", name="Otto Berg has it")).to_be_visible()
    answer = Response.objects.get()
    assert (answer.evidence, answer.evidence_reasons) == ("verified", ["trusted event"])
    page.close()


def test_a_person_answers_with_the_keyboard_alone(live: Live, person: Browser) -> None:
    page = person.new_page()
    page.goto(frown_link(live))
    for _press in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "face":
            break
    page.keyboard.press("Tab")
    page.keyboard.type("Only keys here.")
    for _press in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Send":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Otto Berg has it")).to_be_visible()
    assert Problem.objects.get().words == "Only keys here."
    page.close()


def test_a_person_changes_the_face_and_sees_the_questions_that_belong_to_it(
    live: Live, person: Browser
) -> None:
    page = person.new_page(viewport=PHONE)
    page.goto(frown_link(live))
    expect(page.get_by_text("How bad is it?")).to_be_visible()
    expect(page.get_by_text("What is it?")).to_be_hidden()
    page.get_by_label("All is well").check(force=True)
    expect(page.get_by_text("How bad is it?")).to_be_hidden()
    expect(page.get_by_text("What is it?")).to_be_visible()
    page.close()


def test_a_person_without_javascript_answers_by_the_plain_step(live: Live, person: Browser) -> None:
    context = person.new_context(java_script_enabled=False, viewport=PHONE)
    page = context.new_page()
    page.goto(frown_link(live))
    page.get_by_role("button", name="Send").click()
    word = page.locator("legend strong").inner_text()
    page.get_by_role("radio", name=word, exact=False).check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Otto Berg has it")).to_be_visible()
    assert Response.objects.filter(evidence="verified").count() == 1
    context.close()


def test_a_person_confirms_and_a_double_click_counts_once(live: Live, person: Browser) -> None:
    proposal = live.cast.proposal(live.cast.problem(live.cast.anna))
    page = person.new_page(viewport=PHONE)
    page.goto(live.url + live.cast.path(Purpose.CONFIRM, proposal.pk, "yes"))
    page.get_by_role("button", name="Yes, it is solved").dblclick()
    expect(page.get_by_role("heading", name="Thank you: it is solved")).to_be_visible()
    assert Confirmation.objects.count() == 1
    page.close()


def test_a_script_that_presses_is_not_a_person(live: Live, person: Browser) -> None:
    page = person.new_page()
    page.goto(frown_link(live))
    page.evaluate("document.querySelector('form.answer button').click()")
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    assert Response.objects.get().evidence == "provisional"
    assert not Problem.objects.exists()
    page.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 320), ("dark", 1280)])
def test_every_page_is_accessible_and_fits(live: Live, person: Browser, scheme: str, width: int) -> None:
    context = person.new_context(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    paths = every_path(live.cast)
    for name, path in paths.items():
        page.goto(live.url + path)
        open_everything(page)
        assert serious_findings(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} scrolls sideways"
        assert small_targets(page) == [], name
    context.close()


@pytest.mark.parametrize("code", ["de", "fr", "es", "ja"])
def test_every_page_fits_a_small_phone_in_every_language(live: Live, person: Browser, code: str) -> None:
    page = person.new_page(viewport={"width": 320, "height": 640})
    for name, path in every_path(live.cast).items():
        page.goto(f"{live.url}{path}?lang={code}")
        open_everything(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, f"{name} scrolls sideways"
    page.close()


def open_everything(page: Page) -> None:
    """Unfold what is folded."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")


def small_targets(page: Page) -> list[str]:
    """Buttons, choices and stand-alone links lower than 44 pixels. Links inside a sentence are exempt."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('button, summary, select, input, textarea, a')]
          .filter((one) => !one.closest('p.alert, p.quiet, .skip, .trap'))
          .map((one) => [one.closest('label') || one, one])
          .filter(([area]) => area.offsetParent && area.getBoundingClientRect().height < 43.5)
          .map(([, one]) => one.outerHTML.slice(0, 90))"""
    )
    return found
