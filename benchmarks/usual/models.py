"""Amazon's order in full, as a diligent developer writes it down in pydantic before using a fifth of it.

Every field of `Order` in Amazon's model of its Orders API 2026-01-01 and of all that it reaches, by Amazon's names
(https://developer-docs.amazon.com/sp-api/docs/orders-api-v2026-01-01-reference); tests/contract/test_usual_models.py
compares them. Types are pydantic's ordinary ones: `datetime`, `Decimal` for money, enumerations where the model has
them and texts where it only tells possible values. Nothing here is made slow on purpose, nor fast.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class AmazonModel(BaseModel):
    """The base: snake_case here, Amazon's camelCase outside. What Amazon adds is passed over."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


# Shared parts ---------------------------------------------------------------------------------------------------------


class Money(AmazonModel):
    amount: Decimal
    currency_code: str


class DateTimeRange(AmazonModel):
    earliest_date_time: datetime | None = None
    latest_date_time: datetime | None = None


class Unit(StrEnum):
    OUNCES = "OUNCES"
    POUNDS = "POUNDS"
    KILOGRAMS = "KILOGRAMS"
    GRAMS = "GRAMS"
    MILLIGRAMS = "MILLIGRAMS"
    INCHES = "INCHES"
    FEET = "FEET"
    METERS = "METERS"
    CENTIMETERS = "CENTIMETERS"
    MILLIMETERS = "MILLIMETERS"
    SQUARE_METERS = "SQUARE_METERS"
    SQUARE_CENTIMETERS = "SQUARE_CENTIMETERS"
    SQUARE_FEET = "SQUARE_FEET"
    SQUARE_INCHES = "SQUARE_INCHES"
    GALLONS = "GALLONS"
    PINTS = "PINTS"
    QUARTS = "QUARTS"
    FLUID_OUNCES = "FLUID_OUNCES"
    LITERS = "LITERS"
    CUBIC_METERS = "CUBIC_METERS"
    CUBIC_FEET = "CUBIC_FEET"
    CUBIC_INCHES = "CUBIC_INCHES"
    CUBIC_CENTIMETERS = "CUBIC_CENTIMETERS"
    COUNT = "COUNT"


class Measurement(AmazonModel):
    unit: Unit
    value: Decimal


class AddressExtendedFields(AmazonModel):
    street_name: str | None = None
    street_number: str | None = None
    complement: str | None = None
    neighborhood: str | None = None


class CustomerAddress(AmazonModel):
    name: str | None = None
    company_name: str | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    address_line3: str | None = None
    city: str | None = None
    district_or_county: str | None = None
    state_or_region: str | None = None
    municipality: str | None = None
    postal_code: str | None = None
    country_code: str | None = None
    phone: str | None = None
    extended_fields: AddressExtendedFields | None = None
    address_type: str | None = None


class MerchantAddress(AmazonModel):
    name: str | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    address_line3: str | None = None
    city: str | None = None
    district_or_county: str | None = None
    state_or_region: str | None = None
    municipality: str | None = None
    postal_code: str | None = None
    country_code: str | None = None


# Where an order comes from, and where it goes -------------------------------------------------------------------------


class Alias(AmazonModel):
    alias_id: str
    alias_type: str


class AssociatedOrder(AmazonModel):
    order_id: str | None = None
    association_type: str | None = None


class SalesChannel(AmazonModel):
    channel_name: str
    marketplace_id: str | None = None
    marketplace_name: str | None = None


class Buyer(AmazonModel):
    buyer_name: str | None = None
    buyer_email: str | None = None
    buyer_company_name: str | None = None
    buyer_purchase_order_number: str | None = None


class HourMinute(AmazonModel):
    hour: int | None = None
    minute: int | None = None


class TimeWindow(AmazonModel):
    start_time: HourMinute | None = None
    end_time: HourMinute | None = None


class DayOfWeek(StrEnum):
    SUN = "SUN"
    MON = "MON"
    TUE = "TUE"
    WED = "WED"
    THU = "THU"
    FRI = "FRI"
    SAT = "SAT"


class BusinessHour(AmazonModel):
    day_of_week: DayOfWeek | None = None
    time_windows: list[TimeWindow] | None = None


class ExceptionDateType(StrEnum):
    CLOSED = "CLOSED"
    OPEN = "OPEN"


class ExceptionDate(AmazonModel):
    exception_date: date | None = None
    exception_date_type: ExceptionDateType | None = None
    time_windows: list[TimeWindow] | None = None


class PreferredDeliveryTime(AmazonModel):
    business_hours: list[BusinessHour] | None = None
    exception_dates: list[ExceptionDate] | None = None


