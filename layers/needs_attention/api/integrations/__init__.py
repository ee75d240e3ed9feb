"""Integrations and Stages over HTTP."""
