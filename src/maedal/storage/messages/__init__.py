"""Messages to the team and to buyers: servers of mail, receivers, alerts that wait to be told, and the outbox.

Tables: mail_servers, alert_receivers, alerts, messages.
Migrations: 0040.
"""
