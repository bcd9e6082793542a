"""Keeps the company users of a B2B storefront in step with the contacts of Acumatica customers."""

from acumatica_b2b.lazily import lazily

__all__, __getattr__, __dir__ = lazily(  # pyright: ignore[reportUnsupportedDunderAll]  # it reads the stub
    __name__,
    {
        "actions": (
            "Action Changes CreateAddress CreateCompany CreateUser MoveAdmin RemoveAddress RemoveUser SetRole Step "
            "UpdateAddress UpdateCompany UpdateUser WriteReference"
        ),
        "adopting": "adopted",
        "check": "AsyncChecksItself Check CheckResult ChecksItself Needs Part Verdict",
        "contact_sync": "AsyncContactSync ContactSync",
        "customer_log": "LogRow",
        "decisions": "Choice Decision",
        "drivers": "Listener",
        "effects": "CustomerSettled Event RunStarted Waiting WaveRead",
        "errors": (
            "AcumaticaB2BError AuthenticationError ConfigurationError DecisionError DecodeError LeaseEndedError "
            "NotSentError OutcomeUnknownError RateLimitedError Reason RejectedError RemoteError StalePlanError "
            "StoreError UnsafePlanError WrongSecretError"
        ),
        "explaining": "Explanation Line Mark Section",
        "findings": "Finding FindingKind Status",
        "flow": "Failed Ok Outcome",
        "forgetting": "Forgotten",
        "http": "Allowance AsyncBudget AsyncTransport Budget Request Response Transport",
        "locations": "map_location",
        "logstate": "LogState",
        "mapping": "CustomerMapping Desired map_contact map_customer",
        "model": (
            "UNSET AddressID Capabilities Company CompanyAddress CompanyID CompanyRef CompanyUser Contact ContactID "
            "Customer CustomerID DesiredAddress DesiredCompany DesiredUser HandOver Location LocationID MaybeUnset "
            "NoteID PostalAddress Record RecordKind Reference SiteAssociation StorefrontID UserID"
        ),
        "plan": "CompanyPlan next_steps plan_company",
        "policy": (
            "CustomerLeaves ExistingShoppers FirstAdmin Guarded Lengths Limits ProtectedLeaver SyncPolicy TakeBack"
        ),
        "protocols": (
            "AsyncClock AsyncErp AsyncKnowsRoles AsyncKnowsShoppers AsyncKnowsSuperAdmins AsyncScrubs "
            "AsyncStorefront AsyncSurveys AsyncSyncLogStore ChangedSince Clock Commit Cursor Erp Everything KnowsRoles "
            "KnowsShoppers KnowsSuperAdmins LogKey Page PrimaryMarks Query Scrubs Storefront Surveys "
            "SyncLogStore Unreadable Watermark aeach each"
        ),
        "quota": "AsyncQuota Quota",
        "report": "Counts Plan RunReport Trouble",
        "runtime": "AsyncSystemClock SystemClock in_threads",
        "sealed": "SealedPlan read_sealed seal write_sealed",
        "settling": "settle",
        "terms": "LeftToAnotherError Settled",
        "world": "World",
    },
)
