"""How alike two names are, of people or of companies, as registers in Uzbekistan write them. No Django, no data files.

Either name may be in Cyrillic (Uzbek, Russian) or in Latin (old, new, or transliterated from Russian), with words in
any order, with initials, without patronymic. What it gets right and wrong: docs/person-names.md.

A name becomes words of sounds; the words of the shorter name are paired with those of the longer one so that the worst
pair is as good as can be; that worst pair is the likeness, less a little for each word that the other name lacks.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from itertools import accumulate, pairwise, zip_longest

# One whole sound in eight (0.875) makes another name. docs/person-names.md has the figures at other thresholds.
SAME_PERSON = 0.88
MOST_CHARACTERS, MOST_WORDS = 200, 8
# Factors for what is missing, and the highest likeness of what contradicts.
INITIAL, LACKING_WORD, LACKING_FORM, ONE_WORD_OF_MORE, LACKING_COMPANY_WORD = 0.96, 0.96, 0.97, 0.6, 0.7
OTHER_SEX, OTHER_FORM, FINAL_A = 0.5, 0.7, 0.75

# Capitals are single sounds: O = oʻ (which Russian writes as u), S = sh, C = ch, T = ts.
LETTERS = str.maketrans(
    dict(zip("абвгғдежзийкқлмноөпрстуфхҳыэўәң", "abvggdejziikklmnooprstufxxieOan", strict=True))
    | {"ё": "yo", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sh", "ъ": "", "ь": "", "ю": "yu", "я": "ya"}
    | dict.fromkeys("öóōõőøɵ", "O")
    | {"ş": "sh", "ç": "ch", "ğ": "g", "ģ": "g", "ḡ": "g", "ƣ": "g", "ə": "a", "ı": "i"}
    | dict.fromkeys("`´‘’‛ʻʼʹʽˈ′＇ʿʾ", "'")
)
SOUNDS = (
    (r"\b(\w)/(\w)\b", r"\1\2"),
    ("s'h", "sx"),
    ("o'", "O"),
    ("'", ""),
    ("shch|sch|sh", "S"),
    ("tch|ch", "C"),
    ("dzh|dj|zh", "j"),
    ("kh", "h"),
    ("gh", "g"),
    ("ph", "f"),
    ("ts", "T"),
    ("ye", "e"),
    ("x", "h"),
    ("[qc]", "k"),
    ("w", "v"),
    ("y", "i"),
)
SON, DAUGHTER = ("Ogli", "ogli", "ugli", "oglu", "uglu"), ("kizi",)
SON_ENDINGS, DAUGHTER_ENDINGS = ("oviC", "eviC", "iC"), ("ovna", "evna", "iCna")
MALE_ENDINGS, FEMALE_ENDINGS = ("ov", "ev", "ski"), {"ova": "ov", "eva": "ev", "skaia": "ski"}
LONGER_INITIALS = {"iu", "ia", "io"}
SMALL_WORDS = {"va", "i", "and"}

TRADER = "sole trader"  # whose name is that of a person
# What it costs to write one sound for the other; any other two cost 1.
ALIKE = {
    frozenset(pair): cost
    for cost, pairs in {
        0.1: ["oO"],
        0.2: ["uO", "sT", "ao"],
        0.35: ["ei"],
        0.5: ["ou", "aO", "eo"],
        0.6: ["ae", "gh", "bp", "dt", "pf", "vf", "vb", "ij", "CS"],
        0.7: ["sz", "gk"],
    }.items()
    for pair in pairs
}
# Of longer words a difference counts as in a word of so many sounds: one wrong consonant is another name.
LONG_WORD = 8
FORMS = {
    TRADER: "yatt; ип; ip; якка тартибдаги тадбиркор; yakka tartibdagi tadbirkor; индивидуальный предприниматель",
    "limited": "mchj; мчж; ooo; ооо; llc; ltd; mas'uliyati cheklangan jamiyat; mas'uliyati cheklangan jamiyati; "
    "масъулияти чекланган жамият; масъулияти чекланган жамияти; общество с ограниченной ответственностью; "
    "limited liability company",
    "joint stock": "aj; аж; oaj; оаж; yoaj; ёаж; ao; ао; oao; оао; zao; зао; jsc; aksiyadorlik jamiyati; "
    "акциядорлик жамияти; акционерное общество; joint stock company",
    "private": "xk; хк; chp; чп; xususiy korxona; xususiy korxonasi; хусусий корхона; хусусий корхонаси; "
    "частное предприятие; private enterprise",
    "farm": "fx; фх; fermer xo'jaligi; фермер хўжалиги; фермерское хозяйство",
    "joint venture": "qk; қк; sp; сп; qo'shma korxona; qo'shma korxonasi; қўшма корхона; қўшма корхонаси; "
    "совместное предприятие; joint venture",
    "family": "ok; oilaviy korxona; oilaviy korxonasi; оилавий корхона; оилавий корхонаси; семейное предприятие",
}


def is_same_person(one: str, other: str) -> bool:
    """Whether two names, of people or of companies, may well be one: their likeness is SAME_PERSON or more."""
    return likeness(one, other) >= SAME_PERSON


def likeness(one: str, other: str) -> float:
    """0..1, whichever of the two comes first; 1 = the same sounds, 0 also where a name has no letters or digits."""
    fewer, more = sorted((_read(one), _read(other)), key=lambda name: len(name.words))
    if not fewer.words:
        return 0.0
    spellings = [more.words, *_joined(more.words)] if len(fewer.words) < len(more.words) else [more.words]
    found = (_paired(fewer.words, words) * _lacking(fewer, more, len(words)) for words in spellings)
    return min(max(found), _most_likely(fewer, more))


class Kind(Enum):
    MAIN = "given name or surname"
    LAST = "last of three or more words: perhaps a patronymic without its ending"
    PATRONYMIC = "patronymic"
    INITIAL = "initial"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Word:
    sounds: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Name:
    """sexes: what surname and patronymic tell; forms: legal forms of a company."""

    words: tuple[Word, ...]
    sexes: frozenset[str] = field(default=frozenset())
    forms: frozenset[str] = field(default=frozenset())


def _to_sounds(text: str) -> str:
    """Small letters for sounds, words with one space between them."""
    letters = unicodedata.normalize("NFKC", text[:MOST_CHARACTERS]).casefold().translate(LETTERS)
    plain = "".join(mark for mark in unicodedata.normalize("NFKD", letters) if not unicodedata.combining(mark))
    for pattern, sound in SOUNDS:
        plain = re.sub(pattern, sound, plain)
    return " ".join(re.findall(r"[^\W_]+", plain))


_FORMS = {_to_sounds(form): kind for kind, forms in FORMS.items() for form in forms.split("; ")}
_FORM = re.compile(rf"\b({'|'.join(sorted(_FORMS, key=lambda form: (-len(form), form)))})\b")


def search_words(text: str) -> frozenset[str]:
    """What a name is found by, however it is spelled: each of its words as sounds, with oʻ as o, for it is often typed
    without its mark. Legal forms do not count, nor single letters, where there is more.
    """
    words = {_without_doubles(word).replace("O", "o") for word in _without_forms(_to_sounds(text))}
    return frozenset({word for word in words if len(word) > 1} or words)


def _without_forms(sounds: str) -> list[str]:
    return _FORM.sub(" ", sounds).split() or sounds.split()


def _read(text: str) -> Name:
    sounds = _to_sounds(text)
    forms = frozenset(_FORMS[form] for form in _FORM.findall(sounds)) - {TRADER}
    words = _without_forms(sounds)
    if forms:
        words = [word for word in words if word not in SMALL_WORDS] or words
    rest = "".join(words[MOST_WORDS - 1 :])
    words = [_without_doubles(word) for word in [*words[: MOST_WORDS - 1], *([rest] if rest else [])]]
    if forms:
        return Name(tuple(Word(word, _kind(word)) for word in words), forms=forms)
    sexed = list(_sexed(words))
    return Name(_with_last(tuple(word for word, _ in sexed)), frozenset(sex for _, sex in sexed if sex))


def _without_doubles(word: str) -> str:
    return re.sub(r"([^0-9])\1+", r"\1", word)


def _kind(word: str) -> Kind:
    if any(map(str.isdigit, word)):
        return Kind.NUMBER
    return Kind.INITIAL if len(word) == 1 or word in LONGER_INITIALS else Kind.MAIN


def _sexed(words: list[str]) -> Iterator[tuple[Word, str]]:
    """Each word with the sex that it tells, or ""; a father's name together with "son" or "daughter" behind it."""
    for word, after in zip_longest(words, words[1:], fillvalue=""):
        if after in SON or after in DAUGHTER:
            yield Word(word, Kind.PATRONYMIC), "male" if after in SON else "female"
        elif word not in SON + DAUGHTER or word == words[0]:
            yield _one_word(word)


