"""The behaviour model: one encoder over each customer's timeline, pretrained on the shop's own history."""
