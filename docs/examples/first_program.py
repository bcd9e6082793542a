from acumatica_b2b import ContactSync
from acumatica_b2b.acumatica import Acumatica, AcumaticaConfig, Password
from acumatica_b2b.bigcommerce import BigCommerce, BigCommerceConfig
from acumatica_b2b.simulators import AcumaticaSimulator, dataset
from acumatica_b2b.simulators.bigcommerce import BigCommerceSimulator
from acumatica_b2b.stores import SqliteStore

tenant = AcumaticaConfig(url="https://erp.example.com/Live", contact_opt_in="everyone", contact_reference="ExtRefNbr")
shop = BigCommerce(BigCommerceConfig(store_hash="simulated", token="simulated-token"), BigCommerceSimulator())
erp_transport = AcumaticaSimulator().load(dataset(3, seed=1, bad=False))
with Acumatica(tenant, Password("sync", "secret"), erp_transport) as erp, SqliteStore("sync.sqlite") as store:
    sync = ContactSync(erp=erp, storefront=shop, store=store)
    print("all well" if sync.sync(["C000000001"]).ok else "see the log")
    print(*[f"{row.record}: {row.what} {row.id}" for row in sync.log("C000000001")], sep="\n")
