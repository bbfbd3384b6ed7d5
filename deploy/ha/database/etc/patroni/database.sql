-- The gateways' own user and database; run once, on the leader.
CREATE ROLE maedal LOGIN PASSWORD '{{GATEWAY_PASSWORD}}';
CREATE DATABASE maedal OWNER maedal;
