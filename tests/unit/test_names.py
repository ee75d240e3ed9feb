# ruff: noqa: RUF001  # other scripts than Latin are the point
# other scripts than Latin are the point

import re
from collections import Counter
from unittest.mock import patch

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from nameparser import Lexicon

from needs_attention.orders.legal_forms import vocabulary
from needs_attention.orders.names import PersonName, has_two_names, load_parser, split_name
from needs_attention.values.text import cleaned, is_blank

PEOPLE = [
    # raw, first, last
    ("Ana Souza", "Ana", "Souza"),
    ("  Ana \u00a0 Souza ", "Ana", "Souza"),
    ("ANA SOUZA", "ANA", "SOUZA"),
    ("Maria Silva Santos", "Maria Silva", "Santos"),
    ("J. R. Hartley", "J. R.", "Hartley"),
    ("Mary Ann Smith-Jones", "Mary Ann", "Smith-Jones"),
    ("O'Brien Patrick", "O'Brien", "Patrick"),
    ("Jean-Luc D'Argent", "Jean-Luc", "D'Argent"),
    ("Jane Doe née Jones", "Jane Doe née", "Jones"),
    ("Jennifer Null", "Jennifer", "Null"),
    ("Yu Na", "Yu", "Na"),
    ("A B", "A", "B"),
    # particles
    ("María de la Cruz García", "María", "de la Cruz García"),
    ("JANE DE LA CRUZ", "JANE", "DE LA CRUZ"),
    ("Anne-Marie van der Berg", "Anne-Marie", "van der Berg"),
    ("Hans-Peter von und zu Steinfels", "Hans-Peter", "von und zu Steinfels"),
    ("Ali bin Talib", "Ali", "bin Talib"),
    ("Omar ibn Musa al-Basri", "Omar", "ibn Musa al-Basri"),
    ("Ahmed El-Sayed", "Ahmed", "El-Sayed"),
    ("Abdul Rahman", "Abdul", "Rahman"),
    ("Abdul Rahman Khan", "Abdul Rahman", "Khan"),
    ("Abu Bakr", "Abu", "Bakr"),
    ("Leonardo da Vinci", "Leonardo", "da Vinci"),
    ("Van Johnson", "Van", "Johnson"),
    ("van johnson", "van", "johnson"),
    ("Mr Van Johnson", "Van", "Johnson"),
    ("van Dijk Anna", "van Dijk", "Anna"),
    ("Das Kumar", "Das", "Kumar"),
    ("Zu Chen", "Zu", "Chen"),
    # Last, First
    ("Smith, John", "John", "Smith"),
    ("SMITH,JOHN", "JOHN", "SMITH"),
    ("van Gogh, Vincent", "Vincent", "van Gogh"),
    ("De La Cruz, Maria", "Maria", "De La Cruz"),
    ("Smith, Dr. John", "John", "Smith"),
    ("Smith, John Mr", "John", "Smith"),
    ("Smith Jr., John", "John", "Smith Jr."),
    ("Smith, John, Jr.", "John", "Smith Jr."),
    ("佐藤\uff0c花子", "花子", "佐藤"),
    # suffixes
    ("John Smith Jr.", "John", "Smith Jr."),
    ("John Smith, Jr.", "John", "Smith Jr."),
    ("Dr. Juan Q. Xavier de la Vega III", "Juan Q. Xavier", "de la Vega III"),
    ("John Smith MD", "John", "Smith MD"),
    ("Anna Smith, PhD", "Anna", "Smith PhD"),
    ("Rahim Md", "Rahim", "Md"),
    ("João Silva Neto", "João", "Silva Neto"),
    ("Ana Neto", "Ana", "Neto"),
    ("Carlos Júnior", "Carlos", "Júnior"),
    ("Anna Vi", "Anna", "Vi"),
    ("Wei Xi", "Wei", "Xi"),
    ("Charles Stone VI", "Charles", "Stone VI"),
    ("Ida Ra", "Ida", "Ra"),
    ("Jack Ma", "Jack", "Ma"),
    # honorifics go, names that look like titles stay
    ("Mr John Smith", "John", "Smith"),
    ("Mr. and Mrs. John Smith", "John", "Smith"),
    ("Frau Dr. Anna Müller", "Anna", "Müller"),
    ("mr c. smith", "c.", "smith"),
    ("Mr A D Moss", "A D", "Moss"),
    ("Mr. E. D. Moss", "E. D.", "Moss"),
    ("mr e d moss", "e d", "moss"),
    ("Mme E M Moss", "E M", "Moss"),
    ("Mr Si M Moss", "Si M", "Moss"),
    ("M E Bay", "M E", "Bay"),
    ("Mr I Pan", "I", "Pan"),
    ("Mr A,D Moss", "D Moss", "A"),
    ("Dr. E. Herr", "E.", "Herr"),
    ("Mr. A. Miss Moss", "A. Miss", "Moss"),
    ("Mr & José Souza", "José", "Souza"),
    ("Sra. Juana Pérez", "Juana", "Pérez"),
    ("Prince Rogers Nelson", "Prince Rogers", "Nelson"),
    ("King Charles", "King", "Charles"),
    ("Dean Martin", "Dean", "Martin"),
    ("Don Johnson", "Don", "Johnson"),
    ("Lady Gaga", "Lady", "Gaga"),
    ("Md. Rahim Uddin", "Md. Rahim", "Uddin"),
    ("Md. Rahman", "Md.", "Rahman"),
    ("St. John Rivers", "St. John", "Rivers"),
    # nicknames, couples, symbols and c/o lose nothing
    ("John (Johnny) Smith", "John (Johnny)", "Smith"),
    ('John "Jack" Smith', 'John "Jack"', "Smith"),
    ("John Smith (flat 2)", "John", "Smith (flat 2)"),
    ("John & Jane Smith", "John & Jane", "Smith"),
    ("José e Maria Santos", "José e Maria", "Santos"),
    ("Ana Souza 😀", "Ana", "Souza 😀"),
    ("😀 Ana Souza", "😀 Ana", "Souza"),
    ("Anna Schmidt c/o Steinmetz GmbH", "Anna", "Schmidt c/o Steinmetz GmbH"),
    # family name first, as the script tells
    ("山田 太郎", "太郎", "山田"),
    ("佐藤\u3000花子", "花子", "佐藤"),
    ("山田 太郎 様", "太郎", "山田"),
    ("ヤマダ タロウ", "タロウ", "ヤマダ"),
    ("山田 タロウ", "タロウ", "山田"),
    ("王 小明", "小明", "王"),
    ("김 민준", "민준", "김"),
    # first word first, whatever the custom at home: nothing in the string shows it
    ("Nguyễn Văn An", "Nguyễn Văn", "An"),
    ("Kim Min-jun", "Kim", "Min-jun"),
    # other scripts
    ("Иван Иванов", "Иван", "Иванов"),
    ("محمد علي", "محمد", "علي"),
    ("אבי כהן", "אבי", "כהן"),
    ("Γιώργος Παπαδόπουλος", "Γιώργος", "Παπαδόπουλος"),
    ("สมชาย ใจดี", "สมชาย", "ใจดี"),
    ("राम कुमार", "राम", "कुमार"),
]
SINGLE_WORDS = [
    # raw, last
    ("Cher", "Cher"),
    ("O'Brien", "O'Brien"),
    ("Ng", "Ng"),
    ("J", "J"),
    ("王", "王"),
    ("Dr Smith", "Smith"),
    ("Mr. & Mrs. Smith", "Smith"),
    ("Smith, Mr", "Smith"),
    ("Mr Smith Jr", "Smith Jr"),
    ("John Jr.", "John Jr."),
    ("Smith M.D.", "Smith M.D."),
    ("Smith, Jr.", "Smith Jr."),
    ("Smith,", "Smith"),
    ("de Mesnil", "de Mesnil"),
    ("de la Cruz", "de la Cruz"),
    ("van Dijk", "van Dijk"),
    ("von der Heide", "von der Heide"),
    ("frau von moss", "von moss"),
    ("Van der Heide", "Van der Heide"),
    ("van der heide", "van der heide"),
    ("John & Jane", "John & Jane"),
    ("Ms", "Ms"),
    ("Neto", "Neto"),
    ("Ltd", "Ltd"),
    ("Cher c/o Anna Schmidt", "Cher c/o Anna Schmidt"),
]
UNSPACED = [
    "山田太郎",
    "王小明",
    "高橋みなみ",
    "マイケル",
    "ﾔﾏﾀﾞﾀﾛｳ",
    "佐々木",
    "김민준",
    "สมชายใจดี",
    "ສົມຊາຍ",
    "សុខសាន្ត",
    "အောင်ဆန်း",
]
COMPANIES = [
    "Steinmetz Industries LLC",
    "Smith & Sons",
    "Müller & Co",
    "Smith & Co. KG",
    "Steinmetz GmbH",
    "Nestbau AG",
    "Muster e.V.",
    "Boulangerie Exemple S.à r.l.",
    "Exemple SARL",
    "Exemple SAS",
    "Ejemplo S.A. de C.V.",
    "Esempio S.r.l.",
    "Esempio S. p. A.",
    "Exemplo Ltda",
    "Eksempel A/S",
    "Eksempel a/s",
    "Exempel AB",
    "Esimerkki Oy",
    "Przykład Sp. z o.o.",
    "Příklad s.r.o.",
    "Primjer d.o.o.",
    "Példa Kft.",
    "Örnek A.Ş.",
    "Örnek Ltd. Şti.",
    "Example Pty Ltd",
    "Example Pvt. Ltd.",
    "Example Pte. Ltd.",
    "Contoh Sdn Bhd",
    "EXAMPLE TRADING LIMITED",
    "Example Trading Co.",
    "ООО Ромашка",
    "شركة المثال",
    "株式会社山田",
    "山田商店(株)",
    "㈱山田",
    "北京示例有限公司",
    "(주)예시",
    "Amazon EU SARL",
    "Amazon.com Services LLC",
    "Amazon Locker - Blue Heron",
    "Amazon Hub Counter",
    "Amazon",
    # An unambiguous spelling of a form that can be initials elsewhere.
    "Beispiel GmbH & Co. KG",
    "Beispiel G.m.b.H.",
    "Beispiel e. K.",
    "Beispiel eG",
    "Beispiel KGaA",
    "Esempio S.r.l.",
    "ESEMPIO SRL",
    "Esempio SpA",
    "Exemple S.A.R.L.",
    "Exemplo S/A",
    "Eksempel ApS",
    "Eksempel A/S",
    "Příklad a.s.",
    "Primjer d.d.",
    "Example CIC",
    "Blue Heron & Company",
    # More names and initials than a person has.
    "Esempio Vini S.R.L.",
    "Industrias Ejemplo del Sur S.A.",
    "Müller & Söhne A.G.",
    "Voorbeeld Handel Noord B.V.",
    "Example Trading Japan K.K.",
    "Amazon Locker Blue",
]
PEOPLE_THAT_LOOK_LIKE_COMPANIES = [
    "Maria Sa",
    "MARIA SA",
    "Maria Sa.",
    "Scooby Doo",
    "Juan Co",
    "Juan Co.",
    "Johann As",
    "Jo Ag",
    "Ada Se",
    "Jan Vos",
    "Jan VOS",
    "Ana Cic",
    "Joan Company",
    "Ana Corpo",
    "Ben Ltdson",
    "Jones AD",
    "Sharma KK",
    "Park EK",
    "Arun Kumar S.A.",
    "Mr Arun Kumar S.A.",
    "Herr und Frau Nair A.G.",
    "Nair, A.G.",
    "Rao S.R.L.",
    "Yılmaz A.S.",
    "Voorbeeld B.V.",  # a firm, but nothing tells it from "Rao B.V."
    "Ejemplo S.L.",
]
INITIALS_THAT_SPELL_LEGAL_FORMS = [
    "AB",
    "AD",
    "AG",
    "AS",
    "BV",
    "DD",
    "EG",
    "EK",
    "EV",
    "KG",
    "KK",
    "KS",
    "NV",
    "SA",
    "SC",
    "SE",
    "SL",
    "UG",
    "ASA",
    "SAS",
    "SPA",
    "SRL",
    "SRO",
]
SPELLINGS_OF_INITIALS = {
    "A.G.": lambda letters: ".".join(letters) + ".",
    "A. G.": lambda letters: ". ".join(letters) + ".",
    "A.G": ".".join,
    "A G": " ".join,
}
AMAZONS_PLACEHOLDERS = [
    "Amazon Customer",
    "AMAZON CUSTOMER",
    "amazon customer",
    "Amazon Kunde",
    "Amazon-Kunde",
    "Amazon.de Kunde",
    "Client Amazon",
    "Client d'Amazon",
    "Client d\u2019Amazon",
    "Cliente Amazon",
    "Cliente de Amazon",
    "Cliente da Amazon",
    "Amazon klant",
    "Amazon-kund",
    "Klient Amazon",
    "Amazon Müşterisi",
    "AMAZON MÜŞTERİSİ",
    "Amazon カスタマー",
    "Amazonカスタマー",
    "アマゾンカスタマー",
    "亚马逊客户",
    "عميل أمازون",
    "Amazon ग्राहक",
    "Kindle Customer",
    "Kindle-Kunde",
    "Amazon Prime Customer",
    "Amazon Customer 2",
    "Attn: Amazon Kunde",
]
HONORIFICS_IN_LINES = """
    Mr|Mrs.|MS|mx|Mr/Mrs|Mr./Mrs.|Mr / Mrs|Mr & Mrs|Mr. and Mrs.|Mr or Mrs|Mr + Mrs|Messrs.|Dr|Prof. Dr.|Prof.Dr.|Rev.
    |Reverend|Hon.|Capt.|Captain|Hra|Rva|Lt. Col.|Family|Family of
    |Herr|Frau|Herrn|Hr.|Frl.|Herr/Frau|Frau/Herr|Herr u. Frau|Herr und Frau Dr.|Herr Dr.|Dr. med.|Dr. rer. nat.
    |Dr.-Ing.|Herr Dipl.-Ing.|Dr. h.c.|Familie|Fam.|Eheleute
    |Mw.|Mw|Mevr.|Dhr.|Dhr. en Mevr.|Drs.|Ir.
    |Mme|M. et Mme|M./Mme|Mme et M.|MME ET M.|Mme & M|Mme ou M.|Mlle|Veuve|Messieurs|Maître Dr.|Famille
    |Sr.|Sra.|Sr. y Sra.|Sres.|Dña.|D. y Dña.|D. Y DÑA.|Dña. y D.|Familia|Lic.|Exmo. Sr.|Sr.ª|Srª|Dr.ª|Família|Senyora
    |Sig.|Sig.ra|Sig.na|SIG.RA|Dott.|Dott.ssa|Prof.ssa|Avv.|Ing.|Spett.le|Famiglia
    |Fru|Hr. & Fru|Frøken|Fröken|Familien|Familjen|Herra|Rouva|Neiti|Perhe
    |Pani|Pan/Pani|Pan i Pani|Pani i Pan|PAN I PANI|PANI I PAN|pani i pan|Пані й Пан
    |Państwo|Paní|Slečna|Mgr.|Ing. Mgr.|Rodina|D-na|Domnul|Gospođa|Gospa
    |Sayın|SAYIN|Sn.|Bay/Bayan|Bay ve Bayan|Bayan ve Bay|Av.
    |κος|ΚΟΣ|Κα|Κυρία|Г-н|Г-жа|Господин|г-н и г-жа|Семья|Пані|пан/пані
    |السيد|السيدة|الدكتورة|د.|عائلة|آقای|מר|גברת|ד"ר|משפחת|श्री|श्रीमती|डॉ.|Shri|Smt.|জনাব|திரு
    |คุณ|Ông|Bà|Encik|Puan|Bapak|Ginang
"""
HONORIFICS = [honorific.strip() for honorific in HONORIFICS_IN_LINES.split("|")]
MARKERS_IN_LINES = """
    c/o|C/O|c/o:|c / o|℅|care of|A/A|A/C|p/a|Attn:|Attn|ATTN|attn.|Attention:|Attention|Attention of|att.|Att:
    |For the attention of|FAO|FTAO|f.a.o.|z. Hd.|z.Hd.|z.Hd|Z. HD.|zHd|z. H.|z.H.|z. Hdn.|zu Händen|zu Händen von
    |zu Haenden|zuhanden|per Adresse|t.a.v.|T.A.V.|ter attentie van|à l'attention de|A l\u2019attention de
    |A L ATTENTION DE|chez|a la atención de|Atención:|Atn.|à atenção de|aos cuidados de|presso|all'attenzione di
    |aux bons soins de|alla c.a.|do rąk|do rąk własnych|Attn: c/o
"""
MARKERS = [marker.strip() for marker in MARKERS_IN_LINES.split("|")]

names = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(
            [
                "Ana",
                "de",
                "von",
                "Mr.",
                "and",
                "Jr.",
                "Smith",
                "王",
                "太郎",
                "&",
                "(",
                ")",
                ",",
                "c/o",
                "Attn:",
                "SA",
                "A.G.",
                "K",
                "#12",
                "Fru",
                "/",
                "of",
                "The",
                "Family",
                "M.",
                "Amazon",
                "Kunde",
                "-",
                '"x"',
            ]
        )
    ).map(" ".join),
    st.sampled_from(PEOPLE).map(lambda row: row[0]),
)


@pytest.mark.parametrize(("raw", "first", "last"), PEOPLE)
def test_a_persons_name_splits_into_first_and_last(raw: str, first: str, last: str) -> None:
    assert split_name(raw) == PersonName(first, last, "person")


@pytest.mark.parametrize(("raw", "last"), SINGLE_WORDS)
def test_one_name_alone_is_kept_as_the_last_name(raw: str, last: str) -> None:
    assert split_name(raw) == PersonName("", last, "singleWord")


@pytest.mark.parametrize("raw", UNSPACED)
def test_a_name_in_a_script_without_spaces_is_kept_whole(raw: str) -> None:
    assert split_name(raw) == PersonName("", raw, "unspacedScript")


