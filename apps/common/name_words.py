"""People and companies found by whole words of their names, of which only blind indexes are stored.

Equal words have equal indexes, so whoever reads the table sees which words are frequent, and not which words they are.
"""

from django.db.models import QuerySet

from apps.common.crypto import blind_index
from apps.common.models import DataKey, NameWord
from apps.common.person_names import search_words

MOST_WORDS = 8


def word_indexes(name: str) -> set[str]:
    return {blind_index("name_word", word) for word in search_words(name)}


def keep_name_words(data_key: DataKey, name: str) -> None:
    """The words of `name`, and no others, find whom the key belongs to; in the transaction that stores the name."""
    wanted = word_indexes(name)
    NameWord.objects.filter(data_key=data_key).exclude(word_index__in=wanted).delete()
    rows = [NameWord(data_key=data_key, word_index=index) for index in sorted(wanted)]
    NameWord.objects.bulk_create(rows, ignore_conflicts=True)


def with_name(rows: QuerySet, text: str) -> QuerySet:
    """Of rows with a `data_key`, those whose names have every word of `text`; at most MOST_WORDS of them count."""
    indexes = sorted(word_indexes(text))[:MOST_WORDS]
    if not indexes:
        return rows.none()
    for index in indexes:
        rows = rows.filter(data_key__name_words__word_index=index)
    return rows
