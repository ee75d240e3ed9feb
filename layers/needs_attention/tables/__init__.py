"""What is stored in DynamoDB, and how it is read and written."""
