-- A ruling may hold in one township only, from a day on, and until a day.
ALTER TABLE precedent ADD COLUMN territory TEXT;    -- the township's code; NULL: everywhere
ALTER TABLE precedent ADD COLUMN valid_from INTEGER;  -- NULL: from the ruling on
ALTER TABLE precedent ADD COLUMN valid_until INTEGER; -- NULL: until it is withdrawn
