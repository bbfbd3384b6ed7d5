"""Operators of the console, their sessions, and their tries to sign in.

Tables: users, recovery_codes, sessions, sign_in_tries, sign_in_places, second_step_roles,
invites, passkeys, passkey_challenges.
Migrations: 0009, 0028, 0030, 0033.
"""
