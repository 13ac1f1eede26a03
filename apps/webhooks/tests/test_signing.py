"""Signatures: the vector that the Standard Webhooks libraries publish, one worked out by openssl, and the secrets."""

import base64

import pytest

from apps.webhooks.signing import draw_secret, read_secret, sign

# The test vector of the reference libraries (github.com/standard-webhooks/standard-webhooks, libraries/*/tests).
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENT, TIMESTAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
OTHER = "whsec_" + base64.b64encode(bytes(range(64))).decode()


def test_the_published_vector():
    assert sign([SECRET], event_id=EVENT, timestamp=TIMESTAMP, body=BODY) == SIGNATURE


def test_another_worked_out_by_openssl():
    """printf '%s' '0d2c.1772357400.{"type":"ping","data":{}}' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0001..3f
    -binary | base64
    """
    found = sign([OTHER], event_id="0d2c", timestamp=1772357400, body=b'{"type":"ping","data":{}}')
    assert found == "v1,u9POHU1OfipUy8bXwbZpwSQUCUjt2qbidTnYEprBz0k="


def test_several_secrets_sign_side_by_side_in_their_order():
    found = sign([OTHER, SECRET], event_id=EVENT, timestamp=TIMESTAMP, body=BODY).split(" ")
    assert (len(found), found[1]) == (2, SIGNATURE)
    assert found[0] == sign([OTHER], event_id=EVENT, timestamp=TIMESTAMP, body=BODY)


@pytest.mark.parametrize(
    "change",
    [{"event_id": "msg_p5jXN8AQM9LWM0D4loKWxJeK"}, {"timestamp": 1614265331}, {"body": b'{"test":2432232314}'}],
)
def test_everything_that_is_sent_is_signed(change):
    assert sign([SECRET], **{"event_id": EVENT, "timestamp": TIMESTAMP, "body": BODY} | change) != SIGNATURE


def test_a_drawn_secret_has_256_bits_and_is_another_each_time():
    assert len(read_secret(draw_secret())) == 32
    assert draw_secret(lambda count: bytes(count)) == "whsec_" + "A" * 43 + "="
    assert len({draw_secret() for _ in range(100)}) == 100


@pytest.mark.parametrize("count", [23, 65])
def test_a_secret_of_another_length_is_refused(count):
    with pytest.raises(ValueError, match=f"24 to 64 bytes, not {count}"):
        read_secret("whsec_" + base64.b64encode(bytes(count)).decode())


@pytest.mark.parametrize("text", ["whsec_not base64", "whsec_абв"])
def test_a_secret_that_is_no_base64_is_not_repeated(text):
    with pytest.raises(ValueError) as refusal:
        read_secret(text)
    assert text.removeprefix("whsec_") not in str(refusal.value)