def test_an_honorific_behind_an_unspaced_name_is_dropped() -> None:
    assert split_name("山田太郎 様") == PersonName("", "山田太郎", "unspacedScript")


@pytest.mark.parametrize("raw", COMPANIES)
def test_a_company_is_not_split(raw: str) -> None:
    assert split_name(raw) == PersonName("", raw, "company")


def test_a_name_equal_to_the_company_name_is_a_company() -> None:
    assert split_name("Blue Heron", company_name="BLUE  HERON.") == PersonName("", "Blue Heron", "company")


@pytest.mark.parametrize("company_name", [None, "", "[Redacted]", "Blue Heron"])
def test_a_person_at_a_company_stays_a_person(company_name: str | None) -> None:
    assert split_name("Ana Souza", company_name=company_name).kind == "person"


def test_a_company_in_care_of_a_person_stays_a_company() -> None:
    assert split_name("Steinmetz GmbH c/o Ana Souza") == PersonName("", "Steinmetz GmbH c/o Ana Souza", "company")


@pytest.mark.parametrize("raw", PEOPLE_THAT_LOOK_LIKE_COMPANIES)
def test_a_person_whose_name_ends_like_a_legal_form_stays_a_person(raw: str) -> None:
    assert split_name(raw).kind == "person"


@pytest.mark.parametrize("spelling", SPELLINGS_OF_INITIALS)
@pytest.mark.parametrize("letters", INITIALS_THAT_SPELL_LEGAL_FORMS)
def test_initials_behind_a_surname_make_no_company(letters: str, spelling: str) -> None:
    initials = SPELLINGS_OF_INITIALS[spelling](letters)
    for raw in (f"Nair {initials}", f"NAIR {initials}", f"nair {initials.lower()}", f"Nair, {initials}"):
        split = split_name(raw)
        assert split.kind == "person"
        assert not is_blank(split.first)
        assert words(f"{split.first} {split.last}") == words(raw)


