"""`make sheets`: writes down what LibreOffice makes of the cells of a sheet that it opens and saves.

tests/unit/spreadsheets/libreoffice.csv holds the outcome, so that the tests need no LibreOffice.
"""

import csv
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import NamedTuple

TABLE = Path(__file__).parents[1] / "tests/unit/spreadsheets/libreoffice.csv"
# Languages by their number in LibreOffice's filters (Microsoft's LCID): each reads numbers and dates in its own way.
LANGUAGES = {
    "en-US": 1033,
    "en-GB": 2057,
    "de-DE": 1031,
    "fr-FR": 1036,
    "es-ES": 3082,
    "it-IT": 1040,
    "pl-PL": 1045,
    "pt-BR": 1046,
    "sv-SE": 1053,
    "ja-JP": 1041,
}
# Everything that a cell of a sheet may hold and a spreadsheet may take for something else.
TEXTS = (
    *("02134", "00901", "01067", "0150", "007", "00", "1067", "2134.0", "114 55", "1000-001", "00-950", "K1A 0B1"),
    *("1E5", "12E3", "1e-5", "2E10", "1D5", "0x10", "3E", "E5", "447911123456", "12345678901234567"),
    *("0170 1234567", "555 0100", "555-0100", "(555)", "(555) 555-0100", "+5", "-5", "5.", ".5", "1.10", "12.50"),
    *("1,234", "1.234", "1,5", "1.5", "1 000", "1\u2019000", "12,345.6", "12.345,6", "5%", "50 %", "$5", "5 \u20ac"),
    *("1 1/2", "3 1/4", "1/2", "3/4", "10/12", "13/10", "31/12", "12/31", "10/12/2026", "10/12a", "2/2021", "12/2021"),
    *(
        "1-2",
        "2-1",
        "5-6",
        "10-12",
        "1-2-3",
        "12-34-56-78",
        "2026-10-12",
        "12-10-2026",
        "10.12.",
        "10.12.2026",
        "1.2.3",
    ),
    *("SEPT2", "MARCH1", "JAN1", "DEC1", "May 5", "Mar 2021", "Dec 1", "5 Mar", "12 Okt", "10. Okt", "Juni 3", "5 mai"),
    *("5 de Mayo", "16 de Septiembre", "5 maj", "3 maja", "2 gen", "10\u670812\u65e5", "2026\u5e7410\u670812\u65e5"),
    *(
        "5:7",
        "12:30",
        "24:00",
        "10 a",
        "7 p",
        "10 a.m.",
        "3 pm",
        "3PM",
        "12h30",
        "True",
        "TRUE",
        "false",
        "wahr",
        "vrai",
    ),
    *("#4", "#N/A", "NaN", "Infinity", "N/A", "\uff11\uff12\uff13", "\u0661\u0662\u0663", "'=1+1", "'+49 170 1234567"),
    *(
        "J\u00f6rg",
        "\u0141ukasz",
        "\u5c71\u7530\u592a\u90ce",
        "\U0001f600 Ada",
        "O'Neil",
        "ada@mail.example.com",
        "12, Harbor St",
    ),
)


class Rewriting(NamedTuple):
    """What a cell held, and what it holds after LibreOffice saved it."""

    language: str
    text: str
    came_back: str


def main() -> int:
    office = which("soffice") or which("libreoffice")
    if office is None:
        sys.stderr.write("make sheets needs LibreOffice Calc: install it, so that `soffice` is on PATH.\n")
        return 1
    rewritings = [one for language in LANGUAGES for one in rewritten(office, language) if one.came_back != one.text]
    TABLE.parent.mkdir(exist_ok=True)
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Rewriting._fields)
        writer.writerows(rewritings)
    sys.stdout.write(f"LibreOffice changed {len(rewritings)} of {len(LANGUAGES) * len(TEXTS)} cells: {TABLE}\n")
    return 0


def rewritten(office: str, language: str) -> Iterator[Rewriting]:
    """Each text, after LibreOffice opened it as that language and saved it as shown."""
    sys.stdout.write(f"LibreOffice opens and saves {len(TEXTS)} texts as {language}\n")
    sys.stdout.flush()
    with TemporaryDirectory() as folder:
        sheet = Path(folder, "sheet.csv")
        with sheet.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows([text, "end"] for text in TEXTS)
        # The numbers are: comma, quotation mark, UTF-8, from line 1, no columns; the rest differs for both ways.
        read = f"CSV:44,34,76,1,,{LANGUAGES[language]},false,true"
        write = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true"
        command = [office, "--headless", f"-env:UserInstallation=file://{folder}/profile", f"--infilter={read}"]
        command += ["--convert-to", write, "--outdir", f"{folder}/saved", str(sheet)]
        subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603 - LibreOffice alone
        with Path(folder, "saved/sheet.csv").open(encoding="utf-8-sig", newline="") as file:
            for text, (came_back, _) in zip(TEXTS, csv.reader(file), strict=True):
                yield Rewriting(language, text, came_back)


if __name__ == "__main__":
    sys.exit(main())
