"""git: which commits are meant, their worktrees, what changed between them, bisect."""
