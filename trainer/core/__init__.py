"""What live use and training share: keypoints, crops, networks, checkpoints, prediction."""