class DeliveryPreference(AmazonModel):
    drop_off_location: str | None = None
    address_instruction: str | None = None
    delivery_time: PreferredDeliveryTime | None = None
    delivery_capabilities: list[str] | None = None


class Recipient(AmazonModel):
    delivery_address: CustomerAddress | None = None
    delivery_preference: DeliveryPreference | None = None


# Money and tax of the whole order -------------------------------------------------------------------------------------


class OrderProceedsBreakdown(AmazonModel):
    type: str
    status: str | None = None
    subtotal: Money


class OrderProceeds(AmazonModel):
    grand_total: Money | None = None
    breakdowns: list[OrderProceedsBreakdown] | None = None


class PaymentExecution(AmazonModel):
    payment_method: str | None = None
    payment_amount: Money | None = None
    acquirer_id: str | None = None
    card_brand: str | None = None
    authorization_code: str | None = None


class OrderPayment(AmazonModel):
    payment_executions: list[PaymentExecution] | None = None


class TaxRegistrationAttribute(AmazonModel):
    key: str | None = None
    value: str | None = None


class OrderTaxRegistration(AmazonModel):
    entity_type: str | None = None
    legal_name: str | None = None
    tax_registration_type: str | None = None
    tax_registration_number: str | None = None
    tax_registration_address: CustomerAddress | None = None
    tax_registration_attributes: list[TaxRegistrationAttribute] | None = None


class OrderTaxInvoicing(AmazonModel):
    buyer_invoice_preference: str | None = None
    invoice_status: str | None = None


class OrderTax(AmazonModel):
    tax_registrations: list[OrderTaxRegistration] | None = None
    tax_invoicing: OrderTaxInvoicing | None = None


# Its fulfillment ------------------------------------------------------------------------------------------------------


class FulfillmentStatus(StrEnum):
    PENDING_AVAILABILITY = "PENDING_AVAILABILITY"
    PENDING = "PENDING"
    UNSHIPPED = "UNSHIPPED"
    PARTIALLY_SHIPPED = "PARTIALLY_SHIPPED"
    SHIPPED = "SHIPPED"
    CANCELLED = "CANCELLED"
    UNFULFILLABLE = "UNFULFILLABLE"


class OrderFulfillment(AmazonModel):
    fulfillment_status: FulfillmentStatus
    fulfilled_by: str | None = None
    fulfillment_service_level: str | None = None
    ship_by_window: DateTimeRange | None = None
    deliver_by_window: DateTimeRange | None = None
    label_printing_window: DateTimeRange | None = None


class PackageStatusCode(StrEnum):
    PENDING = "PENDING"
    IN_TRANSIT = "IN_TRANSIT"
    SHIPPED = "SHIPPED"
    DELIVERED = "DELIVERED"
    CANCELLED = "CANCELLED"
    UNDELIVERABLE = "UNDELIVERABLE"


class PackageStatus(AmazonModel):
    status: PackageStatusCode
    detailed_status: str | None = None


class PackageItem(AmazonModel):
    order_item_id: str
    quantity: int
    transparency_codes: list[str] | None = None


class OrderPackage(AmazonModel):
    package_reference_id: str
    created_time: datetime | None = None
    package_status: PackageStatus | None = None
    carrier: str | None = None
    ship_time: datetime | None = None
    shipping_service: str | None = None
    tracking_number: str | None = None
    ship_from_address: MerchantAddress | None = None
    package_items: list[PackageItem] | None = None


class FulfillmentOrder(AmazonModel):
    fulfillment_order_id: str


# Its items ------------------------------------------------------------------------------------------------------------


class AssociatedOrderItem(AmazonModel):
    order_id: str | None = None
    order_item_id: str | None = None
    association_type: str | None = None


class ItemCondition(AmazonModel):
    condition_type: str | None = None
    condition_subtype: str | None = None
    condition_note: str | None = None


class ItemPrice(AmazonModel):
    unit_price: Money | None = None
    price_designation: str | None = None


class ItemCustomization(AmazonModel):
    customized_url: str | None = None


class ItemProduct(AmazonModel):
    asin: str | None = None
    title: str | None = None
    seller_sku: str | None = None
    condition: ItemCondition | None = None
    price: ItemPrice | None = None
    serial_numbers: list[str] | None = None
    customization: ItemCustomization | None = None


class ItemProceedsDetailedBreakdown(AmazonModel):
    subtype: str | None = None
    value: Money | None = None


class ItemProceedsBreakdown(AmazonModel):
    type: str
    subtotal: Money
    detailed_breakdowns: list[ItemProceedsDetailedBreakdown] | None = None


