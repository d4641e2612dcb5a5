"""Updates of the box: RAUC installs a signed bundle into the other slot, a health check decides."""
