DROP TABLE spot_answer;
