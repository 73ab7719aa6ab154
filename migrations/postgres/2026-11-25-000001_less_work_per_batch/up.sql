-- A message is changed twice within a second of its writing: claimed, then settled. With room beside it a
-- claim stays in its page and writes no index.
ALTER TABLE message SET (fillfactor = 50);

-- The loops look for what is due in small parts of these tables, over what finished rows left behind. That is
-- swept before a fifth of the table, which for messages only grows, has gathered.
ALTER TABLE message SET (autovacuum_vacuum_scale_factor = 0.01);
ALTER TABLE clock SET (autovacuum_vacuum_scale_factor = 0.05);
