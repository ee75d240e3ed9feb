"""The DynamoDB tables, one module a table."""