def _one_word(word: str) -> tuple[Word, str]:
    for endings, sex in ((SON + SON_ENDINGS, "male"), (DAUGHTER + DAUGHTER_ENDINGS, "female")):
        for ending in endings:
            if word.endswith(ending) and len(word) > len(ending) + 1:
                return Word(word.removesuffix(ending), Kind.PATRONYMIC), sex
    for ending, of_a_man in FEMALE_ENDINGS.items():
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return Word(word.removesuffix(ending) + of_a_man, Kind.MAIN), "female"
    return Word(word, _kind(word)), "male" if word.endswith(MALE_ENDINGS) and len(word) > 4 else ""


def _with_last(words: tuple[Word, ...]) -> tuple[Word, ...]:
    if len(words) >= 3 and all(word.kind is Kind.MAIN for word in words):
        return (*words[:-1], Word(words[-1].sounds, Kind.LAST))
    return words


def _most_likely(one: Name, other: Name) -> float:
    if one.sexes and other.sexes and not one.sexes & other.sexes:
        return OTHER_SEX
    if one.forms and other.forms and not one.forms & other.forms:
        return OTHER_FORM
    return 1.0


def _lacking(fewer: Name, more: Name, count: int) -> float:
    """The factor for what one of the two has and the other has not; count: words of `more`, as it is spelled."""
    form = 1.0 if bool(fewer.forms) == bool(more.forms) else LACKING_FORM
    lacking = count - len(fewer.words)
    if lacking and (fewer.forms or more.forms):
        return form * LACKING_COMPANY_WORD
    if lacking and len(fewer.words) == 1:
        return form * ONE_WORD_OF_MORE
    return form * LACKING_WORD**lacking


