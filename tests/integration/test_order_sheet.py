"""Orders as a sheet: exported with empty cells for missing data, filled in, and sent back."""

import csv
import io
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

import pytest

from needs_attention.api.orders.sheet import SheetRow, rows_of, sheet_of
from needs_attention.orders.amazon_order import Address, LineItem
from needs_attention.orders.settings import Settings
from tests.unit.test_spreadsheets import rewritings
from tools.builders import NOON, a_line, after_amazons_answer, an_address
from tools.in_memory.api import Answer, World

FIRST, SECOND = "701-0000001-0000001", "701-0000002-0000002"


def exported(world: World, **query: Any) -> list[dict[str, str]]:
    answer = world.call("GET", "/orders.csv", role="reader", query=query)
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.body.removeprefix("\ufeff"))))


def as_sheet(rows: list[dict[str, str]]) -> str:
    written = io.StringIO()
    writer = csv.DictWriter(written, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()


def sent_back(
    world: World, sheet: str | bytes, role: str = "editor", query: Mapping[str, object] | None = None
) -> Answer:
    return world.call("POST", "/orders.csv", sheet, role=role, query=query, Content_Type="text/csv")


def amazon_says(world: World, order_id: str = FIRST, **facts: Any) -> None:
    """Amazon's next answer about the order comes in, and is judged."""
    order = world.order(order_id)
    after = after_amazons_answer(order, Settings(), NOON, **facts)
    world.orders.save(order, after, by="validation", at=NOON, cause="verdict")


def typed(world: World, order_id: str = FIRST, **fields: object) -> None:
    assert world.call("PATCH", f"/orders/{order_id}", fields, role="editor").status == 200


LATE = "late@marketplace.example.com"


def a_differing(world: World, order_id: str = FIRST) -> None:
    """Held for its email, which a person typed; then Amazon sent another."""
    world.download(order_id=order_id, buyer_email=None)
    typed(world, order_id, email="typed@b.example.com")
    amazon_says(world, order_id, buyer_email=LATE)


def test_missing_data_is_an_empty_cell_and_typing_fills_it(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    world.download(order_id=SECOND, delivery_address=an_address(line1=None))
    rows = exported(world, stage="Needs Attention")
    by_id = {row["orderId"]: row for row in rows}
    assert (by_id[FIRST]["missing"], by_id[FIRST]["email"], by_id[FIRST]["firstName"]) == ("email", "", "Ada")
    assert by_id[SECOND]["deliveryAddress.addressLine1"] == ""
    by_id[FIRST]["email"] = "ada@mail.example.com"
    by_id[SECOND]["deliveryAddress.addressLine1"] = "9 Larkspur Court"
    answer = sent_back(world, as_sheet(rows))
    assert answer.status == 200
    assert {(one["status"], one["order"]["readyToRelease"]) for one in answer.body["orders"]} == {(200, True)}
    assert world.order(FIRST).edits.email == "ada@mail.example.com"
    assert world.order(FIRST).edits.name is None  # what nobody typed is no edit
    address = world.order(SECOND).edits.delivery_address
    assert address is not None
    assert address == Address(line1="9 Larkspur Court")  # the other parts stay Amazon's


def test_a_sheet_that_comes_back_as_it_was_changes_nothing(world: World) -> None:
    before = world.download(order_id=FIRST, buyer_email=None)
    answer = sent_back(world, as_sheet(exported(world)))
    assert [one["status"] for one in answer.body["orders"]] == [200]
    assert world.order(FIRST) == before


def test_the_sheet_says_who_stopped_an_order_and_why_others_do_not_leave(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    typed(world, FIRST, threePlStatus="Do Not Transfer to 3PL")
    world.download(order_id=SECOND, ship_by=NOON - timedelta(hours=1))
    rows = {row["orderId"]: row for row in exported(world)}
    columns = ("blockedBy", "goingNowhere", "stopped.by", "stopped.at")
    assert [rows[FIRST][name] for name in columns] == [
        "held",
        "false",
        "editor@example.com",
        "2026-11-23T12:00:00.000Z",
    ]
    assert [rows[SECOND][name] for name in columns] == ["notFullyDispatched", "true", "", ""]


# What differs from Amazon ---------------------------------------------------------------------------------------------


def test_the_sheet_shows_what_differs_beside_the_columns_that_settle_it(world: World) -> None:
    address = an_address(line1=None, city=None)
    world.download(order_id=FIRST, buyer_email=None, delivery_address=address, line_items=())
    typed(
        world,
        email="typed@b.example.com",
        lastName="Moss",
        deliveryAddress={"addressLine1": "9 Larkspur Court", "city": "Salem"},
    )
    address = an_address(line1="9 Larkspur Court", city="Boise")
    amazon_says(world, recipient_name="Zoe Fern", buyer_email=LATE, delivery_address=address)
    (row,) = exported(world)
    assert row["missing"] == "lineItems lastName email deliveryAddress"
    assert row["differsFromAmazon"] == "name email deliveryAddress"
    assert row["amazonSays"] == f"name: Zoe Fern; email: {LATE}; deliveryAddress.city: Boise"
    assert (row["lastName"], row["email"], row["deliveryAddress.city"]) == ("Moss", "typed@b.example.com", "Salem")
    columns = list(row)
    assert columns[columns.index("amazonSays") + 1 :][:2] == ["keepTyped", "takeAmazons"]
    assert (row["keepTyped"], row["takeAmazons"]) == ("", "")


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ((a_line(seller_sku="MUG-1", quantity=1), a_line(seller_sku=None, quantity=3)), "1 x MUG-1, 3 x B0EXAMPLE1"),
        ((a_line(seller_sku="MUG-1"), a_line(is_cancelled=True), a_line(quantity=0)), "2 x MUG-1"),
        ((a_line(is_cancelled=True),), "none"),
    ],
)
def test_the_sheet_shows_the_goods_that_amazon_says(world: World, lines: tuple[LineItem, ...], shown: str) -> None:
    world.download(order_id=FIRST, line_items=None)
    typed(world, lineItems=[{"sellerSku": "POT-1", "quantity": 1}])
    amazon_says(world, line_items=lines)
    (row,) = exported(world)
    assert (row["differsFromAmazon"], row["amazonSays"]) == ("lineItems", f"lineItems: {shown}")


def test_where_amazon_says_nothing_else_the_sheet_shows_nothing(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None, line_items=None)
    typed(
        world,
        email="typed@b.example.com",
        deliveryAddress={"city": "Portland"},
        lineItems=[{"sellerSku": "POT-1", "quantity": 1}],
    )
    (row,) = exported(world)
    assert (row["differsFromAmazon"], row["amazonSays"]) == ("", "")


def test_a_sheet_with_a_difference_that_comes_back_as_it_was_settles_none(world: World) -> None:
    a_differing(world)
    before = world.order(FIRST)
    sent_back(world, as_sheet(exported(world)))
    assert world.order(FIRST) == before


@pytest.mark.parametrize(
    ("cells", "email"),
    [
        ({"keepTyped": "email"}, "typed@b.example.com"),
        ({"keepTyped": " name, email;lineItems\nemail "}, "typed@b.example.com"),
        ({"takeAmazons": "email"}, LATE),
        ({"takeAmazons": "email", "keepTyped": "name"}, LATE),
        ({"email": LATE}, LATE),
        ({"email": "third@b.example.com"}, "third@b.example.com"),
    ],
)
def test_a_row_settles_a_difference_and_the_order_heals_at_once(
    world: World, cells: dict[str, str], email: str
) -> None:
    a_differing(world)
    (row,) = exported(world)
    (one,) = sent_back(world, as_sheet([row | cells])).body["orders"]
    assert (one["status"], one["order"]["hold"], one["order"]["email"]) == (200, None, email)


def test_a_row_takes_each_unit_of_amazons_whole(world: World) -> None:
    world.download(order_id=FIRST)
    typed(
        world,
        firstName="Nia",
        lastName="Moss",
        company="Moss Ltd",
        email="typed@b.example.com",
        deliveryAddress={"addressLine1": "9 Larkspur Court", "city": "Salem"},
        billingAddress={"city": "Salem"},
        lineItems=[{"sellerSku": "POT-1", "quantity": 1}],
    )
    (row,) = exported(world)
    units = "name email deliveryAddress billingAddress lineItems"
    (one,) = sent_back(world, as_sheet([row | {"takeAmazons": units}])).body["orders"]
    assert one["status"] == 200
    assert world.order(FIRST).edits.places == frozenset()


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"keepTyped": "email firstName"}, "keepTyped", "notAllowed"),
        ({"takeAmazons": "deliveryAddress.city"}, "takeAmazons", "notAllowed"),
        ({"keepTyped": "email", "takeAmazons": "email"}, "takeAmazons", "contradiction"),
        ({"takeAmazons": "email", "email": "third@b.example.com"}, "takeAmazons", "contradiction"),
        ({"takeAmazons": "name", "company": "Moss Ltd"}, "takeAmazons", "contradiction"),
        ({"takeAmazons": "deliveryAddress", "deliveryAddress.city": "Salem"}, "takeAmazons", "contradiction"),
    ],
)
def test_a_row_that_settles_nothing_is_refused_by_its_column_alone(
    world: World, cells: dict[str, str], column: str, code: str
) -> None:
    a_differing(world, FIRST)
    a_differing(world, SECOND)
    rows = {row["orderId"]: row for row in exported(world)}
    answer = sent_back(world, as_sheet([rows[SECOND] | {"keepTyped": "email"}, rows[FIRST] | cells]))
    good, wrong = answer.body["orders"]
    assert (good["status"], good["order"]["hold"]) == (200, None)
    assert (wrong["row"], wrong["status"], wrong["problem"]["code"]) == (2, 422, "invalid")
    assert [(error["field"], error["code"]) for error in wrong["problem"]["errors"]] == [(column, code)]
    assert world.order(FIRST).is_held