@pytest.mark.parametrize("letters", [form for form in INITIALS_THAT_SPELL_LEGAL_FORMS if len(form) == 2])
def test_initials_behind_two_names_make_no_company(letters: str) -> None:
    initials = SPELLINGS_OF_INITIALS["A.G."](letters)
    assert split_name(f"Arun Kumar {initials}") == PersonName("Arun Kumar", initials, "person")


def test_a_company_name_at_the_address_proves_what_initials_do_not() -> None:
    assert split_name("Ejemplo S.L.", company_name="EJEMPLO SL") == PersonName("", "Ejemplo S.L.", "company")


@pytest.mark.parametrize("number", ["#204", "#1234", "# 5", "#12B", "#3-7", "\uff034"])
def test_a_number_behind_a_name_is_no_name_and_no_shop(number: str) -> None:
    assert split_name(f"John Doe {number}") == PersonName("John", f"Doe {number}", "person")
    assert split_name(f"Cher {number}") == PersonName("", f"Cher {number}", "singleWord")
    assert split_name(f"Cher {number} c/o Moss") == PersonName("", f"Cher {number} c/o Moss", "singleWord")


def test_care_of_nobody_is_no_name_and_no_company() -> None:
    assert split_name("Maria Sanchez c/o") == PersonName("Maria", "Sanchez c/o", "person")
    assert split_name("Smith c/o") == PersonName("", "Smith c/o", "singleWord")
    assert split_name("Smith, c/o") == PersonName("", "Smith, c/o", "singleWord")


