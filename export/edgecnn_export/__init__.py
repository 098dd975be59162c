"""From a Keras model to a TFLite or ONNX file, and the proof that it is still the same model."""
