DROP TABLE checkpoint_head;
DROP TABLE checkpoint;
DROP TABLE audit_entry;
