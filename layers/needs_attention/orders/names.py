"""Splits the one name that Amazon gives into a first and a last name.

Amazon's `deliveryAddress.name` and `buyerName` are one string each (SP-API model orders_2026-01-01); a sales order
needs two. No split is right for everyone, so this one is careful: every word stays, in order within its part, and
`kind` says how far you can trust the split. Vietnamese, Hungarian and romanised Korean or Chinese names often put the
family name first, and nothing in the string shows it: their first word becomes the first name.

Half of this module are the words of many languages that are no names.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from needs_attention.orders.legal_forms import ENDINGS, has_legal_form, squeezed, vocabulary
from needs_attention.values.text import cleaned, is_blank

if TYPE_CHECKING:
    from nameparser import Parser

NameKind = Literal["person", "singleWord", "unspacedScript", "company", "blank"]


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name in two parts; only a "person" has both.

    Otherwise `last` holds the whole name: for a "singleWord" ("Cher", "Smith" of "Dr Smith", "de Mesnil", "Smith c/o",
    "Amazon Kunde": no first name next to a last one), for an "unspacedScript" (山田太郎: both names, written without a
    space) and for a "company". A "blank" has neither. A filler next to one name ("Ramesh .", which sites that want two
    boxes full make people type) stays the other part.
    """

    first: str
    last: str
    kind: NameKind


def split_name(raw: str | None, *, company_name: str | None = None) -> PersonName:
    """Splits `raw`, a name as Amazon writes it; `company_name` is the company at the same address, if any.

    It drops honorifics, the commas around family names and surplus white space, and nothing else.
    Words that a label needs and that are no name stay at the end of the last name: from "c/o" or "#204" on, and a
    marker ahead of the name ("Attn: Anna Moss" has the last name "Moss Attn:"). Never raises.
    """
    name = cleaned(raw)
    if name is None:
        return _NO_NAME
    if not _is_plain(name) or _may_be_more_than_a_name(name):
        return _split_with_signs(name, company_name)
    return PersonName("", name, "company") if _is_named_like(name, company_name) else _split_plain(name)


def load_parser() -> None:
    """Imports and makes the parser, so that the first name need not.

    A function that splits names calls it at its start, when Lambda gives it a whole processor.
    """
    _words_with_a_meaning()


def has_two_names(raw: str | None) -> bool:
    """Whether `split_name` certainly finds a first and a last name, or a company's: both ends of `raw` are plain names.

    It does without the parser, which is the most expensive part of a verdict. False says nothing about the name.
    """
    name = cleaned(raw)
    if name is None or " " not in name or _may_be_more_than_a_name(name):
        return False
    if _is_plain(name):
        return _split_plain(name).kind == "person"
    words = name.split()
    if len(words) == 2 or _bare(words[1]) in _conjunctions():  # "Anna y Moss" is one name to the parser
        return False
    are_ends_plain = _is_plain(f"{words[0]} {words[-1]}") and _LATIN.fullmatch(name) is not None
    parts = (words[-1], *(" ".join(words[:end]) for end in range(1, len(words))))  # "Not Available de Moss" has one
    return are_ends_plain and _apart(name)[1] == name and not any(map(is_blank, parts))


_NO_NAME = PersonName("", "", "blank")


def _joined(*parts: str) -> str:
    return " ".join(filter(None, parts))


def _split_with_signs(name: str, company_name: str | None) -> PersonName:
    ahead, addressee, behind = _apart(name)
    if addressee and (_is_named_like(addressee, company_name) or _is_company(addressee)):
        return PersonName("", name, "company")
    split = _split_person(addressee, is_announced=bool(ahead)) if addressee else _NO_NAME
    if split.kind == "person":
        return replace(split, last=_joined(split.last, ahead, behind))
    if split.kind == "blank":
        return PersonName("", _joined(ahead, behind), "singleWord") if behind else _NO_NAME
    return PersonName("", name, split.kind) if ahead or behind else split


