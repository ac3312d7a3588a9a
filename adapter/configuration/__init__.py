"""Files that people write: YAML read with its lines, made into settings and policies, or checked whole."""