@pytest.mark.parametrize("raw", AMAZONS_PLACEHOLDERS)
def test_amazons_placeholder_for_a_customer_is_one_name(raw: str) -> None:
    assert split_name(raw) == PersonName("", raw, "singleWord")


def test_a_name_behind_amazons_placeholder_makes_a_person() -> None:
    assert split_name("Amazon Customer Anna Moss") == PersonName("Amazon Customer Anna", "Moss", "person")


@pytest.mark.parametrize("honorific", HONORIFICS)
def test_an_honorific_is_no_first_name(honorific: str) -> None:
    for one in ("Moss", "de Vries", "van Dijk", "Von der Heide", "O'Brien-Moss"):
        assert split_name(f"{honorific} {one}") == PersonName("", one, "singleWord")


@pytest.mark.parametrize("honorific", HONORIFICS)
def test_an_honorific_ahead_of_two_names_is_dropped(honorific: str) -> None:
    assert split_name(f"{honorific} Anna Moss") == PersonName("Anna", "Moss", "person")


@pytest.mark.parametrize(
    "raw", ["The Moss Family", "Moss Family", "Moss Ailesi", "Kovács úr", "Tanaka 様", "Moss, Sig."]
)
def test_an_honorific_behind_one_name_makes_no_second_one(raw: str) -> None:
    split = split_name(raw)
    assert (split.first, split.kind) == ("", "singleWord")


