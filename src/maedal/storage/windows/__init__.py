"""Windows in which buyers pay.

Tables: windows.
Migrations: 0001, 0026.
"""
