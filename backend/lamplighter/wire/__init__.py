"""The binary wire format: encoding, decoding and merging of frames."""
