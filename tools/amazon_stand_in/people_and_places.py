"""Invented people and streets in real cities of every marketplace country, and of some that sellers ship to.

Cities, regions and postal codes go together as they really do. Names and streets are in the country's own script.
"""
# ruff: noqa: RUF001 - so are letters that look like others, the Turkish dotless i for one

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class City:
    """A city with its region and postal code, as Amazon would fill `city`, `stateOrRegion` and `postalCode`."""

    name: str
    region: str
    postal_code: str


@dataclass(frozen=True, slots=True)
class Country:
    """How names and addresses look in a country.

    `name` is a pattern of {given}, {family} and {space} (one that may be there or not), a street one of {number}, a
    phone one of {two} digits. `one_word_name` stands where the first given name will not do as half of a name.
    `needs` are the address fields, besides street and country, without which no parcel arrives there; where several
    stand together, any one of them will do.
    """

    code: str
    given: tuple[str, ...]
    family: tuple[str, ...]
    streets: tuple[str, ...]
    cities: tuple[City, ...]
    phone: str
    needs: tuple[tuple[str, ...], ...] = (("city",), ("postalCode",))
    name: str = "{given} {family}"
    one_word_name: str = ""


def _cities(*rows: tuple[str, str, str]) -> tuple[City, ...]:
    return tuple(City(*row) for row in rows)


_WITH_REGION: Final = (("city",), ("stateOrRegion",), ("postalCode",))
_CITY_OR_REGION: Final = ("city", "stateOrRegion")

