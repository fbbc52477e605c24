"""The seam every insight stands on."""
