"""Our own shop, two tables in SQLite, as a storefront."""

import sqlite3
from collections.abc import Mapping, Sequence
from threading import RLock

from attrs import asdict, define, field

import acumatica_b2b as b2b

TABLES = """CREATE TABLE company (id INTEGER PRIMARY KEY AUTOINCREMENT, external_id UNIQUE, name, email, phone);
CREATE TABLE user (id INTEGER PRIMARY KEY AUTOINCREMENT, company TEXT, external_id, email UNIQUE COLLATE NOCASE,
                   first_name, last_name, phone, role);"""
COMPANY = "SELECT CAST(id AS TEXT) AS id, external_id, name, email, phone FROM company "
USER = "SELECT CAST(id AS TEXT) AS id, company, external_id, email, first_name, last_name, phone, role FROM user "
NEW_COMPANY = "INSERT INTO company VALUES (NULL, :external_id, :name, :email, :phone)"
NEW_USER = """INSERT INTO user SELECT NULL, id, :external_id, :email, :first_name, :last_name, :phone, :role
    FROM company WHERE id = :company"""
CHANGE_COMPANY = """UPDATE company SET external_id = coalesce(:external_id, external_id), name = coalesce(:name, name),
    email = coalesce(:email, email), phone = coalesce(:phone, phone) WHERE id = :id"""
CHANGE_USER = """UPDATE user SET external_id = coalesce(:external_id, external_id), email = coalesce(:email, email),
    first_name = coalesce(:first_name, first_name), last_name = coalesce(:last_name, last_name),
    phone = coalesce(:phone, phone), role = coalesce(:role, role) WHERE id = :id"""
SAME = dict.fromkeys(("external_id", "name", "email", "first_name", "last_name", "phone", "role"))


@define
class InHouseShop:
    """A storefront over one connection whose rows are `sqlite3.Row`; threads use it by turns."""

    db: sqlite3.Connection
    lock: RLock = field(factory=RLock)
    capabilities = b2b.Capabilities(hand_over=b2b.HandOver.PROMOTE_FIRST)

    def observe(self, companies: Sequence[b2b.CompanyRef], /) -> list[b2b.Outcome[b2b.Company | None]]:
        return b2b.each(self._company, companies)

    def find_users(self, emails: Sequence[str], /) -> list[b2b.Outcome[b2b.CompanyUser | None]]:
        return b2b.each(lambda email: next(iter(self._users("WHERE email = :email", email=email)), None), emails)

    def perform(self, actions: Sequence[b2b.Action], /) -> list[b2b.Outcome[b2b.StorefrontID]]:
        return b2b.each(self._do, actions)

    def _company(self, ref: b2b.CompanyRef) -> b2b.Company | None:
        rows = self._rows(COMPANY + ("WHERE id = :id" if ref.id else "WHERE external_id = :external_id"), asdict(ref))
        return b2b.Company(**rows[0], users=self._users("WHERE company = :id", id=rows[0]["id"])) if rows else None

    def _users(self, where: str, **values: str) -> tuple[b2b.CompanyUser, ...]:
        return tuple(b2b.CompanyUser(**row) for row in self._rows(USER + where, values))

    def _do(self, action: b2b.Action) -> b2b.StorefrontID:
        match action:
            case b2b.CreateCompany(company=wanted):
                return self._write(NEW_COMPANY, asdict(wanted))
            case b2b.UpdateCompany(company=company, changes=changes):
                return self._write(CHANGE_COMPANY, {**SAME, "id": company, **dict(changes)})
            case b2b.CreateUser(company=company, user=person, role=role):
                return self._write(NEW_USER, {**asdict(person), "company": company, "role": role})
            case b2b.UpdateUser(user=user, changes=changes):
                return self._write(CHANGE_USER, {**SAME, "id": user, **dict(changes)})
            case b2b.SetRole(user=user, role=role):
                return self._write(CHANGE_USER, {**SAME, "id": user, "role": role})
            case b2b.RemoveUser(user=user):
                return self._write("DELETE FROM user WHERE id = :id", {"id": user})
            case _:
                raise b2b.RejectedError(b2b.Reason.UNSUPPORTED, f"our shop knows no {type(action).__name__}")

    def _write(self, sql: str, values: Mapping[str, object]) -> b2b.StorefrontID:
        try:
            for row in self._rows(sql + " RETURNING CAST(id AS TEXT)", values):
                return b2b.StorefrontID(row[0])
        except sqlite3.IntegrityError as error:
            reason = b2b.Reason.EMAIL_TAKEN if "email" in str(error) else b2b.Reason.INVALID
            raise b2b.RejectedError(reason, str(error)) from error
        raise b2b.RejectedError(b2b.Reason.GONE)

    def _rows(self, sql: str, values: Mapping[str, object]) -> list[sqlite3.Row]:
        with self.lock, self.db:
            return self.db.execute(sql, values).fetchall()
