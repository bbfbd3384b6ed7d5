"""Requests that must be carried out once, with their answers.

Tables: idempotent_requests.
Migrations: 0008, 0031.
"""
