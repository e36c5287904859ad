"""Amazon Bedrock model invocation logs into training sets for model distillation."""