def test_a_column_that_names_no_unit_says_which_units_there_are(world: World) -> None:
    a_differing(world)
    (row,) = exported(world)
    (one,) = sent_back(world, as_sheet([row | {"takeAmazons": "city"}])).body["orders"]
    (error,) = one["problem"]["errors"]
    assert error["message"].endswith("those are name, email, deliveryAddress, billingAddress, lineItems")


def test_a_cell_that_only_informs_changes_nothing(world: World) -> None:
    a_differing(world)
    before = world.order(FIRST)
    (row,) = exported(world)
    sent_back(world, as_sheet([row | {"amazonSays": "email: x@b.example.com", "differsFromAmazon": ""}]))
    assert world.order(FIRST) == before


# What spreadsheets do to it -------------------------------------------------------------------------------------------

PARTS = [info.alias or name for name, info in Address.model_fields.items() if name != "address_type"]
COLUMNS = ["firstName", "lastName", "company"]
COLUMNS += [f"{address}.{part}" for address in ("deliveryAddress", "billingAddress") for part in PARTS]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_that_a_spreadsheet_rewrote_is_no_edit(world: World, column: str) -> None:
    order = world.call("GET", f"/orders/{world.download().order_id}", role="reader").body
    field, _, part = column.partition(".")
    for text, came_back in [*rewritings("libreoffice"), *rewritings("documented")]:
        shown = order | {field: {part: text} if part else text}
        assert (text, SheetRow(1, FIRST, "1", {column: came_back}).patch(shown)) == (text, {})