class ItemProceeds(AmazonModel):
    proceeds_total: Money | None = None
    breakdowns: list[ItemProceedsBreakdown] | None = None


class PointsGranted(AmazonModel):
    points_number: int | None = None
    points_monetary_value: Money | None = None


class ItemPointsCost(AmazonModel):
    points_granted: PointsGranted | None = None


class ItemExpense(AmazonModel):
    points_cost: ItemPointsCost | None = None


class ItemPromotionBreakdown(AmazonModel):
    promotion_id: str | None = None


class ItemPromotion(AmazonModel):
    breakdowns: list[ItemPromotionBreakdown] | None = None


class ItemCancellationRequest(AmazonModel):
    requester: str | None = None
    cancel_reason: str | None = None


class ItemCancellationExecution(AmazonModel):
    cancelled_by: str | None = None
    cancel_reason: str | None = None


class ItemCancellation(AmazonModel):
    cancellation_request: ItemCancellationRequest | None = None
    cancellation_execution: ItemCancellationExecution | None = None


class ItemSubstitutionOption(AmazonModel):
    asin: str | None = None
    quantity_ordered: int | None = None
    seller_sku: str | None = None
    title: str | None = None
    measurement: Measurement | None = None


class SubstitutionType(StrEnum):
    CUSTOMER_PREFERENCE = "CUSTOMER_PREFERENCE"
    AMAZON_RECOMMENDED = "AMAZON_RECOMMENDED"
    DO_NOT_SUBSTITUTE = "DO_NOT_SUBSTITUTE"


class ItemSubstitutionPreference(AmazonModel):
    substitution_type: SubstitutionType
    substitution_options: list[ItemSubstitutionOption] | None = None


class ItemPicking(AmazonModel):
    substitution_preference: ItemSubstitutionPreference | None = None


class GiftOption(AmazonModel):
    gift_message: str | None = None
    gift_wrap_level: str | None = None


class SerialNumberRequirement(AmazonModel):
    requirement_type: str | None = None


class ItemPacking(AmazonModel):
    gift_option: GiftOption | None = None
    serial_number_requirement: SerialNumberRequirement | None = None


class ConstraintType(StrEnum):
    MANDATORY = "MANDATORY"


class ItemShippingConstraints(AmazonModel):
    pallet_delivery: ConstraintType | None = None
    cash_on_delivery: ConstraintType | None = None
    signature_confirmation: ConstraintType | None = None
    recipient_identity_verification: ConstraintType | None = None
    recipient_age_verification: ConstraintType | None = None


class ItemInternationalShipping(AmazonModel):
    ioss_number: str | None = None


class ItemShipping(AmazonModel):
    scheduled_delivery_window: DateTimeRange | None = None
    shipping_constraints: ItemShippingConstraints | None = None
    international_shipping: ItemInternationalShipping | None = None


class ItemFulfillment(AmazonModel):
    quantity_fulfilled: int | None = None
    quantity_unfulfilled: int | None = None
    picking: ItemPicking | None = None
    packing: ItemPacking | None = None
    shipping: ItemShipping | None = None


class ItemTaxCalculationBreakdown(AmazonModel):
    reporting_scheme: str | None = None


class ItemTaxCollection(AmazonModel):
    model: str | None = None
    responsible_party: str | None = None


class ItemTax(AmazonModel):
    tax_calculation_breakdowns: list[ItemTaxCalculationBreakdown] | None = None
    tax_collections: list[ItemTaxCollection] | None = None


class OrderItem(AmazonModel):
    order_item_id: str
    quantity_ordered: int
    measurement: Measurement | None = None
    associated_order_items: list[AssociatedOrderItem] | None = None
    programs: list[str] | None = None
    product: ItemProduct
    proceeds: ItemProceeds | None = None
    expense: ItemExpense | None = None
    promotion: ItemPromotion | None = None
    cancellation: ItemCancellation | None = None
    fulfillment: ItemFulfillment | None = None
    tax: ItemTax | None = None


# The order ------------------------------------------------------------------------------------------------------------


class Order(AmazonModel):
    order_id: str
    order_aliases: list[Alias] | None = None
    created_time: datetime
    last_updated_time: datetime
    programs: list[str] | None = None
    associated_orders: list[AssociatedOrder] | None = None
    sales_channel: SalesChannel
    buyer: Buyer | None = None
    recipient: Recipient | None = None
    proceeds: OrderProceeds | None = None
    payment: OrderPayment | None = None
    tax: OrderTax | None = None
    fulfillment: OrderFulfillment | None = None
    order_items: list[OrderItem]
    packages: list[OrderPackage] | None = None
    fulfillment_orders: list[FulfillmentOrder] | None = None
