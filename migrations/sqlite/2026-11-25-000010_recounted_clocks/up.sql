-- Which matters a new version of the calendar moved: read page by page, newest first. Only these
-- events are in it, so that no other command pays for it.
CREATE INDEX event_recounted ON event (jurisdiction_id, position) WHERE kind = 'recount_clocks';