# "In care of" and "for the attention of" in the languages of Amazon's marketplaces.
_MARKER_WORDS = vocabulary("attn atn attention chez presso zuhanden zhd zhdn")  # none of them is a name
# Words without which no phrase below is written in plain letters.
_WORDS_OF_MARKER_PHRASES = vocabulary("""
    care fao ftao händen haenden adresse attentie atención atencion atenção atencão atençao atencao cuidado cuidados
    soins
    """)
_MARKER_PHRASES = (
    r"c\s?[/\uff0f]\s?o",
    "℅",
    r"[ap]\s?/\s?a",
    r"a\s?/\s?c",
    "care of",
    "(?:for the )?attention of",
    r"[àa] l['\u2019 ]attention (?:de|du)",
    r"[àa] l['\u2019 ]attention d['\u2019](?=\w)",
    r"att(?=[.:])",
    "(?-i:FT?AO|ft?ao)",  # "Fao" is a name, as is "Alla" below
    r"f\.a\.o(?=[.:])",
    r"z\. ?hd",
    r"z hd",
    r"z\. ?h(?=\.)",
    r"z\.? hdn",
    "zu h(?:ä|ae)nden(?: von)?",
    "per adresse",
    r"t\. ?a\. ?v(?=\.)",
    "ter attentie van",
    "aux bons soins d[eu]",
    "(?:a la )?atenci[óo]n(?: de)?",
    "(?:à )?aten[çc][ãa]o(?: de)?",
    "aos? cuidados? de",
    r"all['\u2019]attenzione di",
    r"(?-i:alla c\. ?a\b)",
    "do rąk(?: własnych)?",
)
_MARKER = rf"(?:(?:{'|'.join((*_MARKER_PHRASES, *_MARKER_WORDS))})(?:[.:]+ ?|(?<=['\u2019℅]) ?| |$))"
_NUMBER_AT_THE_END = re.compile(r"(?<![\s,;])[\s,;]+(?=[#\uff03\ufe5f]\s?\d[\w/-]*$)")  # full-width and small ones too


