"""Use cases of the desk. Know no Qt; everything here may be called from any thread but the Qt main one unless said."""
