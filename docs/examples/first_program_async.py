from acumatica_b2b import AsyncContactSync, AsyncSyncLogStore, AsyncTransport, RunReport
from acumatica_b2b.acumatica import AcumaticaConfig, AsyncAcumatica, Password
from acumatica_b2b.bigcommerce import AsyncBigCommerce, BigCommerceConfig

tenant = AcumaticaConfig(url="https://erp.example.com/Live", contact_opt_in="everyone", contact_reference="ExtRefNbr")
account = BigCommerceConfig(store_hash="simulated", token="simulated-token")


async def main(to_erp: AsyncTransport, to_shop: AsyncTransport, store: AsyncSyncLogStore) -> RunReport:
    shop = AsyncBigCommerce(account, to_shop)
    async with AsyncAcumatica(tenant, Password("sync", "secret"), to_erp) as erp:
        sync = AsyncContactSync(erp=erp, storefront=shop, store=store)
        return await sync.sync(["C000000001"])