@functools.cache
def _marker_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Compiled when a name first needs them: most cold starts split no such name."""
    ahead = re.compile(f"{_MARKER}+", re.IGNORECASE)
    return ahead, re.compile(rf"(?<![\s,;])[\s,;]+(?={_MARKER})", re.IGNORECASE)


def _apart(name: str) -> tuple[str, str, str]:
    """`name` as the markers ahead of the addressee, the addressee, and the words from a marker or a number on."""
    markers_ahead, from_a_marker_on = _marker_patterns()
    match = markers_ahead.match(name)
    ahead = match.group() if match else ""
    addressee, *care_of = from_a_marker_on.split(name[len(ahead) :], maxsplit=1)
    addressee, *number = _NUMBER_AT_THE_END.split(addressee, maxsplit=1)
    return ahead.strip(), addressee.strip(), _joined(*number, *care_of)


# The names that Amazon gives customers without one, as they stand above its reviews: "Amazon Customer", "Client
# d'Amazon", "Kindle-Kunde", "Amazon カスタマー". The hyphenated ones have one word and need no pattern of their own.
_LATIN_BRANDS = vocabulary("amazon kindle")
_BRAND = r"(?:amazon(?:\.[a-z.]+)?|kindle|アマゾン|亚马逊|亞馬遜|아마존|أمازون|امازون|אמזון|अमेज़न)"
_CUSTOMERS = vocabulary("""
    customer buyer shopper user member kunde kundin kunden käufer käuferin client cliente clienta klant klantin koper
    acheteur acheteuse acquirente utente comprador compradora kund köpare køber kjøper asiakas klient klientka kupujący
    zákazník zákaznice zákazníčka ügyfél vásárló müşteri müşterisi musterisi pelanggan
    カスタマー お客様 客户 顾客 買家 买家 顧客 고객 عميل عميلة زبون לקוח לקוחה ग्राहक
    """)
_CUSTOMER = f"(?:prime )?(?:{'|'.join(sorted(_CUSTOMERS))})"
_LINK = r"(?: (?:de|di|da|do|von|van|of|bei|fra|från) | d['\u2019]|[ -]?)"


@functools.cache
def _amazons_placeholder() -> re.Pattern[str]:
    return re.compile(rf"(?:{_BRAND}[ -]?{_CUSTOMER}|{_CUSTOMER}{_LINK}{_BRAND})\W*\d*", re.IGNORECASE)


@functools.cache
def _amazons_customer() -> re.Pattern[str]:
    return re.compile(rf"amazon\S*[ -]{_CUSTOMER}\b", re.IGNORECASE)


_COMPANY_OPENINGS = vocabulary("amazon ооо оао зао пао شركة مؤسسة")  # noqa: RUF001  # Cyrillic is meant


def _is_named_like(name: str, company_name: str | None) -> bool:
    return company_name is not None and squeezed(name) == squeezed(cleaned(company_name) or "")


def _is_company(name: str) -> bool:
    plain = unicodedata.normalize("NFKC", name)
    return _opens_as_company(plain) or has_legal_form(plain, _end_of_honorifics(plain))


def _opens_as_company(name: str) -> bool:
    return squeezed(name.split(maxsplit=1)[0]) in _COMPANY_OPENINGS and not _amazons_customer().match(name)


# Compared in small letters, without the dot behind. No words that are names too: "Prince", "Dean", "Don", "Sri" and
# "Bayan" are first names, "Bay" and "Pak" family names, "Md." is short for Mohammad.
_HONORIFICS = vocabulary("""
    mr mrs ms miss misses mx mister messrs mesdames dr prof professor doctor sir madam captain reverend family
    herr herrn frau hr hrn fr frl fräulein fraeulein familie eheleute ehepaar dipl-ing dr-ing
    dhr mevr mevrouw meneer mw mej mejuffrouw juffrouw drs mnr mev gezin
    mme mmes mlle mlles madame mademoiselle monsieur messieurs docteur maître vve veuve famille
    sr sra srta sres sras srtas señor señora señorita señores señoras senor senora senorita dña dª d.ª doña dra familia
    senhor senhora senhorita srs srª sr.ª drª dr.ª exmo exma família
    senyor senyora senyoreta senyors
    sig.ra sig.na sig.ri sigra sigg signor signora signore signorina signori
    dott dott.ssa dottssa dottor dottore dottoressa prof.ssa avv spett.le gent.ma gent.mo egr famiglia
    fru frue frk fröken frøken frú familjen familien
    herra hra rouva rva neiti perhe härra proua preili ponas ponia
    pani państwo panstwo rodzina paní pán slečna manželé rodina
    domnul doamna domnișoara domnişoara domnisoara d-l d-na
    gospodin gospođa gospodja gospođica gđa gdin gđica gospod gospa gospodična obitelj porodica družina
    sayın sayin
    κος κα κυρία κύριος κυρια κυριος δρ δις δίδα οικογένεια
    г-н г-жа господин госпожа доктор д-р проф семья семейство сім'я пані пани
    السيد السيدة الآنسة الانسة السادة الأستاذ الاستاذ الأستاذة الاستاذة الدكتور الدكتورة دكتور دكتورة المهندس المهندسة
    عائلة آقای خانم جناب محترم محترمہ
    מר גברת גב' גב׳ ד"ר ד״ר פרופ' פרופ׳ עו"ד עו״ד הרב משפחת לכבוד
    smt shri shrimati श्री श्रीमती सुश्री डॉ डा শ্রী শ্রীমতী জনাব திரு திருமதி శ్రీ శ్రీమతి
    คุณ นาย นาง นางสาว น.ส ดร ông bà encik puan bapak bpk ibu sdr sdri ginoo ginang binibini gng
    """)  # noqa: RUF001 - Greek and Cyrillic are meant
# Names too, or the beginnings of names ("Sig Hansen", "Rev", "Gen"): only with the dot.
_HONORIFICS_WITH_A_DOT = vocabulary("""
    rev hon capt col lt maj gen sgt cllr msgr ven sen gov amb
    fam ing ir mag dipl ds univ sig arch geom rag spett lic licda arq eng pr av sn doç uzm dl dna
    ilmo ilma mgr bc mudr judr phdr rndr doc er adv kum thiru tmt د م أ
    """)
# Behind a doctor's title, in small letters and with the dot: "Dr. rer. nat.", "Dr. phil.".
_FIELDS_OF_DOCTORS = vocabulary("med rer nat phil jur iur habil vet dent oec pol techn theol h.c")
# Names or initials too: only beside their partners ("Pan i Pani", "Bay/Bayan", "M. et Mme").
_PARTNERS = {
    "m": vocabulary("mme mlle madame mademoiselle"),
    "mm": vocabulary("mmes mlles mesdames"),
    "d": vocabulary("dña dª d.ª doña"),
    "pan": vocabulary("pani paní"),
    "bay": vocabulary("bayan"),
    "bayan": vocabulary("bay"),
    "пан": vocabulary("пані пани"),
}
_ALSO_INITIALS = frozenset({"m", "mm", "d"})
_PARTS_OF_COUPLES = _HONORIFICS | _PARTNERS.keys()
_COUPLING = vocabulary("& + / and or und oder u et ou y e i a en og och ja o ve si și и і й та και و")  # noqa: RUF001 - Cyrillic is meant
_BEHIND_HONORIFICS = vocabulary("of & + /")  # "Family of Moss", "Mr & Moss"
# Written after the name, as separate words.
_TRAILING_HONORIFICS = vocabulary("""
    様 さま さん サマ ちゃん くん 氏 殿 先生 女士 小姐 太太 님 씨 귀하 선생님
    family ailesi hanım úr asszony kisasszony család परिवार जी
    """)  # noqa: RUF001 - the letters of other scripts are meant
_SUFFIXES = vocabulary("jr jnr sr snr esq ii iii iv")
_SUFFIXES_ALSO_FAMILY_NAMES = vocabulary("junior júnior filho neto")  # "João Silva Neto", but also "Ana Neto"
_CREDENTIALS = vocabulary("phd md mba dds")

_COMMA = re.compile(r"\s*[,\uff0c\u060c\u3001]\s*")  # Western, Chinese, Arabic and Japanese
# The beginnings of the Unicode names of their letters.
_UNSPACED_SCRIPT = re.compile("CJK|IDEOGRAPHIC|HIRAGANA|KATAKANA|HANGUL|THAI|LAO|KHMER|MYANMAR|TIBETAN")

# nameparser's words for the parts of a name.
_GIVEN_ROLES = frozenset({"title", "given", "middle"})
_FAMILY_ROLES = frozenset({"family", "suffix"})


@functools.cache
def _parser() -> "Parser":
    """nameparser with a vocabulary of words that cannot be names.

    Its own titles, credentials and birth-name markers would take "Prince Rogers", "Anna Vi" or "Ida Ra" apart.
    """
    # Imported here: it takes 30 ms, and half of the functions split no name.
    from nameparser import (  # noqa: PLC0415 - see above
        DEFAULT_SCRIPT_ORDERS,
        FAMILY_FIRST,
        Lexicon,
        Parser,
        Policy,
        Script,
    )

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


# One word or more, without any sign in or between them that could have a meaning.
_PLAIN_WORD = "(?:[OD]['\u2019])?[A-Za-zÀ-ÖØ-öø-ÿ]{2,}(?:-[A-Za-zÀ-ÖØ-öø-ÿ]{2,})?"
_PLAIN_WORDS = re.compile(f"{_PLAIN_WORD}(?: {_PLAIN_WORD})*")
_LATIN = re.compile("[A-Za-zÀ-ÖØ-öø-ÿ .'\u2019-]+")
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


@functools.cache
def _conjunctions() -> frozenset[str]:
    lexicon = _parser().lexicon
    return lexicon.conjunctions | lexicon.conjunctions_ambiguous


def _is_plain(name: str) -> bool:
    """Whether `name` splits without the parser: its last word is the family name.

    Most names are plain, and the parser is the most expensive part of a verdict.
    """
    return (
        _PLAIN_WORDS.fullmatch(name) is not None
        and not _ROMAN_NUMERAL_AT_THE_END.search(name)
        and _words_with_a_meaning().isdisjoint(name.casefold().split())
    )


def _may_be_more_than_a_name(name: str) -> bool:
    """Whether a plain word of `name` can belong to a company, a marker or a couple's honorifics."""
    words = name.casefold().split()
    return words[-1] in ENDINGS or not _WORDS_OF_MORE_THAN_A_NAME.isdisjoint(words)


