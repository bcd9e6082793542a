"""Bindings of `acumatica_b2b.http` to HTTP libraries; each is a module of its own, to be imported by name."""
