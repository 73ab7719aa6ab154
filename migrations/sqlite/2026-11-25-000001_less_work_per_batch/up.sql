-- SQLite has no such settings: its rows are changed in place, and nothing is left behind.
SELECT 1;
