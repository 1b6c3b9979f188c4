"""What can compute a network: PyTorch on every device, and ONNX Runtime, which is quicker on the processor."""
