"""The tables and files that stages hand on, written and read with the same checks, and tables of users."""
