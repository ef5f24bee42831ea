"""The real-time viewer: state, input to state, state to picture, and a thin shell around a window."""
