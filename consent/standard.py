"""The consent receipt in the fields of ISO/IEC TS 27560:2023, with a JSON-LD context of W3C DPV terms. Pure.

Every field is worked out from the signed text, which travels with it as `proof`: whoever verifies does the same and compares. What a
policy does not say (an address, a jurisdiction) is said to be not stated, and never guessed. Schema: docs/consent-receipt.schema.json;
field names and terms: the DPV guide to 27560, https://w3id.org/dpv/guides/consent-27560.
"""

import hashlib
import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

from consent.receipt import ConsentReceipt, Grant, SignedReceipt
from consent.vocabulary import Kind, Purpose

SCHEMA = "volens-27560/1"
NOT_STATED = "not stated in the policy"
_METHOD = "volens consent withdraw, or Stop in the icon's menu: at any time, without a reason, offline"
_RIGHTS = (
    "see: volens show, volens export",
    "erase: volens forget, volens erase",
    "take back: volens consent withdraw",
    "who opened what: volens access",
)
CONTEXT = {
    "dpv": "https://w3id.org/dpv#",
    "dct": "http://purl.org/dc/terms/",
    "volens": "urn:volens:receipt#",
    "schema_version": "dct:conformsTo",
    "receipt_id": "dct:identifier",
    "record": "dpv:hasRecordOfActivity",
    "record_id": "dct:identifier",
    "pii_principal_id": "dpv:hasDataSubject",
    "pii_processing": "dpv:hasProcess",
    "privacy_notice": "dpv:hasNotice",
    "sha256": "volens:sha256",
    "due": "volens:due",
    "policy_version": "volens:policy_version",
    "language": "dct:language",
    "purposes": "dpv:hasProcess",
    "purpose": "dpv:hasPurpose",
    "purpose_id": "dct:identifier",
    "lawful_basis": {"@id": "dpv:hasLegalBasis", "@type": "@id"},
    "pii_information": "dpv:hasPersonalData",
    "pii_type": "dct:identifier",
    "pii_optional": "dpv:hasNecessity",
    "sensitive_pii_category": "volens:sensitive",
    "special_pii_category": "volens:special",
    "sensitivity": "dpv:hasSensitivityLevel",
    "surfaces": "dpv:hasContext",
    "surface_id": "dct:identifier",
    "surface_name": "dct:title",
    "pii_controllers": "dpv:hasDataController",
    "collection_method": "dpv:hasDataSource",
    "processing_method": {"@id": "dpv:hasProcessing", "@type": "@id"},
    "storage_locations": "dpv:hasStorageCondition",
    "retention_period": "dpv:hasDuration",
    "held_first": "volens:held_first",
    "hours": "volens:hours",
    "jurisdiction": "dpv:hasJurisdiction",
    "recipient_third_parties": "dpv:hasRecipient",
    "reading_key": "volens:reading_key",
    "withdrawal_method": "dpv:hasConsentControl",
    "privacy_rights": "dpv:hasRight",
    "party_identification": "dpv:hasEntity",
    "party_id": "dct:identifier",
    "party_name": "dpv:hasName",
    "party_role": {"@id": "dpv:hasRole", "@type": "@id"},
    "party_type": {"@id": "volens:party_type", "@type": "@id"},
    "party_address": "dpv:hasAddress",
    "party_contact": "dpv:hasContact",
    "party_url": "volens:party_url",
    "event": "dct:hasPart",
    "event_time": "dct:date",
    "validity_duration": "dct:valid",
    "entity_id": "dpv:isIndicatedBy",
    "event_type": {"@id": "dpv:hasLegalBasis", "@type": "@id"},
    "event_state": {"@id": "dpv:hasConsentStatus", "@type": "@id"},
    "proof": "volens:proof",
    "algorithm": "volens:algorithm",
    "receipt": "volens:receipt",
    "signature": "volens:signature",
    "public_key": "volens:public_key",
}
"""What each key means: ISO's own names, as DPV's terms; `volens:` where DPV has none."""


