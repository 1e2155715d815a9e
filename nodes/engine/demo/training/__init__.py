"""The stages that make the weights: pictures, autoencoder, text encoder, denoiser. `train.py` runs them in order."""
