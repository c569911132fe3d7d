"""The clerk's intake: from office files to checked data."""
