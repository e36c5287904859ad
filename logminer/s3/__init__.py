"""Amazon S3: objects move through obstore, with the credentials, Region and endpoint of boto3's chain."""
