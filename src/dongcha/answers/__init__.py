"""Questions from customers and staff, answered from what the shop has written: grounded, or not at all."""
