"""Who may do what: keys of programs, people with roles, and the record of what they did."""
