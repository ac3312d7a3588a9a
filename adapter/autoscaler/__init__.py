"""The HPA that fits a policy, and how far a live one is from it. Pure: manifests come and go as parsed YAML."""