@pytest.mark.parametrize(
    "raw",
    ["Rossi, Sig.ra Anna", "Rossi, Dott.ssa Anna", "Rossi, Rev. Anna", "Anna Rossi Family", "The Anna Rossi Family"],
)
def test_an_honorific_between_or_behind_two_names_is_dropped(raw: str) -> None:
    assert split_name(raw) == PersonName("Anna", "Rossi", "person")


@pytest.mark.parametrize(
    "raw",
    [
        "Pan Wei",
        "Melle Jansen",
        "Ilma Virtanen",
        "Bay Nguyen",
        "Kun Bay",
        "Bayan Haddad",
        "Sig Hansen",
        "Gen Ito",
        "Er Li",
        "Sri Devi",
        "Prince Moss",
        "Major Moss",
        "Ing Moss",
        "Fam Moss",
        "The Nguyen",
        "Wm. Moss",
        "M. Moss",
        "M & D Moss",
        "nat. Moss",
        "Fao Li",
        "Att Moss",
        "Alla C.A.",
        "Amazonia Moss",
    ],
)
def test_a_word_that_is_also_a_name_is_no_honorific_and_no_marker(raw: str) -> None:
    first, last = raw.rsplit(" ", 1)
    assert split_name(raw) == PersonName(first, last, "person")


@pytest.mark.parametrize("raw", ["Herr", "Herr und Frau", "Family", "The Family", "Dr. rer. nat."])
def test_honorifics_alone_are_kept(raw: str) -> None:
    assert split_name(raw) == PersonName("", raw, "singleWord")


def test_a_word_that_only_begins_with_an_honorific_is_kept_whole() -> None:
    assert split_name("Mr/Moss") == PersonName("", "Mr/Moss", "singleWord")
    assert split_name("Mr. Mr/Moss Anna") == PersonName("Mr/Moss", "Anna", "person")


@pytest.mark.parametrize("marker", MARKERS)
def test_a_marker_ahead_of_one_name_is_no_first_name(marker: str) -> None:
    for one in ("Moss", "de Vries", "van Dijk", "von der Heide", "Frau Moss", "Frau von Moss"):
        assert split_name(f"{marker} {one}") == PersonName("", f"{marker} {one}", "singleWord")


