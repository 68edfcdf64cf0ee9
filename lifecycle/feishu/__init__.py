"""The HTTP client for Feishu: token, limits, one method per endpoint. No Django here."""
