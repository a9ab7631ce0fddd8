"""In and received: the only code that knows Flask."""
