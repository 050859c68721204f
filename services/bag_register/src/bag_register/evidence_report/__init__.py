"""Evidence as a report for people and auditors: JSON, CSV, or HTML to print. Streamed, in bounded memory."""
