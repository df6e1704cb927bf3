"""Profilers of a Java server, which the JDK's own tools begin and end while it runs: no flag at its start."""
