"""A merchant's file on its way in: kept aside entry by entry, made real in one transaction.

Tables: import_files, import_billing_keys, import_payments, import_cancellations, import_schedules,
import_prepared_amounts.
Migrations: 0001, 0004, 0010, 0011, 0016, 0021, 0022, 0037.
"""
