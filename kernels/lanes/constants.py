"""Constants that all device code shares."""

FAR = 1e9  # a distance beyond every scene; finite, because the device maths assumes that nothing is infinite
