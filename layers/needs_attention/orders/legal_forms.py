"""Tells companies by the legal form in their names: GmbH, S.r.l., 株式会社.

A person taken for a company would do harm: without a first name the order would pass all the same. A company taken for
a person does little: its name is split in two, and a label shows it as before. So letters that can be initials are.
"""

import re
import unicodedata


def vocabulary(words: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(words.split())


# Compared without case, dots, slashes and spaces: "S. à r.l." is "sàrl". None of these is a family name: "Company" is
# one in Catalonia, and counts only behind a "&".
_LEGAL_FORMS = vocabulary("""
    inc incorporated llc llp ltd limited corp corporation plc &co &sons &cie &company andcompany
    gmbh ggmbh mbh &cokg ohg gbr
    sarl sàrl eurl sccl srl srls sapi sadecv sderldecv lda ltda eireli slu sll
    spzoo spj sro kft zrt nyrt doel eood ood jdoo
    ltdşti ltdsti aş şti
    oy oyj bvba vof cvba
    ptyltd pty pteltd pte pvtltd pvt sdnbhd bhd tbk fze fzco fzllc wll
    """)
# Also words or names ("Maria Sa", "Doo", "As", "Jan Vos"): a legal form only in letters apart that cannot be initials
# ("e.V.", "A/S", "S. p. A."), or with a capital that no name has there ("Nestbau AG", "Muster eV", "Eksempel ApS").
_LEGAL_FORMS_ALSO_NAMES = vocabulary("""
    sa sas sasu sl spa sca ab as asa ag ug kg kgaa se nv bv doo dd aps vos cic ad sc ev eg ek kk ks vz co
    """)
# Those that firms seldom write in bare capitals, and people do: "Jones AD", "Sharma KK", "Jan VOS".
_RARELY_IN_BARE_CAPITALS = vocabulary("ad dd sc ev eg ek kk ks vz vos")
_LONGEST_LEGAL_FORM_IN_WORDS = 5
_MOST_NAMES_AND_INITIALS = 4
# How the last word of a name with a legal form ends, at least.
ENDINGS = frozenset(form[at:] for form in _LEGAL_FORMS | _LEGAL_FORMS_ALSO_NAMES for at in range(len(form)))
_UNSPACED_LEGAL_FORMS = re.compile(r"株式会社|有限会社|合同会社|合資会社|公司|주식회사|유한회사|\((?:株|有|주)\)")


def has_legal_form(name: str, start: int) -> bool:
    """Whether `name`, in NFKC and without white space around it, is one of a company; honorifics end at `start`."""
    if _UNSPACED_LEGAL_FORMS.search(name):
        return True
    words = name.split()
    letters = [squeezed(word) for word in words]
    openings = range(max(1, len(words) - _LONGEST_LEGAL_FORM_IN_WORDS), len(words))
    return any(_is_legal_form("".join(letters[at:]), words[at:], words[:at], start) for at in openings)


def _is_legal_form(form: str, words: list[str], before: list[str], start: int) -> bool:
    if form not in _LEGAL_FORMS and form not in _LEGAL_FORMS_ALSO_NAMES:
        return False
    written = " ".join(words)
    if form == "co":
        return written.endswith(".") and len(before) > 1
    groups = re.findall(r"\w+", written)
    if len(groups) > 1:
        return "/" in written or not _can_be_initials(groups, before, start)
    if form in _LEGAL_FORMS:
        return True
    if " ".join(before).isupper() or not any(letter.isupper() for letter in groups[0][1:]):
        return False
    return form not in _RARELY_IN_BARE_CAPITALS or not groups[0].isupper()


def _can_be_initials(letters: list[str], before: list[str], start: int) -> bool:
    """Whether a legal form in single letters can be the initials of a person, behind the words `before` them.

    A person with initials has four names and initials at most: "Nair A.G.", "Arun Kumar S.A." and "Rao S.R.L." can be
    people; "Exemple S.A.R.L.", "Esempio Vini S.R.L." and "Müller & Söhne A.G." cannot. Real firms are among the former
    ("Ejemplo S.A."), and become people too.

    Initials are capitals. So "S.r.l.", "s.r.o." and "e.V." are no initials, unless the whole name is in small letters.
    "A.g." is what a phone makes of "a.g.". "Ş" is no initial: those who write it put their initials ahead.
    """
    written = "".join(letters)
    ahead = " ".join(before)
    names = ahead[start:].split()
    return (
        all(len(letter) == 1 for letter in letters)
        and len(letters) + len(names) <= _MOST_NAMES_AND_INITIALS
        and written.isascii()
        and (written.isupper() or (len(letters) == 2 and written[0].isupper()) or ahead.islower())
    )


_BETWEEN_LETTERS = re.compile(r"[\s.,/]+")


def squeezed(text: str) -> str:
    """Without case, dots, slashes and spaces, in NFKC."""
    return _BETWEEN_LETTERS.sub("", unicodedata.normalize("NFKC", text).casefold())
