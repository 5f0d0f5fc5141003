"""How providers talk HTTP."""
