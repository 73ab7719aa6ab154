ALTER TABLE token DROP COLUMN scope;
DROP TABLE throttle;
DROP TABLE session;
DROP TABLE account;
