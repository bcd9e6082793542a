"""Our own shop, two tables in SQLite, as a storefront."""

import sqlite3
from collections.abc import Mapping, Sequence
from threading import RLock
from typing import Any

from attrs import asdict, define, field

import acumatica_b2b as b2b

TABLES = """
    CREATE TABLE company (id INTEGER PRIMARY KEY, external_id TEXT UNIQUE, name TEXT, email TEXT, phone TEXT);
    CREATE TABLE user (id INTEGER PRIMARY KEY, company INTEGER REFERENCES company, external_id TEXT, role TEXT,
                       email TEXT UNIQUE COLLATE NOCASE, first_name TEXT, last_name TEXT, phone TEXT);
"""
_UPDATE_COMPANY = """
    UPDATE company SET external_id = coalesce(:external_id, external_id), name = coalesce(:name, name),
    email = coalesce(:email, email), phone = coalesce(:phone, phone) WHERE id = :id RETURNING id
"""
_UPDATE_USER = """
    UPDATE user SET external_id = coalesce(:external_id, external_id), role = coalesce(:role, role),
    email = coalesce(:email, email), first_name = coalesce(:first_name, first_name),
    last_name = coalesce(:last_name, last_name), phone = coalesce(:phone, phone) WHERE id = :id RETURNING id
"""
