"""The chapters of the report: what was found -> words, tables, charts, and how the figures are made."""
