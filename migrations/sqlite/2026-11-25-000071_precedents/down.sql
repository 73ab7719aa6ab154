DROP TABLE precedent;