COUNTRIES: Final = {
    country.code: country
    for country in (
        Country(
            "US",
            ("Avery", "Jamal", "Rosalind", "Mary Ann", "Desmond", "Kiri"),
            ("Hargrove", "O'Leary", "Vandermeer", "St. Clair", "Nakagawa", "Fitz-James"),
            (
                "{number} Juniper Hollow Rd",
                "{number} W Cobbler St Apt 4B",
                "PO Box {number}",
                "{number} County Road 12",
            ),
            _cities(
                ("Madison", "WI", "53703"),
                ("Tucson", "AZ", "85701"),
                ("APO", "AE", "09354"),
                ("San Juan", "PR", "00901"),
                ("Burlington", "VT", "05401-8477"),
            ),
            "+1 608-555-01{two}",
            _WITH_REGION,
        ),
        Country(
            "CA",
            ("Maëlle", "Duncan", "Anouk", "Tyrell"),
            ("Desrochers", "MacAskill", "Thibodeau", "Singh Gill"),
            ("{number} Rue des Érables", "{number} Tamarack Cres", "Unit 5 {number} Prairie Ave"),
            _cities(("Québec", "QC", "G1R 4P5"), ("Regina", "SK", "S4P 3Y2"), ("Halifax", "NS", "B3H 1T1")),
            "+1 902-555-01{two}",
            _WITH_REGION,
        ),
        Country(
            "MX",
            ("Ximena", "José Luis", "Itzel", "Ramiro"),
            ("Robledo Cárdenas", "Peña", "Núñez de la Torre", "Ochoa Rangel"),
            ("Calle Jacaranda {number}", "Av. de los Maestros {number} Int. 3", "Privada del Sauce {number}"),
            _cities(("Guadalajara", "Jalisco", "44160"), ("Mérida", "Yucatán", "97000"), ("Puebla", "Puebla", "72000")),
            "+52 33 5550 01{two}",
            _WITH_REGION,
        ),
        Country(
            "BR",
            ("Thiago", "Larissa", "João Pedro", "Conceição"),
            ("Meireles da Costa", "Prado", "dos Anjos", "Falcão e Silva"),
            ("Rua das Palmeiras, {number}", "Avenida Ipê Amarelo, {number}", "Travessa do Sol, {number}"),
            _cities(("Curitiba", "PR", "80010-000"), ("Recife", "PE", "50030-230"), ("São Paulo", "SP", "01001-000")),
            "+55 41 5550-01{two}",
            _WITH_REGION,
        ),
        Country(
            "IE",
            ("Saoirse", "Pádraig", "Niamh"),
            ("Ní Bhriain", "Mac Giolla", "O'Sullivan-Burke"),
            ("{number} Heron's Quay", "Teach na Coille, Lána {number}"),
            _cities(("Cork", "County Cork", "T12 XF62"), ("Galway", "County Galway", "")),
            "+353 21 555 01{two}",
            (("city",),),
        ),
        Country(
            "ES",
            ("Íñigo", "María del Mar", "Nerea"),
            ("de la Fuente Ortiz", "Echevarría", "Muñoz i Puig"),
            ("Calle del Olmo, {number}, 2º B", "Carrer de les Orenetes, {number}", "Plaza Mayor, {number}"),
            _cities(("Zaragoza", "", "50001"), ("Girona", "Girona", "17001"), ("Las Palmas", "Las Palmas", "35001")),
            "+34 976 555 1{two}",
        ),
        Country(
            "GB",
            ("Imogen", "Rhys", "Zainab"),
            ("Thistlewood", "ap Gruffydd", "Smythe-Barlow"),
            ("{number} Mill Race Lane", "Flat 2, {number} Gasworks Yard", "Rose Cottage"),
            _cities(("York", "", "YO1 7HH"), ("Cardiff", "Wales", "CF10 1EP"), ("Glasgow", "", "G2 1DU")),
            "+44 20 7946 09{two}",
        ),
        Country(
            "FR",
            ("Élodie", "Jean-Baptiste", "Loïc"),
            ("de Kermadec", "Lefèvre", "N'Diaye"),
            ("{number} bis rue du Moulin", "{number}, chemin des Lavandières", "Résidence Les Ajoncs, bât. {number}"),
            _cities(("Rennes", "", "35000"), ("Saint-Étienne", "", "42000"), ("Ajaccio", "Corse", "20000")),
            "+33 1 99 00 01 {two}",
        ),
        Country(
            "BE",
            ("Lieselot", "Théo", "Wout"),
            ("Van den Bossche", "Delvaux", "D'Hondt"),
            ("Populierenlaan {number}", "Rue de l'Écluse {number}", "Beekstraat {number} bus 3"),
            _cities(("Gent", "", "9000"), ("Namur", "", "5000")),
            "+32 9 555 01 {two}",
        ),
        Country(
            "NL",
            ("Sanne", "Jurriaan", "Fenna"),
            ("van der Wijst", "'t Hart", "Dijkstra-de Boer"),
            ("Kievitsloop {number}", "Lange Wal {number}-II", "Molenpad {number}a"),
            _cities(("Utrecht", "", "3511 LN"), ("'s-Hertogenbosch", "", "5211 AP")),
            "+31 30 555 01{two}",
        ),
        Country(
            "DE",
            ("Annegret", "Jörg", "Mehmet"),
            ("von der Heide", "Weißmüller", "Öztürk"),
            ("Lindenstraße {number}", "Am Alten Speicher {number}", "Packstation {number}"),
            _cities(("Köln", "", "50667"), ("Görlitz", "Sachsen", "02826"), ("Lübeck", "", "23552")),
            "+49 221 555 01{two}",
        ),
        Country(
            "IT",
            ("Ginevra", "Nicolò", "Maria Assunta"),
            ("Dell'Acqua", "De Santis", "Brambilla"),
            ("Via dei Ciliegi {number}", "Corso Garibaldi, {number}/A", "Località Fontanelle {number}"),
            _cities(("Parma", "PR", "43121"), ("Bolzano", "BZ", "39100"), ("Catania", "", "95121")),
            "+39 0521 5550{two}",
        ),
        Country(
            "SE",
            ("Åsa", "Torbjörn", "Ebba"),
            ("Lindqvist", "af Ekenstam", "Sjöström"),
            ("Björkvägen {number}", "Storgatan {number} lgh 1101", "Östra Hamngatan {number}"),
            _cities(("Umeå", "", "903 26"), ("Malmö", "", "211 22")),
            "+46 90 555 01 {two}",
        ),
        Country(
            "ZA",
            ("Lerato", "Pieter", "Nomvula"),
            ("van Wyk", "Mokoena", "Naidoo"),
            ("{number} Protea Avenue", "Unit {number}, Fynbos Mews"),
            _cities(("Gqeberha", "Eastern Cape", "6001"), ("Cape Town", "Western Cape", "8001")),
            "+27 21 555 01{two}",
        ),
        Country(
            "PL",
            ("Małgorzata", "Łukasz", "Żaneta"),
            ("Wiśniewska-Kruk", "Gołąb", "Szczęsny"),
            ("ul. Brzozowa {number}/7", "al. Wolności {number}", "os. Zielone {number} m. 12"),
            _cities(("Łódź", "", "90-001"), ("Wrocław", "", "50-001")),
            "+48 42 555 01 {two}",
        ),
        Country(
            "EG",
            ("محمد", "نور الهدى", "كريم"),
            ("علي", "عبد الرحمن", "المصري"),
            ("{number} شارع النخيل", "عمارة {number}، شارع البحر"),
            _cities(("الإسكندرية", "الإسكندرية", ""), ("القاهرة", "القاهرة", "11511")),
            "+20 3 555 01{two}",
            (("city",),),
        ),
        Country(
            "TR",
            ("Gülşen", "İbrahim", "Çağla"),
            ("Yıldırımoğlu", "Şahin", "Ağaoğlu Demir"),
            ("Zeytin Sokak No: {number} D: 4", "Çınar Mah. Lale Cad. {number}"),
            _cities(("Çankaya", "Ankara", "06420"), ("Karşıyaka", "İzmir", "35600")),
            "+90 312 555 01 {two}",
            (_CITY_OR_REGION, ("postalCode",)),
        ),
        Country(
            "SA",
            ("فيصل", "ريم", "عبد العزيز"),
            ("القحطاني", "بن سعود", "الغامدي"),
            ("{number} طريق الواحة", "حي الياسمين، مبنى {number}"),
            _cities(("الرياض", "", "12211"), ("جدة", "", "")),
            "+966 11 555 01{two}",
            (("city",),),
        ),
        Country(
            "AE",
            ("Hessa", "Omar", "Anjali"),
            ("Al Mansoori", "bin Rashid Al Ketbi", "Menon"),
            ("Villa {number}, Ghaf Street", "Palm Tower {number}, Office 901"),
            _cities(("Dubai", "Dubai", ""), ("", "Sharjah", "")),
            "+971 4 555 01{two}",
            (_CITY_OR_REGION,),
        ),
        Country(
            "IN",
            ("Anjali", "S. Karthikeyan", "प्रिया"),
            ("Deshpande", "Venkataraman", "शर्मा"),
            ("Flat {number}, Gulmohar Society, Baner Road", "H.No. {number}, Near Old Water Tank"),
            _cities(("Pune", "MAHARASHTRA", "411045"), ("Chennai", "TAMIL NADU", "600001")),
            "+91 20 5550 01{two}",
            _WITH_REGION,
        ),
        Country(
            "SG",
            ("Wei Ling", "Arjun", "Nur Aisyah"),
            ("Tan", "Pillai", "Binte Rahman"),
            ("Blk {number} Rambutan Ave #05-12", "{number} Frangipani Close"),
            _cities(("Singapore", "", "018956"), ("", "", "238801")),
            "+65 6555 01{two}",
            (("postalCode",),),
        ),
        Country(
            "AU",
            ("Bronte", "Kieran", "Mei"),
            ("Wattleby", "McAllister-Chu", "Papadopoulos"),
            ("{number} Bottlebrush Ct", "U3/{number} Magpie Pde", "Lot {number} Ironbark Track"),
            _cities(("Ballarat", "VIC", "3350"), ("Darwin", "NT", "0800")),
            "+61 3 5550 01{two}",
            _WITH_REGION,
        ),
        Country(
            "JP",
            ("花子", "健太", "ひかり"),
            ("桜庭", "小野寺", "早乙女"),
            ("青葉町{number}-2", "緑ヶ丘{number}番地"),
            _cities(("仙台市青葉区", "宮城県", "980-0811"), ("", "東京都", "100-0001")),
            "+81 22 555 01{two}",
            (("stateOrRegion",), ("postalCode",)),
            name="{family}{space}{given}",
            one_word_name="Hikari",
        ),
        Country(
            "AT",
            ("Leopoldine", "Xaver"),
            ("Gruber-Moser", "Hofstätter"),
            ("Mühlgasse {number}/2/14", "Dorf {number}"),
            _cities(("Graz", "", "8010"), ("Wien", "", "1010")),
            "+43 316 555 0{two}",
        ),
        Country(
            "CH",
            ("Ursina", "Beat"),
            ("Caduff", "Zürcher"),
            ("Seeweg {number}", "Chemin du Vallon {number}"),
            _cities(("Chur", "GR", "7000"), ("Lausanne", "", "1003")),
            "+41 81 555 01 {two}",
        ),
        Country(
            "GR",
            ("Ελένη", "Γιώργος"),
            ("Παπαδάκη", "Αθανασίου"),
            ("Ελαιώνων {number}", "Οδός Θάλασσας {number}"),
            _cities(("Χανιά", "", "731 00"), ("Αθήνα", "", "105 57")),
            "+30 28210 555{two}",
        ),
        Country(
            "HK",
            ("Ka Yan", "Siu Ming"),
            ("Cheung", "Lau"),
            ("Flat {number}, Jade Court, 8 Orchid Rd", "{number} Bauhinia Lane"),
            _cities(("Kowloon Bay", "Kowloon", ""), ("Wan Chai", "Hong Kong Island", "")),
            "+852 5550 01{two}",
            (_CITY_OR_REGION,),
            one_word_name="Kayan",
        ),
        Country(
            "KR",
            ("민준", "서연"),
            ("강", "한"),
            ("은행나무로 {number}", "바다길 {number}"),
            _cities(("전주시 완산구", "전북특별자치도", "54999"), ("강남구", "서울특별시", "06236")),
            "+82 63 555 01{two}",
            (("postalCode",),),
            name="{family} {given}",
            one_word_name="Minjun",
        ),
    )
}

# Where orders of a marketplace go besides its own country.
EXPORTS: Final = {"US": ("HK", "KR"), "DE": ("AT", "CH"), "IT": ("GR",), "JP": ("HK",), "AU": ("HK", "KR")}
