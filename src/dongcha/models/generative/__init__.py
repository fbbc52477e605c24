"""Models of whole customers: where each stands in a small latent space, how odd each is, and new ones drawn from it."""