def test_what_nobody_touched_stays_next_to_what_a_person_typed(world: World) -> None:
    boston = an_address(line1="9 Linden Street", city="Boston", postal_code="02134", phone="447911123456")
    world.download(order_id=FIRST, buyer_email=None, delivery_address=boston)
    (row,) = exported(world)
    rewritten = {"deliveryAddress.postalCode": "2134", "deliveryAddress.phone": "4.47911E+11"}
    (one,) = sent_back(world, as_sheet([row | rewritten | {"email": "ada@mail.example.com"}])).body["orders"]
    assert (one["status"], one["order"]["sources"]["deliveryAddress"]) == (200, "amazon")
    address = one["order"]["deliveryAddress"]
    assert (address["postalCode"], address["phone"]) == ("02134", "447911123456")
    assert world.order(FIRST).edits.places == {"email"}


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("deliveryAddress.phone", "4.47911E+11"),
        ("deliveryAddress.addressLine2", "12-Oct"),
        ("billingAddress.postalCode", "1.00E+05"),
        ("deliveryAddress.city", "#NAME?"),
        ("firstName", "J?rg"),
        ("lastName", "MÃ¼ller"),
    ],
)
def test_a_typed_text_that_a_spreadsheet_damaged_refuses_its_row_alone(world: World, column: str, cell: str) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    world.download(order_id=SECOND, buyer_email=None)
    before = world.order(FIRST)
    rows = {row["orderId"]: row for row in exported(world)}
    email = {"email": "ada@mail.example.com"}
    answer = sent_back(world, as_sheet([rows[FIRST] | email | {column: cell}, rows[SECOND] | email]))
    damaged, good = answer.body["orders"]
    (error,) = damaged["problem"]["errors"]
    assert (damaged["status"], error["field"], error["code"]) == (422, column, "changedBySpreadsheet")
    assert good["status"] == 200
    assert world.order(FIRST) == before