def _joined(words: tuple[Word, ...]) -> Iterator[tuple[Word, ...]]:
    """Each two neighbours written as one word: "Abdu Rahmon"."""
    for place, (word, after) in enumerate(pairwise(words)):
        if {word.kind, after.kind} <= {Kind.MAIN, Kind.LAST}:
            both = Word(_without_doubles(word.sounds + after.sounds), Kind.MAIN)
            yield (*words[:place], both, *words[place + 2 :])


def _paired(fewer: tuple[Word, ...], more: tuple[Word, ...]) -> float:
    """Each of `fewer` with another one of `more`, so that the worst pair is the best that can be; its likeness."""

    pairs = [[_word_likeness(word, other) for other in more] for word in fewer]

    @cache
    def worst(place: int, taken: int) -> float:
        if place == len(fewer):
            return 1.0
        free = (at for at in range(len(more)) if not taken >> at & 1)
        return max(min(pairs[place][at], worst(place + 1, taken | 1 << at)) for at in free)

    return worst(0, 0)


def _word_likeness(one: Word, other: Word) -> float:
    kinds = {one.kind, other.kind}
    if Kind.NUMBER in kinds:
        return float(one == other)
    if Kind.INITIAL in kinds:
        return _initial_likeness(one, other)
    if kinds == {Kind.PATRONYMIC, Kind.MAIN}:
        return 0.0
    likely = _sound_likeness(*sorted((one.sounds, other.sounds)))
    is_of_a_woman = one.sounds + "a" == other.sounds or other.sounds + "a" == one.sounds
    return min(likely, FINAL_A) if is_of_a_woman and Kind.PATRONYMIC not in kinds else likely


def _initial_likeness(one: Word, other: Word) -> float:
    if one == other:
        return 1.0
    short, full = sorted((one.sounds, other.sounds), key=lambda sounds: (len(sounds), sounds))
    first = full[: len(short)]
    return INITIAL if short == first or ALIKE.get(frozenset((short, first)), 1.0) <= 0.25 else 0.0


def _sound_likeness(one: str, other: str) -> float:
    return max(1 - _distance(one, other) / min(max(len(one), len(other)), LONG_WORD), 0.0)


def _distance(one: str, other: str) -> float:
    """The least that it costs to turn one into the other; a sound more or less, or another sound, costs up to 1."""
    above = list(accumulate(range(len(other)), lambda cost, at: cost + _cost_of_sound(other, at), initial=0.0))
    for row, sound in enumerate(one):
        line = [above[0] + _cost_of_sound(one, row)]
        for column, facing in enumerate(other):
            instead = 0.0 if sound == facing else ALIKE.get(frozenset((sound, facing)), 1.0)
            line.append(
                min(
                    above[column] + instead,
                    above[column + 1] + _cost_of_sound(one, row),
                    line[column] + _cost_of_sound(other, column),
                )
            )
        above = line
    return above[-1]


def _cost_of_sound(word: str, at: int) -> float:
    """Of a sound that the other word lacks: h within a word is often not written, i beside a vowel is a glide."""
    if word[at] == "h" and at > 0:
        return 0.4
    beside = word[max(at - 1, 0) : at] + word[at + 1 : at + 2]
    return 0.2 if word[at] == "i" and set(beside) & set("aeouO") else 1.0
