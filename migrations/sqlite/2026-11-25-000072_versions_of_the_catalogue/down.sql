DROP TABLE catalogue;
