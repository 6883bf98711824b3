"""One trial: data, folds, the U-Net, its masks, training, scores. Imports neither `sweeps` nor `tracking`."""
