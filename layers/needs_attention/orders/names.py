"""Splits the one name that Amazon gives into a first and a last name.

Amazon's `deliveryAddress.name` and `buyerName` are one string each (SP-API model orders_2026-01-01); a sales order
needs two. No split is right for everyone, so this one is careful: every word stays, in order within its part, and
`kind` says how far you can trust the split. Vietnamese, Hungarian and romanised Korean or Chinese names often put the
family name first, and nothing in the string shows it: their first word becomes the first name.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from nameparser import DEFAULT_SCRIPT_ORDERS, FAMILY_FIRST, Lexicon, Parser, Policy, Role, Script

from needs_attention.values.text import cleaned, is_blank

NameKind = Literal["person", "singleWord", "unspacedScript", "company", "blank"]


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name in two parts; only a "person" has both.

    Otherwise `last` holds the whole name: for a "singleWord" ("Cher", "Dr Smith", "de Mesnil": one name, first or
    last), for an "unspacedScript" (山田太郎: both names, written without a space) and for a "company". A "blank" has
    neither. A filler next to one name ("Ramesh .", which sites that want two boxes full make people type) stays the
    other part.
    """

    first: str
    last: str
    kind: NameKind


def split_name(raw: str | None, *, company_name: str | None = None) -> PersonName:
    """Splits `raw`, a name as Amazon writes it; `company_name` is the company at the same address, if any.

    It drops the honorifics of `_HONORIFICS`, the commas around family names and surplus white space, and nothing else.
    The words from "c/o" on stay at the end of the last name, where a label needs them. Never raises.
    """
    name = cleaned(raw)
    if name is None:
        return PersonName("", "", "blank")
    addressee, *care_of = _CARE_OF.split(name, maxsplit=1)
    is_company = _is_company(addressee, company_name)
    split = PersonName("", addressee, "company") if is_company else _split_person(addressee)
    if not care_of:
        return split
    if split.kind == "person":
        return replace(split, last=f"{split.last} {care_of[0]}")
    whole = " ".join(filter(None, (split.first, split.last, *care_of)))
    return PersonName("", whole, "singleWord" if split.kind == "blank" else split.kind)


_CARE_OF = re.compile(r"(?<=\S)\s(?=c/o\s)", re.IGNORECASE)


