"""git: worktrees and the builds of two commits."""
