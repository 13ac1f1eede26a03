"""ENCRYPTION_KEYS: what is taken, and how each mistake is told without repeating a key."""

import base64

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.common.key_ring import read_key_ring


def key(byte: bytes, length: int = 32) -> str:
    return base64.b64encode(byte * length).decode()


def test_a_ring_is_read_in_its_order():
    ring = read_key_ring([f"key-2:{key(b'b')}", f" key-1:{key(b'a')} "])
    assert list(ring.items()) == [("key-2", b"b" * 32), ("key-1", b"a" * 32)]


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ([], "is empty"),
        ([key(b"a")], "entry 1 of 1 is not id:base64"),
        (["key-1:"], "entry 1 of 1 is not id:base64"),
        ([f"key 1:{key(b'a')}"], "entry 1 of 1 is not id:base64"),
        ([f"{'k' * 41}:{key(b'a')}"], "entry 1 of 1 is not id:base64"),
        ([f"key-1:{key(b'a')}", ""], "entry 2 of 2 is not id:base64"),
        (["key-1:not base64!"], "the key 'key-1' is not base64"),
        ([f"key-1:{key(b'a')[:-1]}"], "the key 'key-1' is not base64"),
        ([f"key-1:{key(b'a', 16)}"], "the key 'key-1' has 16 bytes; 32 are needed"),
        ([f"key-1:{key(b'a')}", f"key-1:{key(b'b')}"], "the id 'key-1' stands twice"),
        ([f"key-2:{key(b'a')}", f"key-1:{key(b'a')}"], "'key-2' and 'key-1' are the same key"),
    ],
)
def test_each_mistake_is_told_by_its_place_and_never_by_the_key(entries, sentence):
    with pytest.raises(ImproperlyConfigured) as refused:
        read_key_ring(entries)
    assert sentence in str(refused.value)
    assert key(b"a")[:10] not in str(refused.value)
