"""What the benches compare us with."""