@pytest.mark.parametrize("marker", MARKERS)
def test_a_marker_ahead_of_two_names_goes_behind_them(marker: str) -> None:
    assert split_name(f"{marker} Anna Moss") == PersonName("Anna", f"Moss {marker}", "person")
    assert split_name(f"{marker} Mrs Anna Moss #4") == PersonName("Anna", f"Moss {marker} #4", "person")


@pytest.mark.parametrize("marker", MARKERS)
def test_the_words_from_a_marker_on_stay_behind_the_name(marker: str) -> None:
    assert split_name(f"Anna Moss, {marker} Ada Quill") == PersonName("Anna", f"Moss {marker} Ada Quill", "person")
    assert split_name(f"Cher {marker} Ada Quill") == PersonName("", f"Cher {marker} Ada Quill", "singleWord")


@pytest.mark.parametrize("raw", ["Attn:Moss", "z.Hd.Moss", "A l'attention d'Anna"])
def test_a_marker_may_touch_the_name(raw: str) -> None:
    assert split_name(raw) == PersonName("", raw, "singleWord")


@pytest.mark.parametrize("raw", ["Attn: Steinmetz GmbH", "Steinmetz GmbH, Attn: Anna Moss", "c/o Steinmetz GmbH #4"])
def test_a_company_with_a_marker_stays_a_company(raw: str) -> None:
    assert split_name(raw) == PersonName("", raw, "company")


@pytest.mark.parametrize("raw", ["c/o", "Attn:", "Attn: N/A", "c/o .", "FAO [Redacted]"])
def test_a_marker_without_a_name_is_blank(raw: str) -> None:
    assert split_name(raw) == PersonName("", "", "blank")


@pytest.mark.parametrize("raw", [None, "", " \u3000", ".", ",", "[Redacted]", "Not Provided"])
def test_a_blank_name_is_blank(raw: str | None) -> None:
    assert split_name(raw) == PersonName("", "", "blank")


@pytest.mark.parametrize("raw", [". .", "N/A N/A", "- N/A", "Mr. .", "Frau N/A"])
def test_fillers_alone_are_no_name_however_many(raw: str) -> None:
    assert is_blank(split_name(raw).first)
    assert split_name(raw).kind == "blank"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Ramesh .", PersonName("Ramesh", ".", "singleWord")),
        (". Ramesh", PersonName(".", "Ramesh", "singleWord")),
        ("Ramesh N/A", PersonName("Ramesh", "N/A", "singleWord")),
        ("Ramesh . c/o Ada Quill", PersonName("", "Ramesh . c/o Ada Quill", "singleWord")),
        ("N/A c/o Ada Quill", PersonName("", "c/o Ada Quill", "singleWord")),
        ("Attn: Ramesh .", PersonName("", "Attn: Ramesh .", "singleWord")),
        ("Fru Ramesh .", PersonName("Ramesh", ".", "singleWord")),
        ("Ramesh Unknown", PersonName("Ramesh", "Unknown", "singleWord")),
        ("王小明 .", PersonName("王小明", ".", "unspacedScript")),
    ],
)
def test_a_filler_next_to_one_name_makes_no_second_one(raw: str, expected: PersonName) -> None:
    assert split_name(raw) == expected


surnames = st.text("abcdeilmnoprstuvyzéüß", min_size=4, max_size=9).map(str.title)


@settings(deadline=None)
@given(surnames, st.text("ABEGKNSV", min_size=2, max_size=3), st.sampled_from([*SPELLINGS_OF_INITIALS]))
def test_no_pair_and_no_three_of_initials_makes_a_company(surname: str, letters: str, spelling: str) -> None:
    assert split_name(f"{surname} {SPELLINGS_OF_INITIALS[spelling](letters)}").kind != "company"


@settings(deadline=None)
@given(st.lists(st.sampled_from(HONORIFICS + MARKERS), min_size=1, max_size=3).map(" ".join), surnames)
def test_no_run_of_markers_and_honorifics_makes_a_first_name(ahead: str, surname: str) -> None:
    assume(not is_blank(surname))
    split = split_name(f"{ahead} {surname}")
    assert (split.first, split.kind) == ("", "singleWord")
    assert split.last.endswith(surname)


