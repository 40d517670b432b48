"""Icons, fonts, examples and samples that travel with the application."""
