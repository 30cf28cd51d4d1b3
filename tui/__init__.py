"""The shell around the screens: the app, the command line, the theme and shared widgets."""