_WORDS_OF_MORE_THAN_A_NAME = frozenset(
    {*_MARKER_WORDS, *_WORDS_OF_MARKER_PHRASES, *_COMPANY_OPENINGS, *_LATIN_BRANDS, *_PARTS_OF_COUPLES}
)


def _split_plain(name: str) -> PersonName:
    first, _, last = name.rpartition(" ")
    return _in_two_parts(first, last)


def _split_person(addressee: str, *, is_announced: bool) -> PersonName:
    """Splits a name that a marker ahead of it may announce, as an honorific does."""
    start = _end_of_honorifics(addressee)
    name = addressee[start:]
    if not name:
        return PersonName("", addressee, "singleWord")
    return _split_names(name, is_announced=is_announced or start > 0)


def _split_names(name: str, *, is_announced: bool) -> PersonName:
    if is_blank(name):
        return _NO_NAME
    if _amazons_placeholder().fullmatch(name) or _is_one_name_with_particles(name, is_announced=is_announced):
        return PersonName("", name, "singleWord")
    if _is_plain(name):
        return _split_plain(name)
    words = [(word, role) for word, role in _words_with_roles(name) if not _is_honorific(word, role)]
    if any(role in _GIVEN_ROLES for _, role in words) and any(_is_family_name(word, role) for word, role in words):
        return _in_two_parts(*_parts(words))
    whole = " ".join(word for word, _ in words) or name
    return _NO_NAME if is_blank(whole) else PersonName("", whole, _kind_of_one(whole))


