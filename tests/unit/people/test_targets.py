"""Which targets are allowed, and what of them may be seen."""

from __future__ import annotations

import pytest

from sentinel.people.errors import ContactRefused
from sentinel.people.targets import check_chat_target, check_webhook_url, host_matches, masked

ALLOWED = ("tgram", "ntfys://ntfy.sh", "workflows://*.logic.azure.com")


@pytest.mark.parametrize(
    "target",
    [
        "tgram://123456789:token/12345",
        "ntfys://ntfy.sh/topic",
        "NTFYS://user:pass@NTFY.sh/topic?priority=high",
        "workflows://prod-1.westeurope.logic.azure.com:443/abc/def/",
    ],
)
def test_what_the_list_names_is_allowed(target: str) -> None:
    check_chat_target(target, allowed=ALLOWED)


@pytest.mark.parametrize(
    "target",
    [
        "",
        "tgram",
        "tgram://",
        "json://127.0.0.1/x",
        "https://hooks.slack.com/services/a/b/c",
        "ntfys://ntfy.sh.evil.example/topic",
        "ntfys://ntfy.sh@evil.example/topic",
        "ntfys://evil.example\\@ntfy.sh/topic",
        "ntfys://a@evil.example@ntfy.sh/topic",
        "ntfys://ntfy.sh#@evil.example/topic",
        "ntfys://ntfy.sh:99999999/topic",
        "ntfys://ntfy.sh/topic?verify=no",
        "ntfys://ntfy.sh/topic?Redirect=yes",
        "workflows://logic.azure.com/abc",
        "tgram://token/a b",
        "tgram://token/\x00",
        "tgram://" + "x" * 3000,
        "file:///etc/passwd",
    ],
)
def test_everything_else_is_refused_in_plain_words(target: str) -> None:
    with pytest.raises(ContactRefused) as refused:
        check_chat_target(target, allowed=ALLOWED)
    assert len(refused.value.message) > 20
    assert "evil" not in refused.value.message


def test_a_masked_target_tells_the_service_and_no_secret() -> None:
    assert masked("tgram://123456789:AAHsecret/12345") == "tgram://…"
    assert masked("twilio://AC1:token@+15005550006/+15005550001") == "twilio://…001"
    assert masked("slack://TokenAAAA/TokenBBBB/TokenCCCCCCCC") == "slack://…CCC"
    assert masked("https://user:pw@hooks.example.com/very/secret") == "https://hooks.example.com/…"


def test_a_pattern_of_hosts_means_those_below_it() -> None:
    assert host_matches("a.b.example.com", "*.example.com")
    assert not host_matches("example.com", "*.example.com")
    assert not host_matches("badexample.com", "*.example.com")


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.1",
        "127.0.0.1:8443",
        "127.1",
        "2130706433",
        "0x7f.1",
        "192.168.1.20",
        "169.254.169.254",
        "[::1]",
        "[fd00::1]",
        "[::ffff:10.0.0.1]",
        "localhost",
        "LOCALHOST.:8443",
    ],
)
def test_a_webhook_that_is_plainly_inside_is_refused_when_it_is_entered(host: str) -> None:
    with pytest.raises(ContactRefused, match="private network"):
        check_webhook_url(f"https://{host}/hook")
    check_webhook_url(f"https://{host}/hook", plain=True)


@pytest.mark.parametrize("host", ["1.1.1.1", "[2606:4700:4700::1111]", "10.example.com", "hooks.example.com"])
def test_a_public_webhook_is_taken_and_no_name_is_looked_up(host: str) -> None:
    check_webhook_url(f"https://{host}/hook")