def _vocabulary(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Compared without case, dots, slashes and spaces: "S. à r.l." is "sàrl". None of these is a family name.
_LEGAL_FORMS = _vocabulary("""
    inc incorporated llc llp ltd limited corp corporation company plc cic &co &sons &cie
    gmbh ggmbh mbh &cokg ohg gbr
    sarl sàrl eurl sccl srl srls sapi sadecv sderldecv lda ltda eireli slu sll
    spzoo spj sro vos kft zrt nyrt doel eood ooo
    ltdşti ltdsti aş şti
    oy oyj aps bvba vof cvba
    ptyltd pty pteltd pte pvtltd pvt sdnbhd bhd tbk fze fzco fzllc wll kk
    """)
# Also words or names ("Maria Sa", "Doo", "As"): a legal form only with dots or a slash ("S.A.", "A/S", "e.V.") or in
# capitals next to a word that is not ("Nestbau AG").
_SHORT_LEGAL_FORMS = _vocabulary("sa sas sasu sl sc spa sca ab as asa ag ug kg kgaa ev eg ek se nv bv doo ad co")
_LONGEST_LEGAL_FORM_IN_WORDS = 5

_COMPANY_OPENINGS = _vocabulary("amazon ооо оао зао пао شركة مؤسسة")  # noqa: RUF001  # Cyrillic is meant
_UNSPACED_LEGAL_FORMS = re.compile(r"株式会社|有限会社|合同会社|合資会社|公司|주식회사|유한회사|\((?:株|有|주)\)")
_STORE_NUMBER = re.compile(r"#\s*\d+$")


def _is_company(name: str, company_name: str | None) -> bool:
    plain = unicodedata.normalize("NFKC", name)
    return (
        _squeezed(name) == _squeezed(cleaned(company_name) or "")
        or bool(_STORE_NUMBER.search(plain))
        or bool(_UNSPACED_LEGAL_FORMS.search(plain))
        or _squeezed(plain.split()[0]) in _COMPANY_OPENINGS
        or _ends_in_legal_form(plain)
    )


def _ends_in_legal_form(name: str) -> bool:
    words = name.split()[1:][-_LONGEST_LEGAL_FORM_IN_WORDS:]
    squeezed = [_squeezed(word) for word in words]
    return any(_is_legal_form("".join(squeezed[at:]), words[at:], name) for at in range(len(words)))


def _is_legal_form(form: str, words: list[str], name: str) -> bool:
    if form not in _SHORT_LEGAL_FORMS:
        return form in _LEGAL_FORMS
    written = " ".join(words)
    return "." in written or "/" in written or (len(words) == 1 and written.isupper() and not name.isupper())


_BETWEEN_LETTERS = re.compile(r"[\s.,/]+")


def _squeezed(text: str) -> str:
    return _BETWEEN_LETTERS.sub("", unicodedata.normalize("NFKC", text).casefold())


# No words that are names too: "Prince", "Dean" and "Don" are first names, "Md." is short for Mohammad.
_HONORIFICS = _vocabulary("""
    mr mrs ms miss mx mister dr prof professor sir madam
    herr frau hr fr dhr mevr mevrouw meneer
    mme mlle madame mademoiselle monsieur
    sr sra srta señor señora señorita senhor senhora dott signor signora
    κος κα smt श्रीमती السيد السيدة
    """)
# Written after the name, as separate words.
_TRAILING_HONORIFICS = _vocabulary("様 さま さん 殿 先生 女士 小姐 님 씨")
_SUFFIXES = _vocabulary("jr jnr sr snr esq ii iii iv")
_SUFFIXES_ALSO_FAMILY_NAMES = _vocabulary("junior júnior filho neto")  # "João Silva Neto", but also "Ana Neto"
_CREDENTIALS = _vocabulary("phd md mba dds")

_COMMA = re.compile(r"\s*[,\uff0c\u060c\u3001]\s*")  # Western, Chinese, Arabic and Japanese
# The beginnings of the Unicode names of their letters.
_UNSPACED_SCRIPT = re.compile("CJK|IDEOGRAPHIC|HIRAGANA|KATAKANA|HANGUL|THAI|LAO|KHMER|MYANMAR|TIBETAN")

_GIVEN_ROLES = frozenset({Role.TITLE, Role.GIVEN, Role.MIDDLE})
_FAMILY_ROLES = frozenset({Role.FAMILY, Role.SUFFIX})


@functools.cache
def _parser() -> Parser:
    """nameparser with a vocabulary of words that cannot be names.

    Its own titles, credentials and birth-name markers would take "Prince Rogers", "Anna Vi" or "Ida Ra" apart.
    """
    default = Lexicon.default()
    lexicon = replace(
        default,
        titles=_HONORIFICS,
        suffix_words=_SUFFIXES | _SUFFIXES_ALSO_FAMILY_NAMES | _TRAILING_HONORIFICS,
        suffix_acronyms=_CREDENTIALS,
        suffix_acronyms_ambiguous=_CREDENTIALS,
        maiden_markers=frozenset(),
        honorific_tails=frozenset(),
        particles_ambiguous=default.particles_ambiguous | {"das", "zu"},  # first names in Bengal and in China
    )
    # Japanese and Korean names without a space stay whole. With one, in katakana too, they start with the family name.
    family_first = (*DEFAULT_SCRIPT_ORDERS, (Script.KATAKANA, FAMILY_FIRST))
    return Parser(lexicon=lexicon, policy=Policy(segment_scripts=frozenset(), script_orders=family_first))


# Two words or more, without any sign in or between them that could have a meaning.
_PLAIN_WORD = "(?:[OD]['\u2019])?[A-Za-zÀ-ÖØ-öø-ÿ]{2,}(?:-[A-Za-zÀ-ÖØ-öø-ÿ]{2,})?"
_PLAIN_WORDS = re.compile(f"{_PLAIN_WORD}(?: {_PLAIN_WORD})+")
_ROMAN_NUMERAL_AT_THE_END = re.compile(" [IVX]+$", re.IGNORECASE)


@functools.cache
def _words_with_a_meaning() -> frozenset[str]:
    """Every word that the parser does not always take for a name."""
    lexicon = _parser().lexicon
    vocabularies = (
        lexicon.titles,
        lexicon.given_name_titles,
        lexicon.after_given_titles,
        lexicon.honorific_tails,
        lexicon.suffix_words,
        lexicon.suffix_acronyms,
        lexicon.suffix_acronyms_ambiguous,
        lexicon.particles,
        lexicon.particles_ambiguous,
        lexicon.conjunctions,
        lexicon.conjunctions_ambiguous,
        lexicon.bound_given_names,
        lexicon.maiden_markers,
        lexicon.surnames,
    )
    return frozenset(word for vocabulary in vocabularies for entry in vocabulary for word in entry.split())


def _is_plain(name: str) -> bool:
    """Whether `name` splits without the parser: its last word is the family name.

    Most names are plain, and the parser is the most expensive part of a verdict.
    """
    return (
        _PLAIN_WORDS.fullmatch(name) is not None
        and not _ROMAN_NUMERAL_AT_THE_END.search(name)
        and _words_with_a_meaning().isdisjoint(name.casefold().split())
    )


def _split_person(name: str) -> PersonName:
    if _is_plain(name):
        first, _, last = name.rpartition(" ")
        return _in_two_parts(first, last)
    words = [(word, role) for word, role in _words_with_roles(name) if not _is_honorific(word, role)]
    if any(role in _GIVEN_ROLES for _, role in words) and any(_is_family_name(word, role) for word, role in words):
        return _in_two_parts(*_parts(words))
    whole = " ".join(word for word, _ in words) or name
    return PersonName("", "", "blank") if is_blank(whole) else PersonName("", whole, _kind_of_one(whole))


def _in_two_parts(first: str, last: str) -> PersonName:
    names = [part for part in (first, last) if not is_blank(part)]
    if not names:
        return PersonName("", "", "blank")
    return PersonName(first, last, "person" if len(names) > 1 else _kind_of_one(names[0]))


def _kind_of_one(name: str) -> NameKind:
    return "unspacedScript" if _is_unspaced(name) else "singleWord"


def _words_with_roles(name: str) -> Iterator[tuple[str, Role | None]]:
    """Every word of `name` between spaces and commas, with its role; None for symbols alone."""
    spaced = _COMMA.sub(", ", name)
    role_at = {token.span.start: token.role for token in _parser().parse(spaced).tokens if token.span}
    for match in re.finditer(r"[^\s,]+", spaced):
        yield match.group(), next((role_at[at] for at in range(*match.span()) if at in role_at), None)


def _is_honorific(word: str, role: Role | None) -> bool:
    bare = word.casefold().rstrip(".")
    if role is Role.TITLE:  # and connectors, as in "Mr. and Mrs."; nameparser takes any "Md." for a title
        return bare in _HONORIFICS or bare in _parser().lexicon.conjunctions
    return role is Role.SUFFIX and bare in _TRAILING_HONORIFICS


def _is_family_name(word: str, role: Role | None) -> bool:
    """Whether `word` alone can be a family name. A Roman numeral can: "Vi" and "Xi" are names."""
    bare = word.casefold().replace(".", "")
    return role is Role.FAMILY or (role is Role.SUFFIX and bare not in _SUFFIXES | _CREDENTIALS)


def _parts(words: list[tuple[str, Role | None]]) -> tuple[str, str]:
    first: list[str] = []
    last: list[str] = []
    part = first
    for word, role in words:
        if role in _GIVEN_ROLES:
            part = first
        elif role in _FAMILY_ROLES:
            part = last
        part.append(word)  # a nickname or a symbol stays with the word before it
    return " ".join(first), " ".join(last)


def _is_unspaced(name: str) -> bool:
    """Whether `name` is one run of two letters or more in a script that writes names without a space."""
    letters = [character for character in unicodedata.normalize("NFKC", name) if character.isalpha()]
    is_unspaced = all(_UNSPACED_SCRIPT.match(unicodedata.name(letter, "")) for letter in letters)
    return is_unspaced and len(letters) > 1 and " " not in name
