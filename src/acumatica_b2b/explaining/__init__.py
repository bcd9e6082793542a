"""`explain`: what is so about one contact, and why, without writing anything anywhere."""

from acumatica_b2b.explaining.explanation import Explanation, Line, Mark, Section
from acumatica_b2b.explaining.looking import explain

__all__ = ["Explanation", "Line", "Mark", "Section", "explain"]
