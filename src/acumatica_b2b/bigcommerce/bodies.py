"""What requests send of companies, users and addresses."""

from collections.abc import Mapping

from acumatica_b2b.bigcommerce.api import Api
from acumatica_b2b.bigcommerce.config import BigCommerceConfig
from acumatica_b2b.bigcommerce.creating import Json
from acumatica_b2b.bigcommerce.places import country_name, state_name
from acumatica_b2b.model import DesiredAddress, DesiredUser


def address_fields(api: Api, address: DesiredAddress) -> Json:
    """Return all of an address but its extra fields and whose it is."""
    place, known = address.address, state_name(api, address.address)
    return {
        "firstName": address.first_name,
        "lastName": address.last_name,
        "phoneNumber": address.phone,
        "addressLine1": place.line1,
        "addressLine2": place.line2,
        "city": place.city,
        # a code is for the countries whose states the shop knows; elsewhere it is refused
        **({} if known is None else {"stateCode": place.state.upper()}),
        "stateName": known or place.state,
        "countryCode": place.country,
        "countryName": country_name(api, place) or place.country,
        "zipCode": place.postal_code,
        "label": address.label,
        "externalId": address.external_id,
        "isShipping": True,
        "isBilling": True,
        "isDefaultShipping": address.default_shipping,
        "isDefaultBilling": address.default_billing,
    }


def extra_fields(values: Mapping[str, str], key: str = "extraFields") -> Json:
    """Return extra fields as requests have them; nothing where there are none."""
    rows = [{"fieldName": name, "fieldValue": value} for name, value in values.items()]
    return {key: rows} if rows else {}


def admin_fields(admin: DesiredUser | None) -> Json:
    """Return the admin of a new company; nothing where there is none."""
    if admin is None:
        return {}
    return {
        "adminFirstName": admin.first_name,
        "adminLastName": admin.last_name,
        "adminEmail": admin.email,
        **given({"adminPhoneNumber": admin.phone}),
        **extra_fields(dict(admin.extra_fields), "userExtraFields"),
    }


def price_fields(config: BigCommerceConfig) -> Json:
    """Return what decides on prices; 0 is a value, unlike None."""
    ids = {"catalogId": config.catalog_id, "customerGroupId": config.customer_group_id}
    return {name: id_ for name, id_ in ids.items() if id_ is not None}


def given(fields: Mapping[str, str]) -> Json:
    """Return the fields that have a value."""
    return {name: value for name, value in fields.items() if value}
