"""The order and its rules. Pure: no AWS, no HTTP, no clock."""
