"""What the trainer's windows show and do, without the windows: each part owns its workers."""
