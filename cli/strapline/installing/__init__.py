"""Setting bridge and server up as services of this machine, and taking them away again."""