@settings(deadline=None)
@given(names, st.none() | names)
def test_splitting_never_fails_and_only_a_person_has_a_first_name(raw: str, company_name: str | None) -> None:
    split = split_name(raw, company_name=company_name)
    assert bool(split.last) == (split.kind != "blank")
    assert (split.kind == "person") == (not is_blank(split.first) and not is_blank(split.last))
    # Two parts of one name are the name and a filler.
    assert split.kind == "person" or not split.first or is_blank(split.first) != is_blank(split.last)


# Between two honorifics, in some languages; and the article in front of one.
COUPLINGS = vocabulary("& + / and or und oder u et ou y e i a en og och ja o ve si și и і та και و of the")


def is_left_out(word: str) -> bool:
    """Whether it is an honorific, ahead of a name or behind it, or joins two."""
    ahead, behind = split_name(f"{word} Anna Moss"), split_name(f"Anna Moss {word}")
    return word.casefold() in COUPLINGS or ahead.first == "Anna" or behind.last == "Moss"


@settings(deadline=None)
@given(names)
def test_no_word_is_lost_but_honorifics_and_none_is_invented(raw: str) -> None:
    split = split_name(raw)
    before, after = words(cleaned(raw) or ""), words(f"{split.first} {split.last}")
    dropped = [word for word in before - after if not is_blank(word)]
    assert split.kind == "blank" or [word for word in dropped if not is_left_out(word)] == []
    assert not after - before


latin_words = st.sampled_from(
    [
        "Vi",
        "Ix",
        "Junior",
        "Neto",
        "Esq",
        "Phd",
        "Van",
        "De",
        "Mac",
        "O'Leary",
        "Fitz-James",
        "Pan",
        "Attn",
        "Mrs",
        "Family",
    ]
) | (st.text("abcdeilmnoprstuvxyzéüß", min_size=2, max_size=7).map(str.title))


@settings(deadline=None)
@given(st.lists(latin_words, min_size=1, max_size=4).map(" ".join))
def test_a_plain_name_is_split_as_the_parser_would_split_it(raw: str) -> None:
    split = split_name(raw)
    with patch("needs_attention.orders.names._is_plain", return_value=False):
        assert split_name(raw) == split


def test_a_parser_that_is_loaded_ahead_splits_as_ever() -> None:
    load_parser()
    assert split_name("Conceição dos Anjos") == PersonName("Conceição", "dos Anjos", "person")


@pytest.mark.parametrize(
    "raw", ["Ana Souza", "Conceição dos Anjos", "Rosalind St. Clair", "Larissa Falcão e Silva", "José P. de la Torre"]
)
def test_two_names_show_without_a_split(raw: str) -> None:
    assert has_two_names(raw)


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "",
        "Cher",
        "Anna y Moss",  # one name to the parser
        "Dr. Moss",
        "Moss Jr.",
        "de Mesnil",
        "Moss c/o Anna",
        "Moss z.Hd. Anna",
        "Moss, Anna",
        "Ramesh Unknown",
        "Not Available de Moss",
        "Amazon Customer",
        "Kunde von Amazon",
        "山田 太郎",
    ],
)
def test_two_names_are_in_doubt_where_a_word_may_mean_something_else(raw: str | None) -> None:
    assert not has_two_names(raw)


lexicon = Lexicon.default()
words_with_a_meaning = st.sampled_from(
    sorted(
        lexicon.titles
        | lexicon.suffix_words
        | lexicon.suffix_acronyms
        | lexicon.particles
        | lexicon.conjunctions
        | lexicon.conjunctions_ambiguous
        | lexicon.bound_given_names
        | lexicon.maiden_markers
        | {"unknown", "not", "available", "kunde", "attn", "c/o", "z.hd.", "mrs", "familie", "ltd", "and", "&", "#2"}
    )
)


@settings(deadline=None, max_examples=500)
@given(st.lists(latin_words | words_with_a_meaning | words_with_a_meaning.map("{}.".format), min_size=2, max_size=5))
def test_what_shows_two_names_splits_into_two_or_is_a_company(parts: list[str]) -> None:
    raw = " ".join(("Anna", *parts))
    assume(has_two_names(raw))
    assert split_name(raw).kind in {"person", "company"}


def words(name: str) -> Counter[str]:
    return Counter(filter(None, re.split(r"[\s,\uff0c\u060c\u3001]+", name)))