def _is_one_name_with_particles(name: str, *, is_announced: bool) -> bool:
    """Whether `name` is a family name alone: "van Dijk", "von der Heide".

    nameparser takes the first "van" for a first name, as in "Van Johnson". It is none in "Van der Heide", nor in small
    letters. But all of a name may be in small letters; then only an honorific ahead tells.
    """
    *particles, last = name.split()
    if not _parser().lexicon.particles.issuperset(particle.lower() for particle in particles):
        return False
    if len(particles) > 1 and particles[0].lower() in {"van", "von"}:
        return True
    return bool(particles) and particles[0].islower() and (is_announced or not last.islower())


# A word, or one of the signs that join a couple: "Mr/Mrs" has three pieces.
_PIECE = re.compile(r"[/&+]|[^\s,/&+]+")
_BEGINNING = re.compile(r"[^\s,/&+.]+")
_BEGINNINGS_OF_HONORIFICS = frozenset(
    word.partition(".")[0] for word in (*_HONORIFICS, *_HONORIFICS_WITH_A_DOT, *_PARTS_OF_COUPLES, "the")
)


def _end_of_honorifics(name: str) -> int:
    """Where the names begin, behind all honorifics ahead of them: 12 in "Mr & Mrs Dr. Moss".

    nameparser takes titles and "and" only; people write "Mr/Mrs", "M. et Mme" and "Prof.Dr." too.
    """
    beginning = _BEGINNING.match(name)
    if beginning is None or beginning.group().lower() not in _BEGINNINGS_OF_HONORIFICS:
        return 0
    pieces = list(_PIECE.finditer(name))
    words = [piece.group() for piece in pieces]
    at = 1 if words[0].lower() == "the" and words[-1].lower() == "family" else 0
    while at < len(words):
        if _is_couple(words[at : at + 3]):
            at += 3
        elif _is_honorific_ahead(words[at], is_first=at == 0) or (at and words[at].lower() in _BEHIND_HONORIFICS):
            at += 1
        else:
            break
    while 0 < at < len(pieces) and name[pieces[at].start() - 1] not in " ,":
        at -= 1  # "Mr/Moss" is one word
    return len(name) if at == len(pieces) else pieces[at].start()


