"""What the update did to the weights: two checkpoints compared, streamed from safetensors.

Nothing is imported here: headers (`layout`) are read where nothing may load numpy.
"""
