"""Where webhooks may go: named hosts, TLS, and no address inside by a detour."""

import pytest

from apps.webhooks.addresses import TargetRefused, check_url, find_target

PUBLIC = "93.184.216.34"


@pytest.fixture(autouse=True)
def _hosts(settings):
    settings.WEBHOOK_HOSTS = ["hooks.example", "only.example:8443"]
    settings.WEBHOOK_PRIVATE_HOSTS = ["core.bank.internal", "127.0.0.1"]


def fault_of(call, *arguments, **options):
    with pytest.raises(TargetRefused) as refusal:
        call(*arguments, **options)
    return refusal.value.fault


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example/a?b=c",
        "https://HOOKS.example:9443/",
        "https://only.example:8443/",
        "http://core.bank.internal:8080/hook",
        "https://core.bank.internal/hook",
        "http://127.0.0.1:5/",
    ],
)
def test_named_hosts_are_sent_to(url):
    assert check_url(url).path.startswith("/")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://elsewhere.example/", "WEBHOOK_HOSTS"),
        ("https://hooks.example.evil.example/", "WEBHOOK_HOSTS"),
        ("https://evil.example/hooks.example", "WEBHOOK_HOSTS"),
        ("https://only.example/", "WEBHOOK_HOSTS"),
        ("https://169.254.169.254/latest/meta-data/", "WEBHOOK_HOSTS"),
        ("http://hooks.example/", "https"),
        ("https://user:secret@hooks.example/", "password"),
        ("https://evil.example@hooks.example/", "password"),
        ("https://hooks.example/#part", "fragment"),
        ("ftp://hooks.example/", "https://"),
        ("hooks.example/path", "https://"),
        ("https:///path", "https://"),
        ("", "https://"),
        ("https://hooks.example:99999/", "URL"),
        ("https://[::1", "URL"),
    ],
)
def test_everything_else_is_refused_and_says_why(url, why):
    with pytest.raises(TargetRefused, match=why) as refusal:
        check_url(url)
    assert refusal.value.fault == "host_not_allowed"


def test_nothing_is_allowed_unless_it_is_named(settings):
    settings.WEBHOOK_HOSTS, settings.WEBHOOK_PRIVATE_HOSTS = [], []
    assert fault_of(check_url, "https://hooks.example/") == "host_not_allowed"


def test_the_address_that_was_looked_at_is_the_one_that_is_used():
    asked = []

    def resolve(host, port):
        asked.append((host, port))
        return [PUBLIC]

    target = find_target("https://hooks.example:9443/hook", resolve=resolve)
    assert (asked, target.address, target.url.host) == ([("hooks.example", 9443)], PUBLIC, "hooks.example")


INSIDE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "::ffff:0:0", "224.0.0.1",
    "::1", "::", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_a_public_host_may_not_lead_inside(address):
    assert fault_of(find_target, "https://hooks.example/", resolve=lambda *_: [address]) == "address_not_allowed"


def test_one_address_inside_spoils_the_others():
    assert fault_of(find_target, "https://hooks.example/", resolve=lambda *_: [PUBLIC, "10.0.0.1"]) == (
        "address_not_allowed"
    )
    assert fault_of(find_target, "https://hooks.example/", resolve=lambda *_: []) == "address_not_allowed"


@pytest.mark.parametrize("address", ["10.1.2.3", "192.168.1.1", "127.0.0.1", "fc00::1", PUBLIC])
def test_a_host_of_the_lender_may_stand_inside(address):
    assert find_target("http://core.bank.internal/", resolve=lambda *_: [address]).address == address


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "::", "fe80::1"])
def test_but_not_where_clouds_keep_their_credentials(address):
    refused = fault_of(find_target, "http://core.bank.internal/", resolve=lambda *_: [address])
    assert refused == "address_not_allowed"


@pytest.mark.parametrize("host", ["0x7f.1", "2130706433", "127.1"])
def test_another_spelling_of_loopback_is_no_host(settings, host):
    settings.WEBHOOK_HOSTS = [host]
    assert fault_of(find_target, f"https://{host}/") == "host_not_allowed"
