"""A registry over real HTTP on loopback. It answers by the contracts, invents all it says, and misbehaves on demand."""