@pytest.mark.parametrize(
    ("country", "typed", "is_refused"),
    [
        ("US", "2134", True),
        ("US", "901", True),
        ("DE", "1067", True),
        ("GERMANY", "1067", True),
        ("SG", "49315", True),
        ("US", "02134", False),
        ("AT", "1010", False),
        ("US", "12", False),  # a warning is enough: it is no code with zeros either
        ("GB", "2134", False),
        ("", "2134", False),
    ],
)
def test_a_typed_postal_code_that_lost_its_zeros_refuses_its_row(
    world: World, country: str, typed: str, is_refused: bool
) -> None:
    world.download(order_id=FIRST, delivery_address=an_address(postal_code=None, country_code=None))
    (row,) = exported(world)
    cells = {"deliveryAddress.countryCode": country, "deliveryAddress.postalCode": typed}
    (one,) = sent_back(world, as_sheet([row | cells])).body["orders"]
    assert one["status"] == (422 if is_refused else 200)
    if is_refused:
        (error,) = one["problem"]["errors"]
        assert (error["field"], error["code"]) == ("deliveryAddress.postalCode", "changedBySpreadsheet")


def test_a_question_mark_may_be_part_of_an_email(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    (row,) = exported(world)
    (one,) = sent_back(world, as_sheet([row | {"email": "a?da@mail.example.com"}])).body["orders"]
    assert (one["status"], one["order"]["email"]) == (200, "a?da@mail.example.com")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("told", ["", "sep={}\r\n", '"sep={}"\n'])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_columns_stand_between_any_separator_of_spreadsheets(
    world: World, separator: str, told: str, quoting: Literal[0, 1]
) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    (row,) = exported(world)
    row |= {"email": "ada@mail.example.com", "lastName": "Moss; or, | Fern\tthe 2nd"}
    written = io.StringIO()
    writer = csv.DictWriter(written, row.keys(), delimiter=separator, quoting=quoting)
    writer.writeheader()
    writer.writerow(row)
    (one,) = sent_back(world, "\ufeff" + told.format(separator) + written.getvalue()).body["orders"]
    assert (one["status"], one["order"]["email"]) == (200, "ada@mail.example.com")
    assert one["order"]["lastName"] == "Moss; or, | Fern the 2nd"


BEYOND_ASCII = {"firstName": "Zoë", "lastName": "Müller-Lüdenscheidt", "deliveryAddress.city": "Orléans"}


@pytest.mark.parametrize(
    ("encoding", "content_type"),
    [
        ("utf-8", "text/csv"),
        ("utf-8-sig", "application/vnd.ms-excel"),
        ("utf-16", "text/csv; charset=utf-16"),
        ("utf-16-le", "text/csv"),
        ("cp1252", "text/csv; charset=windows-1252"),
        ("cp1252", 'text/csv; header=present; charset="ISO-8859-1"'),
    ],
)
def test_the_encodings_of_spreadsheets_are_read_right(world: World, encoding: str, content_type: str) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    (row,) = exported(world)
    sheet = as_sheet([row | BEYOND_ASCII]).encode(encoding)
    (one,) = world.call("POST", "/orders.csv", sheet, role="editor", Content_Type=content_type).body["orders"]
    assert (one["status"], one["order"]["firstName"], one["order"]["lastName"]) == (200, "Zoë", "Müller-Lüdenscheidt")
    assert one["order"]["deliveryAddress"]["city"] == "Orléans"


@pytest.mark.parametrize("charset", ["", "; charset=utf-8", "; charset=windows-1250"])
def test_a_sheet_that_is_not_in_unicode_is_refused_in_one_plain_sentence(world: World, charset: str) -> None:
    before = world.download(order_id=FIRST, buyer_email=None)
    (row,) = exported(world)
    sheet = as_sheet([row | BEYOND_ASCII]).encode("cp1252")
    answer = world.call("POST", "/orders.csv", sheet, role="editor", Content_Type=f"text/csv{charset}")
    assert (answer.status, answer.body["code"]) == (400, "unreadableSheet")
    assert "Save it as CSV UTF-8" in answer.body["detail"]
    assert world.order(FIRST) == before


def test_blank_rows_and_empty_columns_are_nothing(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    revision = world.order(FIRST).revision
    sheet = f" orderId ,revision,email,,\r\n,,,,\r\n\r\n{FIRST},{revision},ada@mail.example.com,,,,,\r\n , ,,,\r\n"
    (one,) = sent_back(world, sheet).body["orders"]
    assert (one["row"], one["status"], one["warnings"]) == (3, 200, [])
    assert world.order(FIRST).edits.email == "ada@mail.example.com"


def test_a_short_row_has_nothing_in_its_last_columns(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    revision = world.order(FIRST).revision
    (one,) = sent_back(world, f"orderId,revision,email,company\n{FIRST},{revision},ada@mail.example.com\n").body[
        "orders"
    ]
    assert one["status"] == 200
    assert world.order(FIRST).edits.places == {"email"}


def test_a_cell_of_an_unknown_column_changes_nothing_and_is_told(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    revision = world.order(FIRST).revision
    sheet = f"orderId,emial,revision,note,,email\n{FIRST},x,{revision},,call her,ada@mail.example.com\n"
    (one,) = sent_back(world, sheet).body["orders"]
    assert one["status"] == 200
    assert world.order(FIRST).edits.places == {"email"}
    assert [(warning["field"], warning["code"]) for warning in one["warnings"]] == [
        ("emial", "unknownColumn"),
        ("column 5", "unknownColumn"),
    ]


def test_a_row_with_more_cells_than_columns_is_refused_alone(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    world.download(order_id=SECOND, buyer_email=None)
    revisions = [world.order(order_id).revision for order_id in (FIRST, SECOND)]
    rows = f"{FIRST},{revisions[0]},Moss, Ltd,x\n{SECOND},{revisions[1]},Moss\n"
    long, good = sent_back(world, f"orderId,revision,company\n{rows}").body["orders"]
    assert (long["status"], long["problem"]["errors"][0]["code"]) == (422, "wrongLength")
    assert good["status"] == 200
    assert world.order(FIRST).edits.places == frozenset()


@pytest.mark.parametrize("revision", ["{}.0", "{},00", " {} "])
def test_a_revision_that_a_spreadsheet_rewrote_is_the_same(world: World, revision: str) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    (row,) = exported(world)
    cells = {"revision": revision.format(row["revision"]), "email": "ada@mail.example.com"}
    (one,) = sent_back(world, as_sheet([row | cells])).body["orders"]
    assert one["status"] == 200


def test_a_revision_of_thousands_is_read_with_its_separators() -> None:
    rows = rows_of('orderId,revision\n701-1,"1,234"\n701-2,1.234\n701-3,1 234\n701-4,1234\n701-5,x\n')
    assert [row.revision for row in rows] == ["1234", "1234", "1234", "1234", "x"]


@pytest.mark.parametrize("column", ["orderId", "revision"])
def test_a_row_without_its_order_or_revision_says_so_alone(world: World, column: str) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    world.download(order_id=SECOND, buyer_email=None)
    rows = {row["orderId"]: row for row in exported(world)}
    blank, good = sent_back(world, as_sheet([rows[FIRST] | {column: ""}, rows[SECOND]])).body["orders"]
    (error,) = blank["problem"]["errors"]
    assert (blank["status"], error["field"], error["code"]) == (422, column, "required")
    assert good["status"] == 200


def test_notes_below_the_orders_are_refused_row_by_row(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    (row,) = exported(world)
    notes = [dict.fromkeys(row, "") | {"firstName": text} for text in ("checked by Zoe", "total: 1")]
    answer = sent_back(world, as_sheet([row | {"email": "ada@mail.example.com"}, *notes]))
    assert [one["status"] for one in answer.body["orders"]] == [200, 422, 422]


def test_rows_for_one_order_are_refused_together_and_named(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    world.download(order_id=SECOND, buyer_email=None)
    rows = {row["orderId"]: row for row in exported(world)}
    sheet = as_sheet([rows[FIRST], rows[SECOND], rows[FIRST] | {"email": "ada@mail.example.com"}])
    answer = sent_back(world, sheet)
    assert [(one["row"], one["status"]) for one in answer.body["orders"]] == [(1, 422), (2, 200), (3, 422)]
    (error,) = answer.body["orders"][0]["problem"]["errors"]
    assert (error["code"], FIRST in error["message"]) == ("notUnique", True)


def test_a_header_below_blank_lines_in_other_letters_is_one(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    revision = world.order(FIRST).revision
    sheet = f"\r\n\nORDERID;Revision;E-Mail;EMAIL\r\n{FIRST};{revision};;ada@mail.example.com\r\n"
    (one,) = sent_back(world, sheet).body["orders"]
    assert (one["status"], one["order"]["email"]) == (200, "ada@mail.example.com")


def test_a_cell_of_any_length_refuses_its_row_alone(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    world.download(order_id=SECOND, buyer_email=None)
    rows = {row["orderId"]: row for row in exported(world)}
    long, good = sent_back(world, as_sheet([rows[FIRST] | {"company": "x" * 200_000}, rows[SECOND]])).body["orders"]
    assert (long["status"], good["status"]) == (422, 200)


@pytest.mark.parametrize("cell", ["\u00a0", "\u200b", "-", "n/a", "Unknown"])
def test_a_cell_that_looks_empty_changes_nothing(world: World, cell: str) -> None:
    before = world.download(order_id=FIRST, buyer_email=None)
    (row,) = exported(world)
    (one,) = sent_back(world, as_sheet([row | {"email": cell, "firstName": cell}])).body["orders"]
    assert one["status"] == 200
    assert world.order(FIRST) == before


def test_as_many_rows_come_back_as_a_list_exports(world: World) -> None:
    for number in range(251):
        world.download(order_id=f"701-{number:07}-0000001", buyer_email=None)
    rows = exported(world, limit=250)
    assert len(rows) == 250
    answer = sent_back(world, as_sheet([row | {"email": "ada@mail.example.com"} for row in rows]))
    assert [one["status"] for one in answer.body["orders"]] == [200] * 250


# Rows -----------------------------------------------------------------------------------------------------------------


def test_a_dry_run_shows_what_would_be_and_writes_nothing(world: World) -> None:
    before = world.download(order_id=FIRST, buyer_email=None)
    (row,) = exported(world)
    answer = sent_back(world, as_sheet([row | {"email": "ada@mail.example.com"}]), query={"dryRun": "true"})
    assert answer.body["dryRun"] is True
    assert answer.body["orders"][0]["order"]["readyToRelease"] is True
    assert world.order(FIRST) == before


def test_each_row_is_refused_by_itself(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    world.download(order_id=SECOND, buyer_email=None)
    rows = {row["orderId"]: row for row in exported(world)}
    world.call("PATCH", f"/orders/{SECOND}", {"assignedTo": "zoe"}, role="editor")
    filled = [
        rows[FIRST] | {"email": "ada@mail.example.com"},
        rows[SECOND] | {"email": "late@mail.example.com"},
        rows[FIRST] | {"orderId": "none"},
    ]
    answer = sent_back(world, as_sheet(filled))
    assert [(one["row"], one["status"]) for one in answer.body["orders"]] == [(1, 200), (2, 412), (3, 404)]
    assert answer.body["orders"][1]["problem"]["order"]["revision"] == world.order(SECOND).revision
    assert world.order(SECOND).edits.email is None


def test_a_value_that_cannot_be_is_refused_by_its_field(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    (row,) = exported(world)
    answer = sent_back(world, as_sheet([row | {"email": "x" * 400}]))
    (one,) = answer.body["orders"]
    assert (one["status"], one["problem"]["errors"][0]["field"]) == (422, "email")


def test_an_email_that_cannot_be_one_refuses_its_row_alone(world: World) -> None:
    world.download(order_id=FIRST, buyer_email="ada at home")  # Amazon's own is left as it is
    world.download(order_id=SECOND, buyer_email=None)
    rows = {row["orderId"]: row for row in exported(world)}
    answer = sent_back(world, as_sheet([rows[FIRST] | {"lastName": "Moss"}, rows[SECOND] | {"email": "ada"}]))
    first, second = answer.body["orders"]
    assert (first["status"], first["order"]["email"]) == (200, "ada at home")
    assert (second["status"], second["problem"]["errors"][0]["code"]) == (422, "notAnAddress")


def test_characters_that_a_spreadsheet_lost_refuse_the_row_that_they_change(world: World) -> None:
    world.download(order_id=FIRST, buyer_name="J\ufffdrg Moss", recipient_name="J\ufffdrg Moss")  # so came Amazon's own
    world.download(order_id=SECOND)
    rows = {row["orderId"]: row for row in exported(world)}
    answer = sent_back(world, as_sheet([rows[FIRST] | {"lastName": "Muss"}, rows[SECOND] | {"firstName": "J\ufffdrg"}]))
    first, second = answer.body["orders"]
    assert (first["status"], first["order"]["firstName"]) == (200, "J\ufffdrg")
    assert (second["status"], second["problem"]["errors"][0]["code"]) == (422, "lostCharacters")


@pytest.mark.parametrize("is_dry_run", [False, True])
def test_a_row_whose_phone_cannot_be_one_is_taken_with_a_warning(world: World, is_dry_run: bool) -> None:
    world.download(order_id=FIRST, delivery_address=an_address(phone="1"))  # Amazon's own is left as it is
    world.download(order_id=SECOND)
    rows = {row["orderId"]: row for row in exported(world)}
    filled = [rows[FIRST] | {"firstName": "Nia"}, rows[SECOND] | {"deliveryAddress.phone": "2"}]
    first, second = sent_back(world, as_sheet(filled), query={"dryRun": is_dry_run}).body["orders"]
    assert (first["status"], first["warnings"]) == (200, [])
    assert (second["status"], second["order"]["deliveryAddress"]["phone"]) == (200, "2")
    assert [warning["field"] for warning in second["warnings"]] == ["deliveryAddress.phone"]


def test_a_row_is_warned_of_fillers_and_its_country_is_read(world: World) -> None:
    world.download(order_id=FIRST, delivery_address=an_address(line1=None))
    world.download(order_id=SECOND, delivery_address=an_address(country_code=None))
    rows = {row["orderId"]: row for row in exported(world)}
    filled = [
        rows[FIRST] | {"deliveryAddress.addressLine1": "same as above"},
        rows[SECOND] | {"deliveryAddress.countryCode": "USA"},
    ]
    first, second = sent_back(world, as_sheet(filled)).body["orders"]
    assert [(warning["field"], warning["code"]) for warning in first["warnings"]] == [
        ("deliveryAddress.addressLine1", "filler")
    ]
    assert (second["order"]["deliveryAddress"]["countryCode"], second["warnings"]) == ("US", [])


def test_a_row_with_a_country_that_is_none_is_refused_alone(world: World) -> None:
    for order_id in (FIRST, SECOND):
        world.download(order_id=order_id)
    rows = {row["orderId"]: row for row in exported(world)}
    filled = [rows[FIRST] | {"deliveryAddress.countryCode": "SP"}, rows[SECOND] | {"firstName": "Nia"}]
    first, second = sent_back(world, as_sheet(filled)).body["orders"]
    assert (first["status"], first["problem"]["errors"][0]["code"]) == (422, "unknownCountry")
    assert second["status"] == 200


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1 555 0100", "-1", "@here", "'=1+1", "''-1"])
def test_a_text_like_a_formula_is_made_harmless_and_comes_back_unchanged(world: World, text: str) -> None:
    before = world.download(order_id=FIRST, delivery_address=an_address(phone=text))
    (row,) = exported(world)
    assert row["deliveryAddress.phone"] == f"'{text}"
    sent_back(world, as_sheet([row]))
    assert world.order(FIRST) == before


def test_a_long_list_is_exported_page_by_page(world: World) -> None:
    for number in range(3):
        world.download(order_id=f"701-{number}")
    first = world.call("GET", "/orders.csv", role="reader", query={"limit": 2})
    cursor = first.headers["X-Next-Cursor"]
    assert len(exported(world, limit=2, cursor=cursor)) == 1


def test_filters_that_cannot_be_are_refused_as_in_a_list(world: World) -> None:
    answer = world.call("GET", "/orders.csv", role="reader", query={"stage": "Nowhere"})
    assert (answer.status, list(answer.codes)) == (400, ["stage"])


HEADER = "orderId,revision,email\r\n"


@pytest.mark.parametrize(
    ("sheet", "status"),
    [
        ("", 422),
        ("email\r\nx\r\n", 422),
        (HEADER, 422),
        ("orderId,revision,email,email\r\n701-1,1,x,y\r\n", 422),
        (HEADER + ",,\r\n\r\n", 422),
        (HEADER.replace(",", ":"), 422),
        (HEADER + "".join(f"701-{n},1,x\r\n" for n in range(251)), 422),
        (HEADER + '701-1,1,"x\r\n', 400),
        (HEADER + "701-1,1," + "x" * 2_100_000, 413),
    ],
)
def test_a_sheet_that_is_none_is_refused_whole(world: World, sheet: str, status: int) -> None:
    answer = sent_back(world, sheet)
    assert answer.status == status
    assert answer.body["detail"]


def test_a_sheet_is_sent_as_csv(world: World) -> None:
    answer = world.call("POST", "/orders.csv", HEADER + "701-1,1,x\r\n", role="editor", Content_Type="text/plain")
    assert (answer.status, answer.body["code"]) == (415, "wrongContentType")


def test_a_sheet_is_read_with_a_spreadsheets_byte_order_mark_and_spaces() -> None:
    (row,) = rows_of("\ufefforderId,revision,email\n 701-1 ,3, ada@mail.example.com \n")
    assert row == SheetRow(1, "701-1", "3", {"email": "ada@mail.example.com"})
    assert sheet_of([]).startswith("\ufefforderId,revision,")


def test_an_order_is_exported_without_the_time_of_the_export(world: World) -> None:
    world.download(order_id=FIRST)
    before = exported(world)
    world.clock.now = NOON + timedelta(hours=1)
    assert exported(world) == before


@pytest.mark.parametrize("order_id", ["..", "7" * 3_000])
def test_a_row_whose_order_id_is_none_is_refused_alone(world: World, order_id: str) -> None:
    world.download(buyer_email=None)
    good = f"701-1111111-1111111,{world.order().revision},typed@example.com"
    answer = world.call(
        "POST", "/orders.csv", f"orderId,revision,email\n{order_id},1,\n{good}\n", Content_Type="text/csv"
    )
    assert [(row["row"], row["status"]) for row in answer.body["orders"]] == [(1, 404), (2, 200)]
