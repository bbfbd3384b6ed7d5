"""Plans, whose occurrences are scheduled charges; what buyers consented to; and a merchant's own holidays.

Tables: plans, plan_occurrences, plan_consents, merchant_holidays.
Migrations: 0036.
"""
