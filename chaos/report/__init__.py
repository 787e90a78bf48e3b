"""
A finished run as something to read: timeline, verdict table, Allure results, and the report built from them.
"""
