"""Lists of payments that people look through: what payments are found by, views, columns and exports.

Tables: payment_texts, payments_to_text, search_terms, payment_views, payment_columns, exports.
Migrations: 0014, 0037.
"""
