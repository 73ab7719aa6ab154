ALTER TABLE clock RESET (autovacuum_vacuum_scale_factor);
ALTER TABLE message RESET (autovacuum_vacuum_scale_factor);
ALTER TABLE message RESET (fillfactor);