def _is_couple(words: list[str]) -> bool:
    if len(words) < 3 or _bare(words[1]) not in _COUPLING:
        return False
    one, coupling, other = words
    if coupling.endswith(".") and coupling.isupper():  # "Mr. A. Herr"
        return False
    if not _is_honorific_beside(one, other) or not _is_honorific_beside(other, one):
        return False
    is_letter = len(_bare(coupling)) == 1 and coupling[0].isalpha()
    may_be_initials = is_letter and _bare(other) in _ALSO_INITIALS
    return not may_be_initials or (coupling.islower() and not one.islower())  # "Mme E M Moss", but "Pani i Pan Moss"


def _is_honorific_beside(word: str, other: str) -> bool:
    return _bare(word) in _HONORIFICS or _bare(other) in _PARTNERS.get(_bare(word), ())


def _is_honorific_ahead(word: str, *, is_first: bool) -> bool:
    parts = [part.strip("-") for part in re.findall(r"[^.]+\.?", word)]  # "Prof.Dr.", "Dr.-Ing."
    return _is_one_honorific(word, is_first=is_first) or (
        bool(parts) and all(_is_one_honorific(part, is_first=is_first) for part in parts)
    )


def _is_one_honorific(word: str, *, is_first: bool) -> bool:
    bare = _bare(word)
    if bare in _HONORIFICS:
        return True
    is_field = not is_first and word.islower() and bare in _FIELDS_OF_DOCTORS
    return word.endswith(".") and (is_field or bare in _HONORIFICS_WITH_A_DOT)


def _bare(word: str) -> str:
    return word.lower().rstrip(".:")


def _in_two_parts(first: str, last: str) -> PersonName:
    names = [part for part in (first, last) if not is_blank(part)]
    if not names:
        return _NO_NAME
    return PersonName(first, last, "person" if len(names) > 1 else _kind_of_one(names[0]))


def _kind_of_one(name: str) -> NameKind:
    return "unspacedScript" if _is_unspaced(name) else "singleWord"


def _words_with_roles(name: str) -> Iterator[tuple[str, str | None]]:
    """Every word of `name` between spaces and commas, with its role; None for symbols alone."""
    spaced = _COMMA.sub(", ", name)
    role_at = {token.span.start: token.role for token in _parser().parse(spaced).tokens if token.span}
    for match in re.finditer(r"[^\s,]+", spaced):
        yield match.group(), next((role_at[at] for at in range(*match.span()) if at in role_at), None)


def _is_honorific(word: str, role: str | None) -> bool:
    """Whether `word`, not ahead of all names, is an honorific, as in "Smith, Mrs. Anna" and "山田 太郎 様"."""
    if role == "title":  # and connectors, as in "Mr. and Mrs."; nameparser takes any "Md." for a title
        return _is_honorific_ahead(word, is_first=True) or _bare(word) in _parser().lexicon.conjunctions
    return role == "suffix" and _bare(word) in _TRAILING_HONORIFICS


def _is_family_name(word: str, role: str | None) -> bool:
    """Whether `word` alone can be a family name. A Roman numeral can: "Vi" and "Xi" are names."""
    bare = word.casefold().replace(".", "")
    return role == "family" or (role == "suffix" and bare not in _SUFFIXES | _CREDENTIALS)


def _parts(words: list[tuple[str, str | None]]) -> tuple[str, str]:
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
