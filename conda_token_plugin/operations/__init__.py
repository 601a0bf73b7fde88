"""The use cases. They print nothing and ask nothing."""