def as_standard(receipt: ConsentReceipt, signed: SignedReceipt) -> dict[str, Any]:
    """The receipt as the JSON object of the standard; `signed` is the same receipt as it was signed."""
    principal = principal_id(signed.public_key)
    return {
        "@context": CONTEXT,
        "@type": "dpv:ConsentReceipt",
        "schema_version": SCHEMA,
        "receipt_id": receipt.id,
        "record": {
            "@type": "dpv:ConsentRecord",
            "record_id": receipt.id,
            "pii_principal_id": principal,
            "pii_processing": {
                "privacy_notice": _notice(receipt),
                "language": receipt.language,
                "purposes": [_purpose(receipt, purpose) for purpose in sorted(receipt.purpose_keys)],
            },
            "party_identification": _parties(receipt),
            "event": [
                {
                    "event_time": datetime.fromtimestamp(receipt.granted_ms / 1000, UTC).isoformat(timespec="milliseconds"),
                    "validity_duration": "until it is withdrawn",
                    "entity_id": principal,
                    "event_type": "dpv:ExplicitlyExpressedConsent",
                    "event_state": "dpv:ConsentGiven",
                }
            ],
        },
        "proof": {
            "algorithm": "Ed25519 over the UTF-8 bytes of receipt",
            "receipt": signed.text,
            "signature": b64encode(signed.signature).decode(),
            "public_key": b64encode(signed.public_key).decode(),
        },
    }


def principal_id(public_key: bytes) -> str:
    """The person's pseudonym in the record: SHA-256, hex, of the ledger key (32 bytes) that signed. It names nobody and is never sent."""
    return hashlib.sha256(public_key).hexdigest()


def written(standard: dict[str, Any]) -> str:
    """The text of the file, to the letter."""
    return json.dumps(standard, indent=2) + "\n"


def _notice(receipt: ConsentReceipt) -> dict[str, Any]:
    return {
        "@type": "dpv:ConsentNotice",
        "sha256": receipt.notice_sha256,
        "policy_version": receipt.policy_version,
        "due": "on each day" if receipt.daily_notice else "once, before the yes",
    }


def _purpose(receipt: ConsentReceipt, purpose: Purpose) -> dict[str, Any]:
    grants = [grant for grant in receipt.grants if grant.purpose == purpose]
    return {
        "@type": "dpv:Process",
        "purpose": receipt.titles.get(purpose, purpose),
        "purpose_id": purpose,
        "lawful_basis": "dpv:ExplicitlyExpressedConsent",
        "pii_information": [_personal_data(receipt, kind, grants) for kind in sorted({grant.kind for grant in grants})],
        "pii_controllers": ["controller"],
        "collection_method": "observed on the person's own computer, in the listed windows only, while the icon is visible",
        "processing_method": ["dpv:Collect", "dpv:Store", "dpv:Use"],
        "storage_locations": [receipt.receiver],
        "retention_period": f"P{receipt.retention_days.get(purpose, 0)}D",
        "held_first": f"PT{receipt.hold_min_s}S",
        "hours": receipt.hours,
        "jurisdiction": NOT_STATED,
        "recipient_third_parties": [_readers_id(purpose)],
        "reading_key": receipt.purpose_keys[purpose],
        "withdrawal_method": _METHOD,
        "privacy_rights": list(_RIGHTS),
    }


def _personal_data(receipt: ConsentReceipt, kind: Kind, grants: list[Grant]) -> dict[str, Any]:
    """One kind: how sensitive the register says it is, and on which surfaces it serves this purpose; none: it is of no surface."""
    sensitivity = receipt.sensitivity.get(kind, NOT_STATED)
    surfaces = sorted(grant.surface for grant in grants if grant.kind is kind and grant.surface is not None)
    return {
        "@type": "dpv:PersonalData",
        "pii_type": kind.value,
        "pii_optional": True,
        "sensitive_pii_category": sensitivity == "body",
        "special_pii_category": False,
        "sensitivity": sensitivity,
        "surfaces": [{"surface_id": surface, "surface_name": receipt.names.get(surface, surface)} for surface in surfaces],
    }


def _parties(receipt: ConsentReceipt) -> list[dict[str, str]]:
    readers = [
        _party(_readers_id(purpose), receipt.readers.get(purpose, NOT_STATED), "dpv:Recipient") for purpose in sorted(receipt.purpose_keys)
    ]
    stores = _party("receiver", receipt.receiver, "dpv:DataProcessor") | {"party_url": receipt.receiver}
    return [_party("controller", receipt.controller, "dpv:DataController"), stores, *readers]


def _party(party_id: str, name: str, role: str) -> dict[str, str]:
    return {
        "@type": "dpv:LegalEntity",
        "party_id": party_id,
        "party_name": name,
        "party_role": role,
        "party_type": role,
        "party_address": NOT_STATED,
        "party_contact": NOT_STATED,
    }


def _readers_id(purpose: Purpose) -> str:
    return f"readers of {purpose}"
