DROP INDEX event_recounted;
