"""How the report looks: as one HTML page with drawings, and as Markdown."""
