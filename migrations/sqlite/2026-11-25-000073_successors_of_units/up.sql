-- The unit that goes on with the work of one that was merged or renamed.
ALTER TABLE unit ADD COLUMN successor TEXT;
