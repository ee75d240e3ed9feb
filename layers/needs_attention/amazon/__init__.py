"""Amazon's APIs."""
