"""The edge: the only rooms that know gRPC and protobuf. They translate; no rule of sealing lives here."""
