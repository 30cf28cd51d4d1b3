"""The commands of the command line, one module a noun; none imports a screen."""
